"""Queues that only remember."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from direct_debit.application.ports import Queues


@dataclass(frozen=True, slots=True)
class Message:
    """What was asked for: `queue` is notification, refund or inquiry; `subject` an inbox id or a reference."""

    queue: str
    subject: str
    attempt: int = 0
    delay: float = 0.0


class RecordingQueues:
    """Implements `Queues`."""

    def __init__(self) -> None:
        self.sent: list[Message] = []

    def send_notification(self, inbox_id: str) -> None:
        """Note a notification to process."""
        self.sent.append(Message("notification", inbox_id))

    def send_refund(self, ref: str, attempt: int, delay: float) -> None:
        """Note a step of a refund."""
        self.sent.append(Message("refund", ref, attempt, delay))

    def send_inquiry(self, ref: str, attempt: int, delay: float) -> None:
        """Note a status inquiry."""
        self.sent.append(Message("inquiry", ref, attempt, delay))


_: Queues = RecordingQueues()
