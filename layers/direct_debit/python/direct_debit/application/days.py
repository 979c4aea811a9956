"""Read a list that no index has: all records, day by day, from today back."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta

from direct_debit.application.ports.pages import OfDay, Page, PageMark, Selection
from direct_debit.domain.values import JAKARTA

FIRST_DAY = date(2026, 1, 1)
"""No release of this software wrote a record before it."""

_DAY = timedelta(days=1)
_DAYS_AT_ONCE = 10  # each takes a query of each of its partitions, also where it has no record
_BEHIND_ALL = ""  # no record has an empty id: behind all that were made at the instant at which a day begins


def walk_back[Record](
    list_page: Callable[[Selection, int, PageMark | None], Page[Record]],
    now: datetime,
    limit: int,
    after: PageMark | None,
) -> Page[Record]:
    """Return at most `limit` records of a few days; with a `following`, though none were found, while days are left."""
    records: list[Record] = []
    marks: list[PageMark] = []
    unreadable: list[str] = []
    day = (now if after is None else min(after.at, now)).astimezone(JAKARTA).date()
    if after is not None and after.id == _BEHIND_ALL:
        day = max(day, FIRST_DAY) - _DAY
    for _ in range(_DAYS_AT_ONCE):
        if day < FIRST_DAY:
            return Page(records, marks, unreadable, None)
        part = list_page(OfDay(day), limit - len(records), after)
        records += part.records
        marks += part.marks
        unreadable += part.unreadable
        after = part.following or _mark_beginning(day)
        if part.following is not None or len(records) == limit:
            break
        day -= _DAY
    return Page(records, marks, unreadable, after)


def _mark_beginning(day: date) -> PageMark:
    return PageMark(datetime.combine(day, time(), JAKARTA), _BEHIND_ALL)
