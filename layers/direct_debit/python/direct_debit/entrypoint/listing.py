"""What requests for a list have in common: which records, and the page."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from direct_debit.application.errors import InvalidRequest
from direct_debit.application.ports.pages import OfCustomer, OfDay, PageMark, Selection, Unresolved
from direct_debit.entrypoint.command import Command, read_flag
from direct_debit.entrypoint.values import CustomerId

_MOST = 100
_USUAL = 20


def _read_number(value: object) -> object:
    """Query parameters are text; plain commands have real numbers."""
    return int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() else value


def write_mark(mark: PageMark) -> str:
    """Return where a page begins as callers get it; what is in it may change."""
    return urlsafe_b64encode(f"{mark.at.isoformat()}|{mark.id}".encode()).decode().rstrip("=")


def read_mark(text: str) -> PageMark:
    """Read what `write_mark` wrote. Raises ValueError."""
    at, _, record_id = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition("|")
    mark = PageMark(datetime.fromisoformat(at), record_id)
    if mark.at.tzinfo is None or not record_id:
        raise ValueError("no mark")
    return mark


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
                examples=["MjAyNi0wMy0wMlQwOTowMTowMCswMDowMHxJTlYyMDI2MDMwMjA"],
            ),
            AfterValidator(_check_mark),
        ]
        | None
    ) = None

    def to_selection(self) -> Selection | None:
        """Return which records are asked for; None when nothing says so. Raises InvalidRequest for more than one."""
        named: list[Selection] = []
        if self.customer_id is not None:
            named.append(OfCustomer(self.customer_id))
        if self.day is not None:
            named.append(OfDay(date.fromisoformat(self.day)))
        if self.unresolved:
            named.append(Unresolved())
        if len(named) > 1:
            raise InvalidRequest("customerId", "Name one of customerId, day and unresolved, not several.")
        return named[0] if named else None

    def to_mark(self) -> PageMark | None:
        """Return behind which record the page begins."""
        return None if self.after is None else read_mark(self.after)


# Query parameters of each list, by their wire names.
LIST_QUERY = frozenset({"customerId", "day", "unresolved", "limit", "after"})
