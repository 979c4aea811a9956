"""The customer's code, as forms and programs send it. It is not repeated in the answer."""

from dataclasses import replace

from tests.integration.handlers.mistakes.mistake import ID, Mistake, send

RULE = "4 to 8 digits"
DIGITS = "Digits 0 to 9 only, without blanks and hyphens."


def _code(did: str, value: object, *says: str) -> Mistake:
    unsaid = (value,) if isinstance(value, str) and len(value) > 3 else ()
    return replace(send(f"code {did}", (*says, RULE), {"otp": value}, at="/otp"), unsaid=unsaid)


PAYMENT_CODES = [
    _code("as a number", 493827, "A number came", "in quotes", "keeps its leading zeros"),
    _code("with a blank", "493 827", DIGITS),
    _code("with a hyphen", "493-827", DIGITS),
    _code("with a letter", "49382O", DIGITS),
    _code("in full-width digits", "４９３８２７", DIGITS),
    _code("masked", "******", DIGITS),
    _code("with a blank behind", "493827 ", "begins or ends with a blank"),
    _code("with a line feed", "493827\n", "control character U+000A at position 7"),
    _code("empty", "", "It is empty."),
    _code("null", None, "null came: send a value."),
    _code("too short", "493", "It has 3 characters."),
    _code("too long", "493827493", "It has 9 characters."),
    _code("in an array", ["4", "9"], "An array came"),
    _code("as an object", {"code": "493827"}, "An object came"),
    _code("undefined", "undefined", "placeholder that was not filled in"),
    send("no code", ("otp is missing", RULE), {}, at="/otp", slug="missing-field"),
    send("the code alone", ("no object", "a string came"), "493827", slug="malformed-request"),
    send("the code in an array", ("no object", "an array came"), ["493827"], slug="malformed-request"),
]
MISTAKES = [
    *PAYMENT_CODES,
    *(replace(one, did=f"{one.did}, unlinking", call="confirm_unbinding", path=ID) for one in PAYMENT_CODES),
]
