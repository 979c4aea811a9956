"""Parameters of the query (those of lists are in `lists`), and the browser's return."""

from dataclasses import replace

from tests.integration.handlers.house import payment_body
from tests.integration.handlers.mistakes.mistake import BINDING, REF, Mistake, look

FLAG = "Write true or false, in small letters."
UNKNOWN = "unknown-field"


def _refresh(value: str) -> Mistake:
    return look(
        f"?refresh={value}",
        (FLAG if value else "It is empty.", "in the query"),
        "get_payment",
        REF,
        at="/refresh",
        query={"refresh": value},
    )


def _return(did: str, state: str, outcome: str, at: str | None, *says: str) -> Mistake:
    mistake = look(
        f"return {did}", says, "return_from_binding", {"state": state, "outcome": outcome}, at=at, place="path"
    )
    return mistake if at else replace(mistake, slug="not-found")


MISTAKES = [
    _refresh("1"),
    _refresh("True"),
    _refresh("TRUE"),
    _refresh("yes"),
    _refresh("on"),
    _refresh(""),
    Mistake(
        did="the link in the query",
        call="make_payment",
        slug=UNKNOWN,
        says=("it belongs into the body, which is JSON",),
        at="/bindingId",
        place="query",
        body=payment_body(BINDING),
        query={"bindingId": BINDING},
    ),
    replace(
        look("?refresh twice", "came several times with different values", "get_payment", REF, at="/refresh"),
        query={"refresh": "false"},
        more={"query": {"refresh": ["true", "false"]}},
    ),
    _return("with a short state", "short", "success", "/state", "It has 5 characters."),
    _return("with the route's name", "{state}", "success", "/state", "placeholder that was not filled in"),
    _return("with another outcome", "0" * 32, "maybe", "/outcome", "Write success or failed"),
    _return("in capitals", "0" * 32, "SUCCESS", "/outcome", "in small letters"),
    _return("of another link", "0" * 32, "success", None, "start linking again in the shop"),
]
