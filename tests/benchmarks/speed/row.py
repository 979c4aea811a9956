"""One line of the result: what was measured, beside what, and whether that is good enough."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`ours` and `other` (the floor's, a peer's) are in `unit`; `met` is None where there is no goal, or no measure.

    A goal without a measure is missed: nobody knows better.
    """

    measure: str
    what: str
    ours: float | None = None
    other: float | None = None
    ratio: float | None = None
    unit: str = ""
    goal: str = ""
    met: bool | None = None
    note: str = ""

    @property
    def is_missed(self) -> bool:
        """Whether there is a goal that was not shown to be met."""
        return self.met is False or (self.met is None and bool(self.goal))


_TITLES = ("", "what", "ours", "floor, peer", "unit", "ratio", "goal", "", "")


def describe(rows: Sequence[Row]) -> str:
    """Return the table."""
    cells = [
        (
            *(row.measure, row.what, _number(row.ours), _number(row.other), row.unit, _number(row.ratio), row.goal),
            *("FAIL" if row.is_missed else "pass" if row.met else "", row.note),
        )
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(_TITLES, *cells, strict=True)]
    lines = [
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in (_TITLES, *cells)
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:.3g}"
