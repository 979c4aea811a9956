"""The composition root: one set of real ports per process, built from the environment when the function starts.

Building asks nobody anything: secrets, tokens and times are read when a request needs them, so that a restored snapshot
never carries old ones. What stands behind a port is loaded at its first use; a function's front door names those that
it uses (`uses`), which are loaded while it starts. Tests put their own services in with `install`.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Literal, Protocol, cast

from direct_debit.adapters.aws.clients import AwsClients, make_clients
from direct_debit.adapters.clock import SystemClock
from direct_debit.adapters.ids import SystemIds
from direct_debit.application.ports.ports import CircuitMemory, Ports, TokenMemory
from direct_debit.entrypoint.client_settings import make_client_settings
from direct_debit.entrypoint.lazily import Lazily
from direct_debit.entrypoint.observability import Observability
from direct_debit.entrypoint.settings import Environment, read_environment
from direct_debit.entrypoint.snapshot import register_hooks
from direct_debit.starting.start import end_start, in_lambda

if TYPE_CHECKING:
    from direct_debit.adapters.credentials import (
        Credentials,
        CredentialSource,
        DataSecret,
        InboundSecret,
        ReceiverSecret,
        SecretPart,
        SigningSecret,
    )
    from direct_debit.adapters.dynamodb.client import Store
    from direct_debit.adapters.secrets import SecretsManagerCredentials
    from direct_debit.application.notifications.inbound_ports import InboundDoku
    from direct_debit.application.ports.bindings import Bindings
    from direct_debit.application.ports.doku import Doku
    from direct_debit.application.ports.fleet import B2BTokens, Circuit
    from direct_debit.application.ports.inbox import Inbox
    from direct_debit.application.ports.messages import Events, Queues, Workflows
    from direct_debit.application.ports.payments import Payments
    from direct_debit.application.ports.vault import Vault

type Use = Literal[
    "vault",
    "bindings",
    "payments",
    "inbox",
    "b2b_tokens",
    "circuit",
    "doku",
    "queues",
    "events",
    "workflows",
    "inbound",
]
"""What a function may use: ports by their names, and `inbound` for DOKU's calls."""

CALLS_DOKU: tuple[Use, ...] = ("vault", "b2b_tokens", "circuit", "doku")
"""What a call to DOKU takes."""


class FailureQueue(Protocol):
    """Where the stream's consumer puts what it could not handle."""

    def send(self, failure: Mapping[str, str]) -> None:
        """Send one message. Raises StoreUnavailable."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Services:
    """What the doors work with."""

    ports: Ports
    inbound: "InboundDoku"
    stream_failures: FailureQueue
    observability: Observability


_installed: list[Services] = []


def start(*uses: Use) -> None:
    """In Lambda, build the services while the function starts, and load what it uses: that is no request's time, and a
    variable that is missing or wrong fails here, by name. Elsewhere (tests, tools) do nothing. Raises
    ConfigurationError.
    """
    if not in_lambda():
        return
    services = current()
    for name in uses:
        used: object = services.inbound if name == "inbound" else getattr(services.ports, name)
        if isinstance(used, Lazily):
            used.load()
    register_hooks(services.ports)
    end_start()


def current() -> Services:
    """Return this process's services, built on first use. Raises ConfigurationError."""
    if not _installed:
        environment = read_environment(os.environ)
        aws = make_clients(os.environ, environment.aws_way, SystemClock(), SystemIds())
        _installed.append(build(environment, aws))
    return _installed[-1]


@contextmanager
def install(services: Services) -> Iterator[None]:
    """Use these services for a while (tests)."""
    _installed.append(services)
    try:
        yield
    finally:
        _installed.remove(services)


def build(environment: Environment, aws: AwsClients) -> Services:
    """Return new services over these clients; one composition root shares nothing with another in its process.

    Raises ConfigurationError.
    """
    makers = _Makers(environment, aws)
    ports = Ports(
        clock=makers.clock,
        ids=makers.ids,
        vault=_lazily(makers.make_vault),
        bindings=_lazily(makers.make_bindings),
        payments=_lazily(makers.make_payments),
        inbox=_lazily(makers.make_inbox),
        b2b_tokens=_lazily(makers.make_b2b_tokens),
        token_memory=TokenMemory(),
        circuit=_lazily(makers.make_circuit),
        circuit_memory=CircuitMemory(),
        doku=_lazily(makers.make_doku),
        queues=_lazily(makers.make_queues),
        events=_lazily(makers.make_events),
        workflows=_lazily(makers.make_workflows),
        telemetry=makers.observability,
        settings=environment.settings,
    )
    stream_failures = _lazily(makers.make_stream_failures)
    return Services(ports, _lazily(makers.make_inbound), stream_failures, makers.observability)


def _lazily[T](make: Callable[[], T]) -> T:
    """Return what stands for the port that `make` makes."""
    return cast("T", Lazily(make))


class _Makers:
    """Makes each port, and loads its adapter for that."""

    def __init__(self, environment: Environment, aws: AwsClients) -> None:
        self._environment = environment
        self._aws = aws
        self._client_settings = make_client_settings(environment)  # what is wrong in them is told at the start
        self.clock, self.ids = SystemClock(), SystemIds()
        self.observability = Observability(
            service=environment.service_name, level=environment.log_level, namespace=environment.metrics_namespace
        )

    def _source[P: SecretPart](self, secret_id: str, read: Callable[[str], P]) -> "SecretsManagerCredentials[P]":
        from direct_debit.adapters.secrets import SecretsManagerCredentials

        overlap = timedelta(seconds=self._environment.key_overlap)
        return SecretsManagerCredentials(
            self._aws.secrets, secret_id, self.clock, self.observability, read, overlap=overlap
        )

    @cached_property
    def _credentials(self) -> "CredentialSource[Credentials] | None":
        """All parts, read together where they stand in one secret: it is checked whole, and asked for once."""
        from direct_debit.entrypoint.check_credentials import read_credentials

        if not self._environment.has_one_secret:
            return None
        return self._source(self._environment.inbound_secret_id, read_credentials)

    @cached_property
    def _receiver_secret(self) -> "CredentialSource[ReceiverSecret] | None":
        """Two parts of a function that takes notifications, read together."""
        from direct_debit.entrypoint.check_credentials import read_receiver

        if not self._environment.seals_with_notice_keys:
            return None
        return self._source(self._environment.inbound_secret_id, read_receiver)

    @cached_property
    def _inbound_secret(self) -> "CredentialSource[InboundSecret]":
        from direct_debit.entrypoint.check_credentials import read_inbound

        together = self._credentials or self._receiver_secret
        return together or self._source(self._environment.inbound_secret_id, read_inbound)

    @cached_property
    def _signing_secret(self) -> "CredentialSource[SigningSecret]":
        from direct_debit.entrypoint.check_credentials import read_signing

        return self._credentials or self._source(self._environment.signing_secret_id, read_signing)

    @cached_property
    def _data_secret(self) -> "CredentialSource[DataSecret]":
        from direct_debit.adapters.credentials import parse_data

        together = self._credentials or self._receiver_secret
        return together or self._source(self._environment.data_secret_id, parse_data)

    @cached_property
    def _store(self) -> "Store":
        from direct_debit.adapters.dynamodb.client import Store
        from direct_debit.adapters.dynamodb.run_all import run_in_threads

        return Store(self._aws.dynamodb, self.clock, self.ids, run_in_threads)

    def make_vault(self) -> "Vault":
        from direct_debit.adapters.vault import AesGcmVault

        return AesGcmVault(self._data_secret, self.ids)

    def make_bindings(self) -> "Bindings":
        from direct_debit.adapters.dynamodb.bindings import DynamoDbBindings

        environment = self._environment
        return DynamoDbBindings(
            self._store, environment.bindings_table, max_pages_per_day=environment.settings.max_pages_per_day
        )

    def make_payments(self) -> "Payments":
        from direct_debit.adapters.dynamodb.payments import DynamoDbPayments

        environment = self._environment
        return DynamoDbPayments(
            self._store,
            environment.transactions_table,
            environment.bindings_table,
            max_open_payments=environment.settings.max_open_payments,
            max_payments_per_day=environment.settings.max_payments_per_day,
        )

    def make_inbox(self) -> "Inbox":
        from direct_debit.adapters.dynamodb.inbox import DynamoDbInbox

        return DynamoDbInbox(self._store, self._environment.transactions_table)

    def make_b2b_tokens(self) -> "B2BTokens":
        from direct_debit.adapters.dynamodb.b2b_tokens import DynamoDbB2BTokens

        return DynamoDbB2BTokens(self._store, self._environment.bindings_table)

    def make_circuit(self) -> "Circuit":
        from direct_debit.adapters.dynamodb.circuit import DynamoDbCircuit

        return DynamoDbCircuit(self._store, self._environment.transactions_table)

    def make_doku(self) -> "Doku":
        from direct_debit.adapters.doku import WORKER_READ_SECONDS, DokuAdapter
        from direct_debit.entrypoint.doku_connection import DokuConnector

        return DokuAdapter(
            DokuConnector(self._client_settings, self._signing_secret, self.clock, telemetry=self.observability),
            self.clock,
            self.observability,
            read_seconds=WORKER_READ_SECONDS,
            doubt_keys=self._signing_secret.refresh,
        )

    def make_queues(self) -> "Queues":
        from direct_debit.adapters.sqs import SqsQueue, SqsQueues

        environment = self._environment
        return SqsQueues(
            notifications=SqsQueue(self._aws.sqs, environment.notification_queue_url),
            refunds=SqsQueue(self._aws.sqs, environment.refund_retry_queue_url),
            inquiries=SqsQueue(self._aws.sqs, environment.status_inquiry_queue_url),
        )

    def make_events(self) -> "Events":
        from direct_debit.adapters.eventbridge import EventBridgeEvents

        return EventBridgeEvents(self._aws.events, self._environment.event_bus_name)

    def make_workflows(self) -> "Workflows":
        from direct_debit.adapters.stepfunctions import StepFunctionsWorkflows

        return StepFunctionsWorkflows(self._aws.stepfunctions)

    def make_stream_failures(self) -> FailureQueue:
        from direct_debit.adapters.sqs import SqsQueue

        return SqsQueue(self._aws.sqs, self._environment.stream_failure_queue_url)

    def make_inbound(self) -> "InboundDoku":
        from direct_debit.adapters.doku_inbound import InboundDokuAdapter
        from direct_debit.entrypoint.inbound_keys import read_inbound_keys

        return InboundDokuAdapter(
            lambda previous: read_inbound_keys(self._inbound_secret, previous=previous),
            self.clock,
            issuer=self._environment.settings.public_base_url,
            window_seconds=self._environment.timestamp_window,
            issuing_key=lambda: self._inbound_secret.settled().issued_token_key,
            doubt_keys=self._inbound_secret.refresh,
        )
