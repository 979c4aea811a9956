"""An event bus that only remembers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from direct_debit.application.ports.messages import Events, OutboxEvent


class RecordingEvents:
    """Implements `Events`."""

    def __init__(self) -> None:
        self.published: list[OutboxEvent] = []

    def publish(self, event: OutboxEvent) -> None:
        """Note the event."""
        self.published.append(event)

    def publish_together(self, events: Sequence[OutboxEvent]) -> frozenset[str]:
        """Note the events."""
        self.published.extend(events)
        return frozenset(event.id for event in events)


_: Events = RecordingEvents()
