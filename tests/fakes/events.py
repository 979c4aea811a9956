"""An event bus that only remembers, and takes nothing that the catalogue does not promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fakes.event_contract import check_event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from direct_debit.application.ports.messages import Events, OutboxEvent


class RecordingEvents:
    """Implements `Events`."""

    def __init__(self) -> None:
        self.published: list[OutboxEvent] = []

    def publish(self, event: OutboxEvent) -> None:
        """Note the event."""
        self.note(event)

    def publish_together(self, events: Sequence[OutboxEvent]) -> frozenset[str]:
        """Note the events."""
        for event in events:
            self.note(event)
        return frozenset(event.id for event in events)

    def note(self, event: OutboxEvent) -> None:
        """Take an event; fails where it is not what the catalogue promises."""
        check_event(event)
        self.published.append(event)


_: Events = RecordingEvents()
