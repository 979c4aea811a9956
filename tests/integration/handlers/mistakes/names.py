"""Fields under other names: misspelt, in another case, as other payment APIs call them, at another place."""

from tests.integration.handlers.mistakes.mistake import (
    BINDING,
    ID,
    REF,
    Mistake,
    bind,
    give_back,
    idr,
    look,
    pay,
    send,
)

MISSING = "missing-field"
UNKNOWN = "unknown-field"
PAYS = "the link says who pays"
SNAP = "this service speaks SNAP with DOKU by itself"
FULL = "a refund is always of the full amount"


def _renamed(name: str, own: str, value: object, rule: str = "is missing") -> Mistake:
    says = (f"{name} came: rename it to {own}.", f"{own} {rule}")
    return pay(f"{name} for {own}", says, f"/{own}", MISSING, **{own: None, name: value})


def _renamed_link(name: str, own: str, value: object) -> Mistake:
    says = (f"{name} came: rename it to {own}.", f"{own} is missing")
    return bind(f"{name} for {own}", says, f"/{own}", MISSING, **{own: None, name: value})


def _added(name: str, says: str, value: object = "x") -> Mistake:
    return pay(
        f"{name} in a payment",
        (f"{name}: the field is not known", says, "known are"),
        f"/{name}",
        UNKNOWN,
        **{name: value},
    )


def _added_link(name: str, says: str, value: object = "x") -> Mistake:
    return bind(f"{name} in a link", (f"{name}: the field is not known", says), f"/{name}", UNKNOWN, **{name: value})


MISTAKES = [
    _renamed("ammount", "amount", idr("1.00")),
    _renamed("Amount", "amount", idr("1.00")),
    _renamed("bindingid", "bindingId", BINDING),
    _renamed("binding_id", "bindingId", BINDING),
    _renamed("binding-id", "bindingId", BINDING),
    _renamed("BindingId", "bindingId", BINDING),
    _renamed("binding", "bindingId", BINDING),
    _renamed("remark", "remarks", "Order 1"),
    _renamed("description", "remarks", "Order 1"),
    _renamed("note", "remarks", "Order 1"),
    _renamed("partner_reference_no", "partnerReferenceNo", "INV1"),
    _renamed("partnerReferenceNumber", "partnerReferenceNo", "INV1"),
    _renamed("partnerReferenceno", "partnerReferenceNo", "INV1"),
    _renamed("reference", "partnerReferenceNo", "INV1"),
    _renamed("referenceId", "partnerReferenceNo", "INV1"),
    _renamed("orderId", "partnerReferenceNo", "INV1"),
    _renamed("order_id", "partnerReferenceNo", "INV1"),
    _renamed("externalId", "partnerReferenceNo", "INV1"),
    _renamed("invoice_number", "partnerReferenceNo", "INV1"),
    _renamed_link("customer_id", "customerId", "C1"),
    _renamed_link("userId", "customerId", "C1"),
    _renamed_link("custIdMerchant", "customerId", "C1"),
    _renamed_link("phoneNumber", "phone", "62811000000"),
    _renamed_link("phoneNo", "phone", "62811000000"),
    _renamed_link("Phone", "phone", "62811000000"),
    _renamed_link("msisdn", "phone", "62811000000"),
    _renamed_link("mobile_number", "phone", "62811000000"),
    pay(
        "an empty object",
        ("bindingId is missing", "3 more: see errors"),
        "/bindingId",
        MISSING,
        bindingId=None,
        partnerReferenceNo=None,
        amount=None,
        remarks=None,
    ),
    pay(
        "neither reference nor key",
        ("partnerReferenceNo is missing", "Idempotency-Key", "pay twice"),
        "/partnerReferenceNo",
        MISSING,
        partnerReferenceNo=None,
    ),
    _added("success_url", "did you mean successUrl?"),
    _added("returnUrl", "did you mean successUrl?"),
    _added("redirectUrl", "did you mean successUrl?"),
    _added("failUrl", "did you mean failedUrl?"),
    _added("cancelUrl", "did you mean failedUrl?"),
    _added("meta", "did you mean metadata?", {}),
    _added("ip", "did you mean ipAddress?"),
    _added("device_id", "did you mean deviceId?"),
    _added("currency", "it belongs into amount", "IDR"),
    _added("value", "it belongs into amount", "1.00"),
    _added("phone", PAYS),
    _added("otp", "POST /payments/{ref}/otp"),
    _added("callbackUrl", "told by events"),
    _added("notificationUrl", "told by events"),
    _added("chargeToken", SNAP),
    _added("bankCardToken", SNAP),
    _added("additionalInfo", SNAP, {}),
    _added("idempotencyKey", "send it as the header Idempotency-Key"),
    _added("idempotency_key", "send it as the header Idempotency-Key"),
    _added("taskToken", "only plain commands take it"),
    _added("items", "remove it or correct its name", []),
    _added("__proto__", "remove it or correct its name", {}),
    _added("$schema", "remove it or correct its name"),
    _added("amount.value", "remove it or correct its name"),
    _added("", "remove it or correct its name"),
    _added_link("name", "did you mean customerName?"),
    _added_link("full_name", "did you mean customerName?"),
    _added_link("dob", "did you mean dateOfBirth?"),
    _added_link("nik", "did you mean idCard?"),
    _added_link("mail", "did you mean email?"),
    _added_link("successURL", "did you mean successUrl?"),
    _added_link("bindingId", "the answer gives it"),
    _added_link("amount", "linking takes no money", idr("1.00")),
    _added_link("otp", "types the code on the bank's page"),
    _added_link("pin", "never ask for it"),
    _added_link("taskToken", "only plain commands take it"),
    send("code for otp", ("code came: rename it to otp", "4 to 8 digits"), {"code": "493827"}, at="/otp", slug=MISSING),
    send("OTP for otp", "OTP came: rename it to otp", {"OTP": "493827"}, at="/otp", slug=MISSING),
    send("verification_code for otp", "rename it to otp", {"verification_code": "493827"}, at="/otp", slug=MISSING),
    send(
        "the reference beside the code",
        ("leave it out of the body", "/payments/{ref}/otp"),
        {"otp": "493827", "partnerReferenceNo": "X"},
        at="/partnerReferenceNo",
        slug=UNKNOWN,
    ),
    give_back("amount in a refund", FULL, {"amount": idr("1.00")}, at="/amount", slug=UNKNOWN),
    give_back("refundAmount in a refund", FULL, {"refundAmount": "1.00"}, at="/refundAmount", slug=UNKNOWN),
    give_back(
        "refundNo for partnerRefundNo",
        "did you mean partnerRefundNo?",
        {"refundNo": "R1"},
        at="/refundNo",
        slug=UNKNOWN,
    ),
    give_back("notes for reason", "did you mean reason?", {"notes": "x"}, at="/notes", slug=UNKNOWN),
    give_back(
        "the reference in the body",
        "the path has it",
        {"partnerReferenceNo": "X"},
        at="/partnerReferenceNo",
        slug=UNKNOWN,
    ),
    give_back(
        "SNAP's reference in the body",
        "the path names the payment",
        {"originalPartnerReferenceNo": "X"},
        at="/originalPartnerReferenceNo",
        slug=UNKNOWN,
    ),
    give_back("a code in a refund", "needs no code", {"otp": "493827"}, at="/otp", slug=UNKNOWN),
    Mistake(
        did="a code in DELETE",
        call="unbind_account",
        slug=UNKNOWN,
        says=("POST /bindings/{id}/otp afterwards",),
        at="/otp",
        body={"otp": "493827"},
        path=ID,
    ),
    Mistake(
        did="the id in DELETE's body",
        call="unbind_account",
        slug=UNKNOWN,
        says=("the path has it",),
        at="/bindingId",
        body={"bindingId": BINDING},
        path=ID,
    ),
    Mistake(
        did="a reason in DELETE",
        call="unbind_account",
        slug=UNKNOWN,
        says=("takes no reason",),
        at="/reason",
        body={"reason": "x"},
        path=ID,
    ),
    look(
        "?expand=refund",
        ("not known", "known are: refresh"),
        "get_payment",
        REF,
        at="/expand",
        slug=UNKNOWN,
        query={"expand": "refund"},
    ),
    look(
        "?Refresh=true",
        "did you mean refresh?",
        "get_payment",
        REF,
        at="/Refresh",
        slug=UNKNOWN,
        query={"Refresh": "true"},
    ),
    look("?_=1690000000 of jQuery", "remove it", "get_payment", REF, at="/_", slug=UNKNOWN, query={"_": "1690000000"}),
    look(
        "?refresh of a link",
        "known are: customerId",
        "get_binding",
        ID,
        at="/refresh",
        slug=UNKNOWN,
        query={"refresh": "true"},
    ),
]
