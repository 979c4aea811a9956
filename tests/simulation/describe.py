"""A write as a line that a person can read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fakes.in_memory_dynamodb import StreamRecord


def describe(record: StreamRecord) -> str:
    """Return a line about a write, without anything secret."""
    key = record.keys["pk"]["S"] if record.keys["sk"]["S"] != "HISTORY" else ""
    new, old = record.new or {}, record.old or {}
    parts = [f"{key} {record.keys['sk']['S']}"]
    for name in ("version", "state", "refundState", "failureReason", "review", "evidenceSource", "evidenceCode"):
        before, after = old.get(name), new.get(name)
        if after != before or name in ("version", "state"):
            text = "-" if after is None else next(iter(after.values()))
            parts.append(f"{name}={text}")
    changed = sorted(
        name
        for name in {*old, *new}
        if old.get(name) != new.get(name) and name not in ("writeId", "updatedAt", "version")
    )
    return " ".join(parts) + f" [{' '.join(changed)}]"
