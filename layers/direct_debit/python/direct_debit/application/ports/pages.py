"""Lists of records: which ones, and the pages in which they come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class OfCustomer:
    """All of a customer, newest first."""

    customer_id: str


@dataclass(frozen=True, slots=True)
class OfDay:
    """All that were made on a day in Jakarta, newest first or oldest first."""

    day: date
    oldest_first: bool = False


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Those of which something is still due, or that wait for a person; the longest due first."""


type Selection = OfCustomer | OfDay | Unresolved


@dataclass(frozen=True, slots=True)
class PageMark:
    """The last record of a page: the next page goes on behind it. `at` is what the list is sorted by, in UTC."""

    at: datetime
    id: str


@dataclass(frozen=True, slots=True)
class Page[Record]:
    """A part of a list: its records, the ids of those that this release can not read, and where the next part begins.

    `marks` are those of the records, one each; `following` is None on the last page.
    """

    records: Sequence[Record]
    marks: Sequence[PageMark]
    unreadable: Sequence[str] = ()
    following: PageMark | None = None
