"""What requests for a list have in common: which records, and the page."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, ClassVar, Self
from zlib import crc32

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from direct_debit.application.errors import FieldFault, InvalidRequest
from direct_debit.application.pages import Latest
from direct_debit.application.ports.pages import OfCustomer, OfDay, PageMark, Selection, Unresolved
from direct_debit.domain.values import JAKARTA
from direct_debit.entrypoint.command import Command, read_flag, rule_of_request
from direct_debit.entrypoint.values import CustomerId

_MOST = 100
_USUAL = 20
_AHEAD = timedelta(minutes=5)  # of a caller's clock


def _read_number(value: object) -> object:
    """Query parameters are text; plain commands have real numbers."""
    return int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() else value


def write_mark(mark: PageMark, of: str) -> str:
    """Return where a page of a list begins as callers get it; what is in it may change. `of`: see `name_list`."""
    return urlsafe_b64encode(f"{mark.at.isoformat()}|{of}|{mark.id}".encode()).decode().rstrip("=")


def read_mark(text: str) -> tuple[PageMark, str]:
    """Read what `write_mark` wrote. Raises ValueError."""
    at, _, rest = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition("|")
    of, separated, record_id = rest.partition("|")
    moment = datetime.fromisoformat(at)
    if moment.tzinfo is None or not separated:
        raise ValueError("no mark")
    try:
        return PageMark(moment.astimezone(UTC), record_id), of
    except OverflowError:
        raise ValueError("no mark: a time that UTC has not") from None


def name_list(operation: str, selection: Selection | Latest) -> str:
    """Return a short name of a list, by which its pages are told from those of others. It guards no secret."""
    return f"{crc32(f'{operation} {selection}'.encode()):08x}"


def _check_mark(text: str) -> str:
    try:
        read_mark(text)
    except ValueError:
        raise PydanticCustomError("page_mark", "not a mark") from None
    return text


def _check_day(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise PydanticCustomError("day", "not a day") from None
    return text


class ListRequest(Command):
    """Which records, and which page of them."""

    things: ClassVar[str]
    ways: ClassVar[Sequence[str]] = ("customerId", "day", "unresolved")

    customer_id: CustomerId | None = None
    day: (
        Annotated[
            str,
            Field(
                pattern=r"^\d{4}-\d\d-\d\d$",
                description="A day in Jakarta (UTC+7), as YYYY-MM-DD.",
                examples=["2026-03-02"],
            ),
            AfterValidator(_check_day),
        ]
        | None
    ) = None
    unresolved: Annotated[
        bool,
        Field(description="true lists what is unresolved or waits for a person, the longest due first."),
        BeforeValidator(read_flag),
    ] = False
    limit: Annotated[
        int,
        Field(ge=1, le=_MOST, description=f"How many at most, 1 to {_MOST}; {_USUAL} where it is left out."),
        BeforeValidator(_read_number),
    ] = _USUAL
    after: (
        Annotated[
            str,
            Field(
                max_length=200,
                description="Where the page begins: `next` of the page before.",
                examples=["MjAyNi0wMy0wMlQwOTowMTowMCswMDowMHw1ZjFjMDlhYnxJTlYyMDI2MDMwMg"],
            ),
            AfterValidator(_check_mark),
        ]
        | None
    ) = None
    state: StrEnum | None = None

    @model_validator(mode="after")
    def _check_way(self) -> Self:
        """One way to find is named, and nothing that would go unheard beside it."""
        named = self._name_ways()
        if not named:
            ways = f"{', '.join(self.ways)}=true or a state"
            raise rule_of_request(self.ways[0], f"Say which {self.things}: {ways}.")
        if len(named) > 1:
            came, ways = " and ".join(named), f"{', '.join(self.ways[:-1])} and {self.ways[-1]}"
            raise rule_of_request(
                named[-1], f"{came} came: name one of {ways}, not several, and look for the other in what is listed."
            )
        return self

    def _name_ways(self) -> list[str]:
        """Return the ways to find that a request names, by their wire names; `state` is one where it stands alone."""
        given = {"customerId": self.customer_id, "day": self.day, "unresolved": self.unresolved or None}
        named = [name for name, value in given.items() if value is not None]
        return named or (["state"] if self.state is not None else [])

    def to_selection(self, now: datetime) -> Selection | Latest:
        """Return which records are asked for. Raises InvalidRequest for a day that has not begun."""
        if self.customer_id is not None:
            return OfCustomer(self.customer_id)
        if self.day is None:
            return Unresolved() if self.unresolved else Latest()
        day = date.fromisoformat(self.day)
        if day > (now + _AHEAD).astimezone(JAKARTA).date():
            raise _refuse(
                "day", f"This day has not begun: in Jakarta (UTC+7) it is {now.astimezone(JAKARTA):%Y-%m-%d}."
            )
        return OfDay(day)

    def to_mark(self, of: str) -> PageMark | None:
        """Return behind which record the page of this list begins. Raises InvalidRequest for a page of another one."""
        if self.after is None:
            return None
        mark, written_for = read_mark(self.after)
        if written_for != of:
            raise _refuse(
                "after", "It is `next` of another list: send it with the parameters of that one, or begin without it."
            )
        return mark


def _refuse(name: str, detail: str) -> InvalidRequest:
    return InvalidRequest(name, detail, [FieldFault("invalid", name, f"/{name}", detail)])


# Query parameters of each list, by their wire names.
LIST_QUERY = frozenset({"customerId", "day", "unresolved", "limit", "after"})
