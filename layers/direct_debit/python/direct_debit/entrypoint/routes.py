"""The routes of the merchant's API in one table: what the doors read, what the OpenAPI document is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from direct_debit.entrypoint import requests, responses


class BodyRule(StrEnum):
    """Whether an operation reads a body."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route[C: requests.Command]:
    """One operation. Maps say which field of the request comes from where; the rest is the body's."""

    name: str  # the folder in functions/
    method: str
    path: str
    summary: str
    request: type[C]
    response: type[responses.View] | None
    answers: Mapping[int, str]
    problems: tuple[str, ...] = ()
    body: BodyRule = BodyRule.NONE
    from_path: Mapping[str, str] = field(default_factory=dict)  # path parameter -> wire field
    from_query: frozenset[str] = frozenset()
    from_headers: Mapping[str, str] = field(default_factory=dict)  # header, lower case -> wire field
    command_only: frozenset[str] = frozenset()  # fields that only plain commands have
    repeats: str | None = None  # why a repeat is safe, where something is changed and no Idempotency-Key is taken
    public: bool = False  # reached without IAM
    ignores_query: bool = False

    @property
    def body_fields(self) -> frozenset[str]:
        """Wire names of the fields that a body may have."""
        if self.body is BodyRule.NONE:
            return frozenset()
        elsewhere = {*self.from_path.values(), *self.from_query, *self.from_headers.values(), *self.command_only}
        names = {info.alias or name for name, info in self.request.model_fields.items()}
        return frozenset(names - elsewhere)


_BINDING = {"id": "bindingId"}
_PAYMENT = {"ref": "partnerReferenceNo"}
_TASK_TOKEN = frozenset({"taskToken"})
_LOOKS = ("store-unavailable", "record-unreadable")
_READS = ("not-configured", *_LOOKS)
_SENDS = ("not-done", *_READS)

BIND_ACCOUNT = Route(
    name="bind_account",
    method="POST",
    path="/bindings",
    summary="Link a customer's CIMB account",
    request=requests.BindAccountRequest,
    response=responses.BindingView,
    answers={
        201: "PENDING: send the customer's browser to `redirectUrl`. FAILED: DOKU refused, `responseCode` says why.",
        202: "DOKU's answer is not known; the same request again goes on.",
        200: "A repeat: the link as it is now (header `Idempotency-Replayed`).",
    },
    problems=("conflict", *_SENDS),
    body=BodyRule.REQUIRED,
    command_only=_TASK_TOKEN,
    repeats="a customer has one link, and the same request returns it",
)
GET_BINDING = Route(
    name="get_binding",
    method="GET",
    path="/bindings/{id}",
    summary="Read a link",
    request=requests.BindingRequest,
    response=responses.BindingView,
    answers={200: "The link as it is now."},
    problems=("not-found", *_READS),
    from_path=_BINDING,
)
LIST_BINDINGS = Route(
    name="list_bindings",
    method="GET",
    path="/customers/{customerId}/bindings",
    summary="List a customer's links",
    request=requests.CustomerRequest,
    response=responses.BindingList,
    answers={200: "All links of the customer, newest first; an unknown customer has none."},
    problems=_READS,
    from_path={"customerId": "customerId"},
)
RETURN_FROM_BINDING = Route(
    name="return_from_binding",
    method="GET",
    path="/bindings/return/{state}/{outcome}",
    summary="Receive the customer's browser after linking",
    request=requests.ReturnRequest,
    response=None,
    answers={302: "Goes on to the merchant's success or failed page; the link was proved with DOKU, not believed."},
    problems=("not-found", *_SENDS),
    from_path={"state": "state", "outcome": "outcome"},
    public=True,
    ignores_query=True,  # contract 3.4: accept and ignore unknown parameters
)
GET_BALANCE = Route(
    name="get_balance",
    method="GET",
    path="/bindings/{id}/balance",
    summary="Read the account's balance",
    request=requests.BindingRequest,
    response=responses.BalanceView,
    answers={200: "The balances."},
    problems=("not-found", "conflict", "rejected", "customer-action-required", "relink-required", *_SENDS),
    from_path=_BINDING,
)
UNBIND_ACCOUNT = Route(
    name="unbind_account",
    method="DELETE",
    path="/bindings/{id}",
    summary="Unlink an account",
    request=requests.BindingRequest,
    response=responses.BindingView,
    answers={
        200: "Unlinked.",
        202: "The bank sent an OTP: confirm with `POST /bindings/{id}/otp`. Or DOKU's answer is not known.",
    },
    problems=("not-found", "conflict", "rejected", "customer-action-required", *_SENDS),
    from_path=_BINDING,
    repeats="the path names the link, and an unlinking that is under way or done is returned",
)
CONFIRM_UNBINDING = Route(
    name="confirm_unbinding",
    method="POST",
    path="/bindings/{id}/otp",
    summary="Confirm the unlinking with the OTP",
    request=requests.ConfirmUnbindingRequest,
    response=responses.BindingView,
    answers={200: "Unlinked.", 202: "DOKU's answer is not known; it will be found out."},
    problems=(
        "not-found",
        "conflict",
        "otp-wrong",
        "otp-expired",
        "otp-blocked",
        "otp-not-awaited",
        "rejected",
        *_SENDS,
    ),
    body=BodyRule.REQUIRED,
    from_path=_BINDING,
    repeats="the path names the link, and an unlinking that is done is not confirmed again",
)
MAKE_PAYMENT = Route(
    name="make_payment",
    method="POST",
    path="/payments",
    summary="Charge a linked account",
    request=requests.MakePaymentRequest,
    response=responses.PaymentView,
    answers={
        201: "The payment, whatever its state: usually OTP_PENDING; a declined one is FAILED with `failure`.",
        202: "The outcome is not known or the request is in flight; it is resolved without you. Do not pay again.",
        200: "A repeat: the payment as it is now (header `Idempotency-Replayed`); nothing was sent.",
    },
    problems=("not-found", "conflict", "circuit-open", *_SENDS),
    body=BodyRule.REQUIRED,
    from_headers={"idempotency-key": "idempotencyKey"},
    command_only=_TASK_TOKEN,
)
VERIFY_PAYMENT_OTP = Route(
    name="verify_payment_otp",
    method="POST",
    path="/payments/{ref}/otp",
    summary="Verify the customer's OTP",
    request=requests.VerifyPaymentOtpRequest,
    response=responses.PaymentView,
    answers={
        200: "The code was accepted: usually PROCESSING, then PAID by notification.",
        202: "The outcome is not known; it is resolved without you.",
    },
    problems=(
        "not-found",
        "conflict",
        "otp-wrong",
        "otp-expired",
        "otp-blocked",
        "rejected",
        "customer-action-required",
        "relink-required",
        *_SENDS,
    ),
    body=BodyRule.REQUIRED,
    from_path=_PAYMENT,
    repeats="the path names the payment, and a code that was accepted is not sent again",
)
GET_PAYMENT = Route(
    name="get_payment",
    method="GET",
    path="/payments/{ref}",
    summary="Read a payment with its history",
    request=requests.GetPaymentRequest,
    response=responses.PaymentView,
    answers={200: "The payment as it is now."},
    problems=("not-found", *_READS),
    from_path=_PAYMENT,
    from_query=frozenset({"refresh"}),
)
REFUND_PAYMENT = Route(
    name="refund_payment",
    method="POST",
    path="/payments/{ref}/refund",
    summary="Refund a payment in full",
    request=requests.RefundPaymentRequest,
    response=responses.RefundOfPaymentView,
    answers={
        202: "Accepted; it is sent and repeated without you until it is done.",
        200: "A repeat of a refund that is settled (header `Idempotency-Replayed`).",
    },
    problems=("not-found", "conflict", *_READS),
    body=BodyRule.OPTIONAL,
    from_path=_PAYMENT,
    repeats="a payment has one refund, and partnerRefundNo is its key",
)
GET_REFUND = Route(
    name="get_refund",
    method="GET",
    path="/payments/{ref}/refund",
    summary="Read the refund of a payment",
    request=requests.PaymentRequest,
    response=responses.RefundOfPaymentView,
    answers={200: "The refund as it is now."},
    problems=("not-found", *_LOOKS),
    from_path=_PAYMENT,
)

ROUTES: tuple[Route[requests.Command], ...] = (
    BIND_ACCOUNT,
    GET_BINDING,
    LIST_BINDINGS,
    RETURN_FROM_BINDING,
    GET_BALANCE,
    UNBIND_ACCOUNT,
    CONFIRM_UNBINDING,
    MAKE_PAYMENT,
    VERIFY_PAYMENT_OTP,
    GET_PAYMENT,
    REFUND_PAYMENT,
    GET_REFUND,
)
