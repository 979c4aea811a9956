"""What leaves the application: work for later, events, outcomes for waiting workflows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class Queues(Protocol):
    """Work for later. A message carries an id and an attempt, no personal data. The adapter bounds the delays.

    `chain` is how many workers, each by its message, led to this one; use cases leave it out (application.chains).
    """

    def send_notification(self, inbox_id: str, chain: int = 0) -> None:
        """Ask for an accepted notification to be processed now."""
        ...

    def send_refund(self, ref: str, attempt: int, delay: float, chain: int = 0) -> None:
        """Ask for a step of a refund in `delay` seconds."""
        ...

    def send_inquiry(self, ref: str, attempt: int, delay: float, chain: int = 0) -> None:
        """Ask for a status inquiry in `delay` seconds."""
        ...


@dataclass(frozen=True, slots=True)
class OutboxEvent:
    """Something that the merchant's own systems may want to know: outbox.event_types has all of them.

    `detail` holds no personal data.
    """

    name: str  # payment.paid, payment.failed, refund.completed, binding.activated, ...
    id: str  # unique per occurrence: consumers deduplicate on it
    at: datetime
    detail: Mapping[str, str | int | None]

    def to_json(self) -> Mapping[str, str | int | None]:
        """Return the detail as others get it, with the event's id and time."""
        return {**self.detail, "eventId": self.id, "occurredAt": self.at.isoformat()}


class Events(Protocol):
    """The event bus."""

    def publish(self, event: OutboxEvent) -> None:
        """Publish; raises StoreUnavailable when the bus did not take it, Undeliverable when it never will."""
        ...

    def publish_together(self, events: Sequence[OutboxEvent]) -> frozenset[str]:
        """Publish events that need no order among each other; return the ids of those that the bus took."""
        ...


class Workflows(Protocol):
    """Waiting Step Functions executions."""

    def succeed(self, task_token: str, output: Mapping[str, str | None]) -> None:
        """Complete a waiting task with the outcome only. A task that is gone is fine.

        Raises StoreUnavailable, Undeliverable.
        """
        ...
