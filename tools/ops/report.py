"""What a command found or did: for eyes and for programs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

DONE = 0
FAILED = 1
NEEDS_A_PERSON = 3  # 2 is argparse's, for a wrong command line


@dataclass(frozen=True, slots=True)
class Report:
    """`facts` is the JSON document, `lines` the same for reading; `status` the exit status."""

    facts: Mapping[str, object]
    lines: Sequence[str]
    status: int = DONE


def escape(line: str) -> str:
    """Return a line as a terminal may have it: what is DOKU's, or a caller's, may hold characters that steer one."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in line
    )


def write_time(moment: datetime | None) -> str | None:
    """Return a UTC time for a JSON document."""
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def tell_time(moment: datetime, now: datetime) -> str:
    """Return a UTC time with its distance from now, for example `2026-03-02 09:00:00Z (in 45 s)`."""
    seconds = round((moment - now) / timedelta(seconds=1))
    distance = f"in {tell_span(seconds)}" if seconds >= 0 else f"{tell_span(-seconds)} ago"
    return f"{moment:%Y-%m-%d %H:%M:%SZ} ({distance})"


def tell_span(seconds: int) -> str:
    """Return a duration in its largest useful unit: `45 s`, `15 min`, `6 h`, `2 d`."""
    for unit, size in (("d", 172_800), ("h", 7_200), ("min", 120)):
        if seconds >= size:
            return f"{seconds // {'d': 86_400, 'h': 3_600, 'min': 60}[unit]} {unit}"
    return f"{seconds} s"


def align(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines with columns of equal width."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
