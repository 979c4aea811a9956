"""References and ids: characters, length, placeholders, ids of another kind."""

from tests.integration.handlers.mistakes.mistake import BINDING, NULL, Mistake, bind, give_back, look, pay

REFERENCE = "/partnerReferenceNo"
RULE = "1 to 64 letters, digits, dots, underscores or hyphens"
UNFILLED = "placeholder that was not filled in"
DOTS = "Dots alone can not stand in a path."
QUOTES = "A number came: send a string, in quotes."
LISTS_PAYMENTS = "GET /payments?customerId=... lists them"
LISTS_LINKS = "GET /bindings?customerId=... lists them"


def _refer(did: str, value: object, *says: str) -> Mistake:
    return pay(f"reference {did}", (*says, RULE), REFERENCE, partnerReferenceNo=value)


def _customer(did: str, value: object, *says: str) -> Mistake:
    return bind(f"customer {did}", (*says, RULE), "/customerId", customerId=value)


def _link(did: str, value: object, *says: str) -> Mistake:
    return pay(f"link {did}", (*says, "`POST /bindings`"), "/bindingId", bindingId=value)


def _ask(did: str, ref: str, *says: str) -> Mistake:
    return look(
        f"path with {did}", (*says, "in the path", RULE), "get_payment", {"ref": ref}, at=REFERENCE, place="path"
    )


def _ask_link(did: str, link: str, *says: str) -> Mistake:
    return look(f"path with {did}", (*says, "in the path"), "get_binding", {"id": link}, at="/bindingId", place="path")


MISTAKES = [
    _refer("as a number", 20261126, QUOTES),
    _refer("as an object", {"no": "INV1"}, "An object came"),
    _refer("true", True, "True or false came"),
    _refer("empty", "", "It is empty."),
    _refer("too long", "x" * 65, "It has 65 characters."),
    _refer("with slashes", "INV/2026/1", 'Found: "/" at position 4.'),
    _refer("with a blank", "INV 1", "Found: a blank at position 4."),
    _refer("with a blank in front", " INV1", "begins or ends with a blank"),
    _refer("with a line feed", "INV1\n", "control character U+000A at position 5"),
    _refer("with a hash", "INV#1", 'Found: "#" at position 4.'),
    _refer("with a colon", "INV:1", 'Found: ":" at position 4.'),
    _refer("with a long dash", "INV–1", 'Found: "–" (U+2013) at position 4.'),
    _refer("with an accent", "ÍNV1", 'Found: "Í" (U+00CD) at position 1.'),
    _refer("with a plus", "INV+1", 'Found: "+" at position 4.'),
    _refer("with quotes", '"INV1"', "Found: a double quote at position 1."),
    _refer("that is a dot", ".", DOTS),
    _refer("that is two dots", "..", DOTS),
    _refer("undefined", "undefined", UNFILLED),
    _refer("that says null", "null", UNFILLED),
    _refer("of Python's None", "None", UNFILLED),
    _refer("NaN", "NaN", UNFILLED),
    _refer("of a template", "{orderId}", UNFILLED),
    _refer("of a shell", "$ORDER_ID", UNFILLED),
    _refer("of Postman", "{{orderId}}", UNFILLED),
    _refer("of a document", "<your-reference>", UNFILLED),
    _refer("of JavaScript", "[object Object]", UNFILLED),
    _customer("as a number", 1001, QUOTES),
    _customer("as an e-mail", "siti@rahma.example", 'Found: "@" at position 5.', "no personal data"),
    _customer("as a name", "Siti Rahma", "Found: a blank at position 5.", "no personal data"),
    _customer("with a slash", "CUST/1", 'Found: "/" at position 5.'),
    _customer("empty", "", "It is empty."),
    _customer("null", NULL, "null came: send a value."),
    _customer("too long", "x" * 65, "It has 65 characters."),
    _customer("that is a dot", ".", DOTS),
    _customer("that is two dots", "..", DOTS),
    _customer("undefined", "undefined", UNFILLED),
    _link("empty", "", "It is empty."),
    _link("null", NULL, "null came: send a value."),
    _link("as a number", 123, QUOTES),
    _link("with its path", f"/bindings/{BINDING}", "Send the id alone"),
    _link("as an address", f"https://pay.example/v1/bindings/{BINDING}", "Send the id alone"),
    _link("with a blank", f" {BINDING}", "begins or ends with a blank"),
    _link("with a line feed", f"{BINDING}\n", "control character U+000A"),
    _link("of a template", "{bindingId}", UNFILLED),
    _link("undefined", "undefined", UNFILLED),
    _link("as an e-mail", "siti@rahma.example", 'Found: "@" at position 5.'),
    _ask("a blank", "INV 1", "Found: a blank at position 4."),
    _ask("an escape that was escaped", "INV%201", 'Found: "%" at position 4.'),
    _ask("the route's own name", "{ref}", UNFILLED),
    _ask("a framework's name", ":ref", UNFILLED),
    _ask("undefined", "undefined", UNFILLED),
    _ask("null", "null", UNFILLED),
    _ask("two dots", "..", DOTS),
    _ask("two references", "INV1,INV2", 'Found: "," at position 5.'),
    _ask("a reference that is too long", "x" * 65, "It has 65 characters."),
    _ask_link("the link's own name", "{id}", UNFILLED),
    _ask_link("undefined as a link", "undefined", UNFILLED),
    _ask_link("a customer's name", "CUST.1", 'Found: "." at position 5.'),
    give_back("refund number as a number", (QUOTES, RULE), {"partnerRefundNo": 1}, at="/partnerRefundNo"),
    give_back("refund number empty", "It is empty.", {"partnerRefundNo": ""}, at="/partnerRefundNo"),
    give_back(
        "refund number with a slash", 'Found: "/" at position 2.', {"partnerRefundNo": "R/1"}, at="/partnerRefundNo"
    ),
    give_back("refund number of dots", DOTS, {"partnerRefundNo": ".."}, at="/partnerRefundNo"),
    give_back("refund number undefined", UNFILLED, {"partnerRefundNo": "undefined"}, at="/partnerRefundNo"),
    # ids that are well written and name nothing of this kind
    pay("link of another environment", ("send the bindingId", LISTS_LINKS), slug="not-found"),
    pay("link that is the customer", ("send the bindingId", LISTS_LINKS), slug="not-found", bindingId="CUST-1"),
    pay("link that is the phone", "send the bindingId", slug="not-found", bindingId="6281100000077"),
    pay("link that is the reference", "send the bindingId", slug="not-found", bindingId="INV000000001"),
    pay("link in capitals", "send the bindingId", slug="not-found", bindingId=BINDING.upper()),
    look(
        "payment that is not there",
        ("no such payment", LISTS_PAYMENTS),
        "get_payment",
        {"ref": "INV9"},
        slug="not-found",
    ),
    look(
        "payment in small letters",
        "capital and small letters as they were",
        "get_payment",
        {"ref": "inv000000001"},
        slug="not-found",
    ),
    look("payment by its link", LISTS_PAYMENTS, "get_payment", {"ref": BINDING}, slug="not-found"),
    look("refund of nothing", LISTS_PAYMENTS, "get_refund", {"ref": "RFD1"}, slug="not-found"),
    look("link that is not there", ("no such binding", LISTS_LINKS), "get_binding", {"id": BINDING}, slug="not-found"),
    look("link by the customer", LISTS_LINKS, "get_binding", {"id": "CUST-1"}, slug="not-found"),
    look("link by 'me'", LISTS_LINKS, "get_binding", {"id": "me"}, slug="not-found"),
    look("balance by the customer", LISTS_LINKS, "get_balance", {"id": "CUST-1"}, slug="not-found"),
    Mistake(
        did="unlinking by the customer",
        call="unbind_account",
        slug="not-found",
        says=(LISTS_LINKS,),
        path={"id": "CUST-1"},
    ),
    Mistake(
        did="a payment's code at a link",
        call="confirm_unbinding",
        slug="not-found",
        says=(LISTS_LINKS,),
        path={"id": "INV000000001"},
        body={"otp": "493827"},
    ),
    Mistake(
        did="a link's code at a payment",
        call="verify_payment_otp",
        slug="not-found",
        says=(LISTS_PAYMENTS,),
        path={"ref": BINDING},
        body={"otp": "493827"},
    ),
]
