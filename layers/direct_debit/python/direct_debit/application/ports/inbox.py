"""What DOKU told us, accepted before it is answered."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol


class InboxKind(StrEnum):
    """What DOKU told us."""

    PAYMENT = "payment"
    BINDING = "binding"


class InboxState(StrEnum):
    """What became of an accepted notification."""

    ACCEPTED = "ACCEPTED"
    PROCESSED = "PROCESSED"
    QUARANTINED = "QUARANTINED"


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxItem:
    """An authentic notification, stored before it was answered.

    `body` is its notice, sealed (it may hold an authCode); older items hold DOKU's body. It is `GONE` once nobody has
    to read it any more.
    `subject` is the reference it speaks of, for the person who may have to look; older items have none. `told` is the
    amount that it names, as DOKU wrote it, where that is not the payment's.
    """

    GONE: ClassVar[str] = ""

    id: str
    kind: InboxKind
    subject: str | None = None
    received_at: datetime
    fresh: bool
    is_by_replaced_key: bool = False
    body: str = field(repr=False)
    state: InboxState = InboxState.ACCEPTED
    reason: str | None = None
    told: str | None = None
    attempts: int = 0
    due_at: datetime | None = None


class Inbox(Protocol):
    """Accepted notifications, in the transactions table."""

    def put(self, item: InboxItem) -> InboxItem | None:
        """Store; return the equal notification that is stored already, as it is now, or None."""
        ...

    def get(self, item_id: str) -> InboxItem | None:
        """Read consistently."""
        ...

    def settle(self, before: InboxItem, after: InboxItem) -> None:
        """Write what became of it. A change by somebody else in between is kept."""
        ...

    def clear(self, item: InboxItem) -> None:
        """Take its content out of a settled notification. A change by somebody else in between is kept."""
        ...

    def list_due(self, now: datetime, limit: int) -> Sequence[str]:
        """Return ids whose processing is overdue."""
        ...
