"""A process as the composition root makes it: the shipped adapters over a store, a bank and messages of the test's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from direct_debit.adapters.doku import WORKER_READ_SECONDS, DokuAdapter
from direct_debit.adapters.dynamodb.b2b_tokens import DynamoDbB2BTokens
from direct_debit.adapters.dynamodb.bindings import DynamoDbBindings
from direct_debit.adapters.dynamodb.circuit import DynamoDbCircuit
from direct_debit.adapters.dynamodb.client import Store
from direct_debit.adapters.dynamodb.inbox import DynamoDbInbox
from direct_debit.adapters.dynamodb.payments import DynamoDbPayments
from direct_debit.adapters.vault import AesGcmVault
from direct_debit.application.ports.ports import CircuitMemory, Ports, TokenMemory

if TYPE_CHECKING:
    from collections.abc import Callable

    from direct_debit.adapters.credentials import CredentialSource, DataSecret
    from direct_debit.adapters.doku import DokuConnection
    from direct_debit.adapters.dynamodb.client import DynamoDb
    from direct_debit.application.ports.messages import Events, Queues, Workflows
    from direct_debit.application.ports.telemetry import Telemetry
    from direct_debit.application.ports.time_and_chance import Clock, Ids
    from direct_debit.application.settings import Settings

BINDINGS = "Bindings"
TRANSACTIONS = "Transactions"


def make_process(
    client: DynamoDb,
    connect: Callable[[], DokuConnection],
    *,
    clock: Clock,
    ids: Ids,
    credentials: CredentialSource[DataSecret],
    doubt_keys: Callable[[], object],
    queues: Queues,
    events: Events,
    workflows: Workflows,
    telemetry: Telemetry,
    settings: Settings,
) -> Ports:
    """Return the ports of a fresh process: nothing in its memory."""
    store = Store(client, clock, ids)
    return Ports(
        clock=clock,
        ids=ids,
        vault=AesGcmVault(credentials, ids),
        bindings=DynamoDbBindings(store, BINDINGS, max_pages_per_day=settings.max_pages_per_day),
        payments=DynamoDbPayments(
            store,
            TRANSACTIONS,
            BINDINGS,
            max_open_payments=settings.max_open_payments,
            max_payments_per_day=settings.max_payments_per_day,
        ),
        inbox=DynamoDbInbox(store, TRANSACTIONS),
        b2b_tokens=DynamoDbB2BTokens(store, BINDINGS),
        token_memory=TokenMemory(),
        circuit=DynamoDbCircuit(store, TRANSACTIONS),
        circuit_memory=CircuitMemory(),
        doku=DokuAdapter(connect, clock, telemetry, read_seconds=WORKER_READ_SECONDS, doubt_keys=doubt_keys),
        queues=queues,
        events=events,
        workflows=workflows,
        telemetry=telemetry,
        settings=settings,
    )
