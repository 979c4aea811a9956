"""All that a use case may touch, together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from direct_debit.application.ports.bindings import Bindings
    from direct_debit.application.ports.doku import Doku
    from direct_debit.application.ports.fleet import B2BTokens, Circuit
    from direct_debit.application.ports.inbox import Inbox
    from direct_debit.application.ports.messages import Events, Queues, Workflows
    from direct_debit.application.ports.payments import Payments
    from direct_debit.application.ports.telemetry import Telemetry
    from direct_debit.application.ports.time_and_chance import Clock, Ids
    from direct_debit.application.ports.vault import Vault
    from direct_debit.application.settings import Settings


@dataclass(slots=True)
class TokenMemory:
    """This process's copy of the shared B2B token, in the clear and never written anywhere."""

    token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None


@dataclass(slots=True)
class CircuitMemory:
    """When this process last saw the shared circuit without a failure (UTC); None when it has to look."""

    quiet_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ports:
    """All that a use case may touch."""

    clock: Clock
    ids: Ids
    vault: Vault
    bindings: Bindings
    payments: Payments
    inbox: Inbox
    b2b_tokens: B2BTokens
    token_memory: TokenMemory
    circuit: Circuit
    circuit_memory: CircuitMemory
    doku: Doku
    queues: Queues
    events: Events
    workflows: Workflows
    telemetry: Telemetry
    settings: Settings
