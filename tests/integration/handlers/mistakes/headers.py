"""Headers: keys that are not heard, not filled in, or come twice."""

from collections.abc import Mapping

from tests.integration.handlers.house import binding_body, payment_body
from tests.integration.handlers.mistakes.mistake import BINDING, ID, REF, Mistake

KEY = "/idempotencyKey"
RENAME = "this header is called Idempotency-Key; rename it"
REMOVE = "it is not taken here; remove it"
UNKNOWN = "unknown-field"


def _key(did: str, key: str, *says: str) -> Mistake:
    return Mistake(
        did=f"key {did}",
        call="make_payment",
        slug="invalid-field",
        says=(*says, "(header)"),
        at=KEY,
        place="header",
        body=payment_body(BINDING),
        headers={"Idempotency-Key": key},
    )


def _named(name: str) -> Mistake:
    return Mistake(
        did=f"key as {name}",
        call="make_payment",
        slug=UNKNOWN,
        says=(RENAME,),
        at=f"/{name.lower()}",
        place="header",
        body=payment_body(BINDING),
        headers={name: "basket-7"},
    )


def _unneeded(call: str, why: str, body: object = None, path: Mapping[str, str] | None = None) -> Mistake:
    return Mistake(
        did=f"key for {call}",
        call=call,
        slug=UNKNOWN,
        says=(REMOVE, "safe without a key", why),
        at="/Idempotency-Key",
        place="header",
        body=body,
        path=path,
        headers={"Idempotency-Key": "basket-7"},
    )


MISTAKES = [
    _key("empty", "", "It is empty."),
    _key("with a blank", "basket 7", "Found: a blank at position 7."),
    _key("with an accent", "café", 'Found: "é" (U+00E9) at position 4.'),
    _key("too long", "k" * 256, "It has 256 characters."),
    _key("undefined", "undefined", "placeholder that was not filled in"),
    _key("null", "null", "placeholder that was not filled in"),
    _key("of Postman", "{{$guid}}", "placeholder that was not filled in"),
    _named("X-Idempotency-Key"),
    _named("Idempotency_Key"),
    _named("IdempotencyKey"),
    _unneeded("bind_account", "a customer has one link", binding_body()),
    _unneeded("unbind_account", "the path names the link", path=ID),
    _unneeded("confirm_unbinding", "the path names the link", {"otp": "493827"}, ID),
    _unneeded("verify_payment_otp", "the path names the payment", {"otp": "493827"}, REF),
    _unneeded("refund_payment", "partnerRefundNo is its key", {}, REF),
    Mistake(
        did="two keys",
        call="make_payment",
        slug="invalid-field",
        says=("came several times with different values; send it once",),
        at="/Idempotency-Key",
        place="header",
        body=payment_body(BINDING),
        headers={"Idempotency-Key": "b"},
        more={"headers": {"Idempotency-Key": ["a", "b"]}},
    ),
]
