"""The journey as a table."""

from collections.abc import Sequence

from tools.local_cloud.journey import Step

_HEADINGS = ("step", "HTTP", "state", "ms", "DOKU code")


def table(steps: Sequence[Step]) -> str:
    """One row per step; a failed one is marked and its reason follows the table."""
    rows = [_HEADINGS, *(_row(step) for step in steps)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join([*lines, *(f"{step.name}: {step.failure}" for step in steps if step.failure)])


def _row(step: Step) -> tuple[str, ...]:
    name = step.name if step.failure is None else f"{step.name}  FAILED"
    return (name, str(step.status or "-"), step.state or "-", f"{step.milliseconds:.0f}", step.doku_code or "-")
