"""Parameters of the query, and the browser's return."""

from dataclasses import replace

from tests.integration.handlers.house import payment_body
from tests.integration.handlers.mistakes.mistake import BINDING, CUSTOMER, REF, Mistake, look

FLAG = "Write true or false, in small letters."
LIMIT = "How many at most, 1 to 100"
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


def _limit(value: str) -> Mistake:
    return look(
        f"?limit={value}", (LIMIT, "in the query"), "list_payments", CUSTOMER, at="/limit", query={"limit": value}
    )


def _page(name: str, says: str) -> Mistake:
    return look(f"?{name}=2", says, "list_payments", CUSTOMER, at=f"/{name}", slug=UNKNOWN, query={name: "2"})


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
    _limit("0"),
    _limit("101"),
    _limit("-1"),
    _limit("all"),
    _limit("20.0"),
    _limit("1e2"),
    _limit("٢٠"),
    _limit(""),
    _page("page", "did you mean after?"),
    _page("offset", "did you mean after?"),
    _page("cursor", "did you mean after?"),
    _page("next", "did you mean after?"),
    _page("per_page", "did you mean limit?"),
    _page("pageSize", "did you mean limit?"),
    _page("Limit", "did you mean limit?"),
    _page("state", "known are: after, limit"),
    _page("from", "known are: after, limit"),
    look(
        "?after of a date",
        "`next` of the page before",
        "list_payments",
        CUSTOMER,
        at="/after",
        query={"after": "2026-08-01"},
    ),
    look("?after empty", "`next` of the page before", "list_payments", CUSTOMER, at="/after", query={"after": ""}),
    look(
        "?limit of links",
        "this operation takes none",
        "list_bindings",
        CUSTOMER,
        at="/limit",
        slug=UNKNOWN,
        query={"limit": "2"},
    ),
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
