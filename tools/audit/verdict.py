"""What a scan found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a scan ended: in one line, and what somebody has to mend or to explain (nothing: it passed)."""

    scan: str
    summary: str
    faults: tuple[str, ...] = ()
