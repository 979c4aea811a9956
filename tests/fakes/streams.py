"""A table's stream as Lambda hands it to its function."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.fakes.in_memory_dynamodb import StreamRecord


def write_record(table: str, record: StreamRecord, created_at: float | None = None) -> Mapping[str, object]:
    """Return one record of the event. `created_at`: when it was written, in seconds since 1970."""
    change: dict[str, object] = {"Keys": record.keys, "SequenceNumber": str(record.sequence)}
    if record.new is not None:
        change["NewImage"] = record.new
    if record.old is not None:
        change["OldImage"] = record.old
    if created_at is not None:
        change["ApproximateCreationDateTime"] = created_at
    return {
        "eventID": f"{table}-{record.sequence}",
        "eventName": record.event,
        "eventSourceARN": f"arn:aws:dynamodb:ap-southeast-3:123456789012:table/{table}/stream/1",
        "dynamodb": change,
    }
