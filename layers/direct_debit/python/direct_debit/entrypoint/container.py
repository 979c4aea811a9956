"""The composition root: one set of real ports per process, built from the environment when the function starts.

Building asks nobody anything: secrets, tokens and times are read when a request needs them, so that a restored snapshot
never carries old ones. Tests put their own services in with `install`.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from direct_debit.adapters.aws import AwsClients
from direct_debit.adapters.clock import SystemClock
from direct_debit.adapters.credentials import Credentials as SecretContent
from direct_debit.adapters.credentials import CredentialSource, MalformedCredentials
from direct_debit.adapters.doku import WORKER_READ_SECONDS, DokuAdapter, DokuConnection
from direct_debit.adapters.doku_inbound import InboundDokuAdapter, InboundKeys
from direct_debit.adapters.dynamodb.b2b_tokens import DynamoDbB2BTokens
from direct_debit.adapters.dynamodb.bindings import DynamoDbBindings
from direct_debit.adapters.dynamodb.circuit import DynamoDbCircuit
from direct_debit.adapters.dynamodb.client import Store
from direct_debit.adapters.dynamodb.inbox import DynamoDbInbox
from direct_debit.adapters.dynamodb.payments import DynamoDbPayments
from direct_debit.adapters.dynamodb.run_all import run_in_threads
from direct_debit.adapters.eventbridge import EventBridgeEvents
from direct_debit.adapters.ids import SystemIds
from direct_debit.adapters.secrets import SecretsManagerCredentials
from direct_debit.adapters.sqs import SqsQueue, SqsQueues
from direct_debit.adapters.stepfunctions import StepFunctionsWorkflows
from direct_debit.adapters.vault import AesGcmVault
from direct_debit.application.notifications.inbound_ports import InboundDoku
from direct_debit.application.ports.ports import CircuitMemory, Ports, TokenMemory
from direct_debit.application.ports.telemetry import Metric, Telemetry
from direct_debit.application.ports.time_and_chance import Clock
from direct_debit.entrypoint.observability import Observability
from direct_debit.entrypoint.settings import DOKU_UNTIED_FIELDS, ConfigurationError, Environment, read_environment
from doku_snap.client import DokuClient
from doku_snap.credentials import Credentials, check_identity
from doku_snap.errors import InvalidSetting
from doku_snap.keys import check_private_key, load_public_key
from doku_snap.settings import ClientSettings
from doku_snap.tokens import TokenClient
from doku_snap.transport import RequestsTransport, Transport


class FailureQueue(Protocol):
    """Where the stream's consumer puts what it could not handle."""

    def send(self, failure: Mapping[str, str]) -> None:
        """Send one message. Raises StoreUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """What the doors work with."""

    ports: Ports
    inbound: InboundDoku
    stream_failures: FailureQueue
    observability: Observability


_installed: list[Services] = []


def start() -> None:
    """In Lambda, build the services while the function starts: its time is no request's time, and a variable that is
    missing or wrong fails here, by name. Elsewhere (tests, tools) do nothing. Raises ConfigurationError.
    """
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        current()


def current() -> Services:
    """Return this process's services, built on first use. Raises ConfigurationError."""
    if not _installed:
        _installed.append(build(read_environment(os.environ), AwsClients()))
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
    """Return new services over these clients; one composition root shares nothing with another in its process."""
    clock, ids = SystemClock(), SystemIds()
    observability = Observability(
        service=environment.service_name, level=environment.log_level, namespace=environment.metrics_namespace
    )
    credentials = SecretsManagerCredentials(
        aws.secrets, environment.doku_secret_id, clock, observability, check_credentials
    )
    store = Store(aws.dynamodb, clock, ids, run_in_threads)
    bindings, transactions = environment.bindings_table, environment.transactions_table
    ports = Ports(
        clock=clock,
        ids=ids,
        vault=AesGcmVault(credentials, ids),
        bindings=DynamoDbBindings(store, bindings),
        payments=DynamoDbPayments(
            store, transactions, bindings, max_open_payments=environment.settings.max_open_payments
        ),
        inbox=DynamoDbInbox(store, transactions),
        b2b_tokens=DynamoDbB2BTokens(store, bindings),
        token_memory=TokenMemory(),
        circuit=DynamoDbCircuit(store, transactions),
        circuit_memory=CircuitMemory(),
        doku=DokuAdapter(
            DokuConnector(environment, credentials, clock, telemetry=observability),
            clock,
            observability,
            read_seconds=WORKER_READ_SECONDS,
            doubt_keys=credentials.refresh,
        ),
        queues=SqsQueues(
            notifications=SqsQueue(aws.sqs, environment.notification_queue_url),
            refunds=SqsQueue(aws.sqs, environment.refund_retry_queue_url),
            inquiries=SqsQueue(aws.sqs, environment.status_inquiry_queue_url),
        ),
        events=EventBridgeEvents(aws.events, environment.event_bus_name),
        workflows=StepFunctionsWorkflows(aws.stepfunctions),
        telemetry=observability,
        settings=environment.settings,
    )
    inbound = InboundDokuAdapter(
        lambda previous: read_inbound_keys(credentials, previous=previous),
        clock,
        issuer=environment.settings.public_base_url,
        window_seconds=environment.timestamp_window,
        doubt_keys=credentials.refresh,
    )
    return Services(ports, inbound, SqsQueue(aws.sqs, environment.stream_failure_queue_url), observability)


class DokuConnector:
    """Makes the signing layer's clients, anew only when the secret has changed; the connections stay open."""

    def __init__(
        self,
        environment: Environment,
        credentials: CredentialSource,
        clock: Clock,
        transport: Transport | None = None,
        *,
        telemetry: Telemetry,
    ) -> None:
        self._credentials = credentials
        self._clock = clock
        self._telemetry = telemetry
        self._transport = transport or RequestsTransport()
        self._settings = _client_settings(environment)
        self._made: tuple[SecretContent, DokuConnection] | None = None

    def __call__(self) -> DokuConnection:
        """Return the clients of the current secret, or those before where its key turns out to be none.

        Raises NotConfigured (MalformedCredentials), StoreUnavailable.
        """
        content = self._credentials.current()
        if self._made is not None and self._made[0] == content:
            return self._made[1]
        try:
            connection = self._connect(content)
        except InvalidSetting as error:
            self._telemetry.count(Metric.SECRET_UNUSABLE)
            fault = MalformedCredentials(error.setting, error.rule)
            if self._made is None:
                raise fault from None
            self._telemetry.note("the secret can not be used, the version before it stays", reason=fault.fault)
            connection = self._made[1]
        self._made = (content, connection)
        return connection

    def _connect(self, content: SecretContent) -> DokuConnection:
        keys = Credentials(content.client_id, content.secret_key, content.merchant_private_key)
        client = DokuClient(keys, self._settings, self._transport, self._clock.now)
        return DokuConnection(client, TokenClient(keys, self._settings, self._transport, self._clock.now))


def check_credentials(content: SecretContent) -> None:
    """Refuse a version of the secret whose parts the signing layer would not take, while one before it may be there.

    Whether the private key's numbers fit each other is left to its first use: finding out takes as long as a whole cold
    start. Raises MalformedCredentials.
    """
    try:
        check_identity(content.client_id, content.secret_key)
        check_private_key(content.merchant_private_key)
        load_public_key(content.doku_public_key)
    except InvalidSetting as error:
        raise MalformedCredentials(error.setting, error.rule) from None


def _client_settings(environment: Environment) -> ClientSettings:
    try:
        return ClientSettings(
            base_url=environment.doku_base_url,
            paths=environment.doku_paths,
            channel_id=environment.doku_channel_id,
            otp_field=environment.doku_otp_field,
            otp_payment_value=environment.doku_otp_payment_value,
            otp_unbinding_value=environment.doku_otp_unbind_value,
            status_service_code=environment.doku_status_service_code,
            untied_fields=environment.doku_untied_fields,
            # The environment's check lets plain http pass for this machine only.
            allow_plain_http=environment.doku_base_url.lower().startswith("http://"),
        )
    except InvalidSetting as error:
        # Only this one has no definition in the environment's check; any other would be a defect, and is named too.
        name = DOKU_UNTIED_FIELDS if error.setting == "untied_fields" else f"the setting {error.setting}"
        raise ConfigurationError([f"{name} {error.rule}"]) from None


def read_inbound_keys(credentials: CredentialSource, *, previous: bool) -> InboundKeys:
    """Return the keys that verify DOKU's calls: the current secret's, and the `previous` one's while there is one."""
    current = credentials.current()
    before = credentials.previous() if previous else None
    both = [current] if before is None else [current, before]
    return InboundKeys(
        client_id=current.client_id,
        client_key=current.doku_client_key,
        secret_keys=[one.secret_key for one in both],
        doku_public_keys=[one.doku_public_key for one in both],
        issued_token_keys=[one.issued_token_key for one in both],
    )
