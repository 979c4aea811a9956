"""What the inbound doors need: DOKU's calls verified, read and answered in DOKU's own words (contract 3.5, 3.10)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from direct_debit.application.errors import InvalidSignature
from direct_debit.application.notifications.accept_notification import AcceptNotification
from direct_debit.application.ports.inbox import InboxKind


@dataclass(frozen=True, slots=True)
class InboundCall:
    """An HTTP call of DOKU: the bytes as they came, and the public path with its query as DOKU called it."""

    path: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SnapReply:
    """What DOKU gets. The body may hold a token."""

    status: int
    headers: Mapping[str, str]
    body: str = field(repr=False)


class InboundDoku(Protocol):
    """DOKU as a caller. Every refusal is InvalidSignature, which carries the reply's status, code and message.

    StoreUnavailable is raised while the keys can not be read.
    """

    def grant_token(self, call: InboundCall) -> SnapReply:
        """Verify DOKU's token request (RSA) and return the reply with a fresh token."""
        ...

    def read_notification(self, kind: InboxKind, call: InboundCall) -> AcceptNotification:
        """Verify a notification (our token, HMAC) and read it."""
        ...

    def accept(self, kind: InboxKind) -> SnapReply:
        """Return the reply to an accepted notification: 2005600 or 2000700."""
        ...

    def refuse(self, error: InvalidSignature) -> SnapReply:
        """Return the reply that a refusal carries."""
        ...

    def report_outage(self, kind: InboxKind) -> SnapReply:
        """Return the reply that makes DOKU come again: 5005600 or 5000700."""
        ...
