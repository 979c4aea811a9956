"""Which operation answers which route, and which routes are public. A new route is added here by hand, on purpose."""

ROUTES = {
    ("POST", "/bindings"): "BindAccount",
    ("GET", "/bindings/{id}"): "GetBinding",
    ("GET", "/bindings"): "ListBindings",
    ("GET", "/bindings/return/{state}/{outcome}"): "ReturnFromBinding",
    ("GET", "/bindings/{id}/balance"): "GetBalance",
    ("DELETE", "/bindings/{id}"): "UnbindAccount",
    ("POST", "/bindings/{id}/otp"): "ConfirmUnbinding",
    ("GET", "/payments"): "ListPayments",
    ("POST", "/payments"): "MakePayment",
    ("POST", "/payments/{ref}/otp"): "VerifyPaymentOtp",
    ("GET", "/payments/{ref}"): "GetPayment",
    ("POST", "/payments/{ref}/refund"): "RefundPayment",
    ("GET", "/payments/{ref}/refund"): "GetRefund",
    ("GET", "/problems/{slug}"): "ExplainProblem",
    ("POST", "/doku/authorization/v1/access-token/b2b"): "IssueToken",
    ("POST", "/doku/v1.0/debit/notify"): "ReceivePaymentNotification",
    ("POST", "/doku/v1.0/registration-account-binding/notify"): "ReceiveBindingNotification",
}

# DOKU can not sign with IAM, and neither can a customer's browser: these prove themselves otherwise. A problem's page
# is the same for everybody.
PUBLIC = {
    ("GET", "/problems/{slug}"),
    ("GET", "/bindings/return/{state}/{outcome}"),
    ("POST", "/doku/authorization/v1/access-token/b2b"),
    ("POST", "/doku/v1.0/debit/notify"),
    ("POST", "/doku/v1.0/registration-account-binding/notify"),
}
