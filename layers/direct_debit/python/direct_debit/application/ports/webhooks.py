"""What a webhook needs from the world: the receiver, the keys, and a log of every try."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from direct_debit.application.errors import DirectDebitError


class WebhookSecretUnusable(DirectDebitError):
    """The secret has no value yet, or one that can not be read. The detail names the rule, never its content."""


@dataclass(frozen=True, slots=True)
class WebhookAnswer:
    """What became of one request. `status` is the receiver's, None where it gave none.

    `failure` is why it does not count as taken, None where it does: `status` or `redirect` (the receiver said so),
    `timeout`, `name`, `private`, `connect`, `certificate`, `tls`, `closed`, `unparsable`, `secret` (nothing was sent).
    """

    status: int | None
    failure: str | None
    milliseconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookTry:
    """One try: of what, when, and what became of it. `subject` is the payment's reference, or the link's id."""

    subject: str
    webhook_id: str
    name: str
    at: datetime
    answer: WebhookAnswer


class WebhookReceiver(Protocol):
    """The merchant's address."""

    def post(self, headers: Mapping[str, str], body: bytes) -> WebhookAnswer:
        """Send once, and wait for the answer's status for a bounded time. Never raises for what the receiver does."""
        ...


class WebhookKeys(Protocol):
    """The keys that sign, the newest first; two while one replaces the other."""

    def read(self) -> Sequence[bytes]:
        """Return them. Raises WebhookSecretUnusable, StoreUnavailable."""
        ...


class WebhookLog(Protocol):
    """Tries, kept for a month; and the events of links, kept for good: no history has them. StoreUnavailable."""

    def add_try(self, one: WebhookTry) -> None:
        """Write a try down."""
        ...

    def list_tries(self, subject: str) -> Sequence[WebhookTry]:
        """Return the tries of a payment's or a link's events, oldest first."""
        ...

    def keep_event(self, subject: str, webhook_id: str, name: str, at: str, detail: str) -> None:
        """Keep an event (its detail as JSON) to be replayed some day. Harmless when repeated."""
        ...
