"""What a newcomer does wrong, and what the answer has to say: a row of the tables in this folder."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.integration.handlers.house import House, Response, binding_body, payment_body

BINDING = "6f1d2c3b4a5968778695a4b3c2d1e0f0"
REF: Mapping[str, str] = {"ref": "INV000000001"}
ID: Mapping[str, str] = {"id": BINDING}

STATUS: Mapping[str, int] = {
    "malformed-request": 400,
    "missing-field": 400,
    "body-too-large": 413,
    "invalid-field": 422,
    "unknown-field": 422,
    "not-found": 404,
    "conflict": 409,
}
ONE_READING = 460
"""Characters of a `detail` at most: more is not read by who is in a hurry."""


class _Null:
    """A JSON null, where None leaves a field out."""


NULL = _Null()


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A request as the newcomer `did` it, the problem it meets, `at` which pointer, and the words of the remedy."""

    did: str
    call: str
    slug: str
    says: tuple[str, ...]
    at: str | None = None
    place: str | None = None
    body: object = None
    raw: str | None = None
    is_base64: bool = False
    path: Mapping[str, str] | None = None
    query: Mapping[str, str] | None = None
    headers: Mapping[str, str] | None = None
    unsaid: tuple[str, ...] = ()
    more: Mapping[str, Mapping[str, list[str]]] = field(default_factory=dict)

    def meet(self, house: House) -> Response:
        """Make the mistake."""
        return house.call(
            self.call,
            self.body,
            raw=self.raw,
            is_base64=self.is_base64,
            path=self.path,
            query=self.query,
            headers=self.headers,
            repeated_headers=self.more.get("headers"),
            repeated_query=self.more.get("query"),
        )


def with_nulls(body: Mapping[str, object]) -> dict[str, object]:
    """Return a body in which NULL is null."""
    return {name: None if value is NULL else value for name, value in body.items()}


def idr(value: object, currency: object = "IDR") -> dict[str, object]:
    """An amount."""
    return with_nulls({"value": value, "currency": currency})


def pay(
    did: str, says: str | tuple[str, ...], at: str | None = None, slug: str = "invalid-field", **change: object
) -> Mistake:
    """A payment with other fields; None leaves one out."""
    body = _change(payment_body(BINDING), change)
    return Mistake(did=did, call="make_payment", slug=slug, says=_words(says), at=at, body=body)


def bind(
    did: str, says: str | tuple[str, ...], at: str | None = None, slug: str = "invalid-field", **change: object
) -> Mistake:
    """A link with other fields; None leaves one out. What it says of the customer is not repeated."""
    body = _change(binding_body(), change)
    said = tuple(
        value
        for name, value in change.items()
        if name in ("phone", "customerName", "email", "idCard", "dateOfBirth", "address") and isinstance(value, str)
    )
    unsaid = tuple(value for value in said if len(value) > 3)
    return Mistake(did=did, call="bind_account", slug=slug, says=_words(says), at=at, body=body, unsaid=unsaid)


def send(
    did: str, says: str | tuple[str, ...], body: object, *, at: str | None = None, slug: str = "invalid-field"
) -> Mistake:
    """A code for a payment."""
    return Mistake(did=did, call="verify_payment_otp", slug=slug, says=_words(says), at=at, body=body, path=REF)


def give_back(
    did: str, says: str | tuple[str, ...], body: object, *, at: str | None = None, slug: str = "invalid-field"
) -> Mistake:
    """A refund of a payment."""
    return Mistake(did=did, call="refund_payment", slug=slug, says=_words(says), at=at, body=body, path=REF)


def look(
    did: str,
    says: str | tuple[str, ...],
    call: str,
    path: Mapping[str, str],
    *,
    at: str | None = None,
    slug: str = "invalid-field",
    place: str = "query",
    query: Mapping[str, str] | None = None,
) -> Mistake:
    """A question by path and query."""
    return Mistake(
        did=did, call=call, slug=slug, says=_words(says), at=at, path=path, query=query, place=place if at else None
    )


def write(did: str, says: str | tuple[str, ...], raw: str, slug: str = "malformed-request") -> Mistake:
    """A payment's body as text."""
    return Mistake(did=did, call="make_payment", slug=slug, says=_words(says), raw=raw)


def check(mistake: Mistake, house: House) -> None:
    """Make a mistake, and read the answer as a newcomer: what, where, what to do, in one reading."""
    response = mistake.meet(house)
    problem = response.json
    met = (response.status, str(problem["type"]).rsplit("/", 1)[-1])
    assert met == (STATUS[mistake.slug], mistake.slug), response.text
    first = problem.get("errors", [{}])[0]
    assert first.get("pointer") == mistake.at, response.text
    assert first.get("in") == mistake.place, response.text
    assert [words for words in mistake.says if words not in problem["detail"]] == [], problem["detail"]
    assert len(problem["detail"]) <= ONE_READING, len(problem["detail"])
    assert [words for words in mistake.unsaid if words in response.text] == []
    assert problem["title"]
    assert problem["requestId"] == "request-1"
    assert (house.written, house.sent) == (0, 0)


def _change(body: Mapping[str, object], change: Mapping[str, object]) -> dict[str, object]:
    return with_nulls({name: value for name, value in {**body, **change}.items() if value is not None})


def _words(says: str | tuple[str, ...]) -> tuple[str, ...]:
    return (says,) if isinstance(says, str) else says


def good_payment() -> str:
    """The text of a payment that is right, but for the link, which is not there."""
    return json.dumps(payment_body(BINDING))
