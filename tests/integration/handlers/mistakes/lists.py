"""What people ask lists for: days, states, pages, and parameters that other APIs have."""

from base64 import urlsafe_b64encode
from dataclasses import replace

from tests.integration.handlers.mistakes.mistake import Mistake, look

UNKNOWN = "unknown-field"
CUSTOMER = {"customerId": "CUST-1"}
DAY = {"day": "2026-03-02"}
RULE_OF_DAYS = "A day in Jakarta (UTC+7), as YYYY-MM-DD."
ORDER = "The year in four digits, then month and day in two each, with hyphens between them."
WORDS = "Write the date itself"
ONE = "One day alone: ask for each by itself."
NO_DAY = "There is no such day: the year comes first"
TIME = "A time came too: send the day alone"
WAYS = "Say which payments: customerId, day, dokuReference, unresolved=true or a state."
ONE_WAY = "name one of customerId, day, dokuReference and unresolved, not several"
FLAG = "Write true or false, in small letters."
LIMIT = "How many at most, 1 to 100"
NEXT = "`next` of the page before"
NEWEST = "leave it out; the newest come first"
EACH = "ask for each day by itself: ?day=2026-08-01"


def _list(did: str, says: str | tuple[str, ...], at: str, slug: str = "invalid-field", **query: str) -> Mistake:
    said = (says, "in the query") if isinstance(says, str) else (*says, "in the query")
    return look(f"payments {did}", said, "list_payments", {}, at=f"/{at}", slug=slug, query=query)


def _links(mistake: Mistake) -> Mistake:
    """The same, of links."""
    return replace(mistake, did=mistake.did.replace("payments", "links", 1), call="list_bindings")


def _day(did: str, value: str, says: str) -> Mistake:
    return _list(f"of {did}", (says, RULE_OF_DAYS), "day", day=value)


def _state(value: str, *says: str) -> Mistake:
    return _list(
        f"in the state {value!r}", (*says, "Only payments in this state: REQUESTED, "), "state", **DAY, state=value
    )


def _limit(value: str) -> Mistake:
    return _list(f"at most {value!r}", LIMIT, "limit", **CUSTOMER, limit=value)


def _page(did: str, after: str, says: str = NEXT) -> Mistake:
    return _list(f"behind {did}", says, "after", **CUSTOMER, after=after)


def _mark(at: str) -> str:
    return urlsafe_b64encode(f"{at}|5f1c09ab|INV1".encode()).decode().rstrip("=")


def _named(name: str, says: str, value: str = "2") -> Mistake:
    return _list(f"by {name}", says, name, UNKNOWN, **CUSTOMER, **{name: value})


DAYS = [
    _day("a day as Indonesians write it", "27/11/2026", ORDER),
    _day("a day as Americans write it", "11/27/2026", ORDER),
    _day("a day with dots", "27.11.2026", ORDER),
    _day("a day, day first", "27-11-2026", ORDER),
    _day("a day with slashes", "2026/11/27", ORDER),
    _day("a day without hyphens", "20260302", ORDER),
    _day("a day without zeros", "2026-3-2", ORDER),
    _day("a day of two digits of the year", "26-03-02", ORDER),
    _day("a moment", "2026-03-02T08:00:00Z", TIME),
    _day("a moment in Jakarta", "2026-03-02T08:00:00+07:00", TIME),
    _day("a moment with a blank", "2026-03-02 08:00:00", TIME),
    _day("a month", "2026-03", ONE),
    _day("a year", "2026", ONE),
    _day("several days", "2026-03-01..2026-03-02", ONE),
    _day("two days", "2026-03-01,2026-03-02", ONE),
    _day("a number of seconds", "1772438400", "A number of seconds came: send the date."),
    _day("a number of milliseconds", "1772438400000", "A number of seconds came: send the date."),
    _day("today", "today", WORDS),
    _day("yesterday in Indonesian", "kemarin", WORDS),
    _day("a day in words", "2 Maret 2026", WORDS),
    _day("a week", "2026-W10-1", WORDS),
    _day("30 February", "2026-02-30", NO_DAY),
    _day("month 13", "2026-13-01", NO_DAY),
    _day("day and month exchanged", "2026-27-11", NO_DAY),
    _day("a day in Arabic digits", "٢٠٢٦-٠٣-٠٢", WORDS),
    _day("an empty day", "", "It is empty. Send a value, or leave it out."),
    _day("a day with a blank behind", "2026-03-02 ", "begins or ends with a blank"),
    _day("a template's day", "{{day}}", "placeholder that was not filled in"),
    _list("of tomorrow", "This day has not begun: in Jakarta (UTC+7) it is 2026-03-02.", "day", day="2026-03-03"),
    _list("of next year", "This day has not begun", "day", day="2027-03-02"),
    _list("of the last day of all", "This day has not begun", "day", day="9999-12-31"),
]
WHICH = [
    _list("of nobody", WAYS, "customerId"),
    _list("of a page alone", WAYS, "customerId", limit="10"),
    _list("that are not unresolved", WAYS, "customerId", unresolved="false"),
    _list("of a customer and a day", ("customerId and day came", ONE_WAY), "day", **CUSTOMER, **DAY),
    _list(
        "of a customer that are unresolved",
        ("customerId and unresolved came", ONE_WAY, "look for the other in what is listed"),
        "unresolved",
        **CUSTOMER,
        unresolved="true",
    ),
    _list(
        "in three ways", "customerId and day and unresolved came", "unresolved", **CUSTOMER, **DAY, unresolved="true"
    ),
    _list(
        "of DOKU's reference and a customer",
        "send it alone, without customerId",
        "dokuReference",
        **CUSTOMER,
        dokuReference="X",
    ),
    _list(
        "of DOKU's reference in a state",
        "send it alone, without state",
        "dokuReference",
        state="PAID",
        dokuReference="X",
    ),
    _list("of an empty reference of DOKU's", "It is empty.", "dokuReference", dokuReference=""),
    _list(
        "of a reference of DOKU's that is too long", "It has 65 characters.", "dokuReference", dokuReference="x" * 65
    ),
    _list("of an empty customer", ("It is empty.", "Your id of the customer"), "customerId", customerId=""),
    _list("of undefined", "placeholder that was not filled in", "customerId", customerId="undefined"),
    _list("of an e-mail", 'Found: "@" at position 5.', "customerId", customerId="siti@rahma.example"),
    _list("of a pattern", 'Found: "*" at position 5.', "customerId", customerId="CUST*"),
    _list("of two customers", 'Found: "," at position 3.', "customerId", customerId="C1,C2"),
    _list("of two dots", "Dots alone can not stand in a path.", "customerId", customerId=".."),
    _list("unresolved=yes", FLAG, "unresolved", unresolved="yes"),
    _list("unresolved=1", FLAG, "unresolved", unresolved="1"),
    _list("unresolved=True", FLAG, "unresolved", unresolved="True"),
    _list("unresolved without a value", "It is empty.", "unresolved", unresolved=""),
    replace(
        _list("of two customers, one after the other", "came several times", "customerId", customerId="C2"),
        more={"query": {"customerId": ["C1", "C2"]}},
    ),
]
STATES = [
    _state("paid", "Write it in capital letters: PAID."),
    _state("Paid", "Write it in capital letters: PAID."),
    _state("otp_pending", "Write it in capital letters: OTP_PENDING."),
    _state("OTP-PENDING", "Did you mean OTP_PENDING?"),
    _state("PAYED", "Did you mean PAID?"),
    _state("UNKOWN", "Did you mean UNKNOWN?"),
    _state("REFUND", "Did you mean REFUNDED?"),
    _state("SUCCESS", "Did you mean PAID?"),
    _state("COMPLETED", "Did you mean PAID?"),
    _state("CANCELLED", "Did you mean FAILED?"),
    _state("PENDING", "Did you mean OTP_PENDING?"),
    _state("PAID,FAILED", "One alone: ask for each by itself."),
    _state("PAID|FAILED", "One alone: ask for each by itself."),
    _state("00", "NEEDS_REVIEW"),
    _state("ACTIVE", "NEEDS_REVIEW"),
    _state("", "It is empty."),
    _state("PAID ", "begins or ends with a blank"),
    replace(
        _list("in two states", "came several times with different values; send it once", "state", **DAY, state="PAID"),
        more={"query": {"state": ["PAID", "FAILED"]}},
    ),
]
PAGES = [
    *(_limit(value) for value in ("0", "-1", "101", "1000", "ten", "all", "20.0", "1e2", "٢٠", "")),
    _page("a date", "2026-08-01"),
    _page("a number", "2"),
    _page("a payment", "INV000000001"),
    _page("nothing", "", "It is empty."),
    _page("a mark cut off", "MjAyNi0wOC0wMVQwNzoxNTowMCswMDow"),
    _page("a mark of before the first year", _mark("0001-01-01T00:00:00+07:00")),
    _page("a mark of after the last year", _mark("9999-12-31T23:59:59-07:00")),
    _page("a whole page's address", "https://api.example/v1/payments?after=x"),
    # `next` of the payments of CUST-2.
    _page(
        "a page of another list",
        "MjAyNi0wOC0wMVQwNzoxNTowMCswMDowMHw1ZjFjMDlhYnxJTlYyMDI2MDgwMTA",
        "`next` of another list: send it with the parameters of that one, or begin without it",
    ),
]
OTHER_NAMES = [
    _named("page", "did you mean after?"),
    _named("offset", "did you mean after?"),
    _named("cursor", "did you mean after?"),
    _named("next", "did you mean after?"),
    _named("per_page", "did you mean limit?"),
    _named("pageSize", "did you mean limit?"),
    _named("Limit", "did you mean limit?"),
    _named("count", "did you mean limit?"),
    _named("status", "did you mean state?"),
    _named("date", "did you mean day?"),
    _named("created_at", "did you mean day?"),
    _named("Day", "did you mean day?"),
    _named("doku_reference", "did you mean dokuReference?"),
    _named("referenceNo", "did you mean dokuReference?"),
    _named("customer_id", "did you mean customerId?"),
    _named("pending", "did you mean unresolved?"),
    _named("from", EACH),
    _named("to", EACH),
    _named("startDate", EACH),
    _named("sort", NEWEST),
    _named("order_by", NEWEST),
    _named("phone", "phones are not kept; find by customerId"),
    _named("bindingId", "list those of its customer: ?customerId=..."),
    _named("partnerReferenceNo", "read it with GET /payments/{ref}"),
    _named("amount", "look for it in what is listed"),
    _named("fields", "known are: after, customerId, day, dokuReference, limit, state, unresolved"),
    _links(_named("sort", NEWEST)),
    _links(_named("from", EACH)),
    _links(_named("phone", "find by customerId")),
    _links(_named("bindingId", "read it with GET /bindings/{id}")),
    _links(_named("dokuReference", "links have none; find by customerId or day")),
    _links(_named("status", "did you mean state?")),
]
LINKS = [
    _links(_list("of nobody", "Say which links: customerId, day, unresolved=true or a state.", "customerId")),
    _links(_list("in two ways", "name one of customerId, day and unresolved, not several", "day", **CUSTOMER, **DAY)),
    _links(_day("a day as Indonesians write it", "27/11/2026", ORDER)),
    _links(_list("of tomorrow", "This day has not begun", "day", day="2026-03-03")),
    *(
        _links(
            _list(f"in the state {value!r}", (says, "Only links in this state: REQUESTED"), "state", **DAY, state=value)
        )
        for value, says in (
            ("active", "Write it in capital letters: ACTIVE."),
            ("LINKED", "Did you mean ACTIVE?"),
            ("PAID", "RELINK_REQUIRED"),
            ("RELINK", "RELINK_REQUIRED"),
        )
    ),
    _links(_limit("1000")),
    _links(_page("a payment", "INV000000001")),
    _links(
        _page(
            "a page of payments",
            "MjAyNi0wOC0wMVQwNzoxNTowMCswMDowMHw1ZjFjMDlhYnxJTlYyMDI2MDgwMTA",
            "`next` of another list",
        )
    ),
]
MISTAKES = [*DAYS, *WHICH, *STATES, *PAGES, *OTHER_NAMES, *LINKS]
