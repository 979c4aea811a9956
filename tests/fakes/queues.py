"""Queues that only remember."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from direct_debit.application.ports.messages import Queues


@dataclass(frozen=True, slots=True)
class Message:
    """What was asked for: `queue` is notification, refund or inquiry; `subject` an inbox id or a reference.

    `chain` is what the application writes into it. `lineage` is what AWS counts by itself, whatever the message says:
    the functions that were invoked, each by the message of the one before, until this one was sent.
    """

    queue: str
    subject: str
    attempt: int = 0
    delay: float = 0.0
    chain: int = 0
    lineage: int = field(default=0, compare=False)


RECURSION_LIMIT = 16
"""AWS Lambda's recursive loop detection: a message that would be a function's invocation after so many in its chain is
put aside. It follows chains of Lambda and SQS (AWS Lambda Developer Guide, "Use Lambda recursive loop detection")."""


class RecordingQueues:
    """Implements `Queues`."""

    def __init__(self) -> None:
        self.sent: list[Message] = []

    def send_notification(self, inbox_id: str, chain: int = 0) -> None:
        """Note a notification to process."""
        self.sent.append(Message("notification", inbox_id, chain=chain))

    def send_refund(self, ref: str, attempt: int, delay: float, chain: int = 0) -> None:
        """Note a step of a refund."""
        self.sent.append(Message("refund", ref, attempt, delay, chain))

    def send_inquiry(self, ref: str, attempt: int, delay: float, chain: int = 0) -> None:
        """Note a status inquiry."""
        self.sent.append(Message("inquiry", ref, attempt, delay, chain))


_: Queues = RecordingQueues()
