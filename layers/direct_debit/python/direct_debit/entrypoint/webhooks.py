"""The door of the webhooks' queue: one event at a time; what was not taken stays hidden until its next try.

Unlike the other workers' messages, these are the only copy of their errand. So none ends by being delivered often: it
stays until it is taken, or until its schedule is over, and is put aside by this function then, as it came.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from direct_debit.adapters.aws.clients import AwsClients, make_clients
from direct_debit.adapters.clock import SystemClock
from direct_debit.adapters.dynamodb.client import Store
from direct_debit.adapters.dynamodb.webhook_log import DynamoDbWebhookLog
from direct_debit.adapters.ids import SystemIds
from direct_debit.adapters.sqs import SqsQueue
from direct_debit.adapters.webhook_keys import SecretsManagerWebhookKeys
from direct_debit.adapters.webhook_receiver import HttpWebhookReceiver
from direct_debit.application.errors import InvalidRequest, StoreUnavailable
from direct_debit.application.ports.telemetry import Metric
from direct_debit.application.webhooks.deliver_webhook import (
    Delivered,
    TryAgain,
    WebhookPorts,
    deliver_webhook,
)
from direct_debit.application.webhooks.webhook import read_webhook
from direct_debit.entrypoint.events import Context, Handler, as_mapping
from direct_debit.entrypoint.observability import Observability
from direct_debit.entrypoint.parsing import read_json
from direct_debit.entrypoint.webhook_settings import WebhookEnvironment, read_webhook_environment
from direct_debit.starting.start import end_start, in_lambda


class WebhookMessages(Protocol):
    """The queue's own messages. Both raise StoreUnavailable."""

    def hide(self, receipt: str, seconds: float) -> None:
        """Let nobody have a message again for so many seconds."""
        ...

    def put_aside(self, body: str) -> None:
        """Send a message to the dead-letter queue."""
        ...


@dataclass(frozen=True, slots=True)
class WebhookServices:
    """What the door works with."""

    ports: WebhookPorts
    messages: WebhookMessages
    observability: Observability


_installed: list[WebhookServices] = []


def current() -> WebhookServices:
    """Return this process's services, built on first use. Raises ConfigurationError."""
    if not _installed:
        environment = read_webhook_environment(os.environ)
        aws = make_clients(os.environ, environment.aws_way, SystemClock(), SystemIds())
        _installed.append(build(environment, aws))
    return _installed[-1]


@contextmanager
def install(services: WebhookServices) -> Iterator[None]:
    """Use these services for a while (tests)."""
    _installed.append(services)
    try:
        yield
    finally:
        _installed.remove(services)


def build(environment: WebhookEnvironment, aws: AwsClients) -> WebhookServices:
    """Return new services over these clients. Nobody is asked anything yet."""
    clock, ids = SystemClock(), SystemIds()
    observability = Observability(
        service=environment.service_name, level=environment.log_level, namespace=environment.metrics_namespace
    )
    ports = WebhookPorts(
        clock=clock,
        ids=ids,
        receiver=HttpWebhookReceiver(
            environment.url, environment.timeout, private_networks=environment.private_networks
        ),
        keys=SecretsManagerWebhookKeys(aws.secrets, environment.secret_id, clock, observability),
        log=DynamoDbWebhookLog(Store(aws.dynamodb, clock, ids), environment.log_table),
        telemetry=observability,
        schedule=environment.schedule,
    )
    messages = _Messages(SqsQueue(aws.sqs, environment.queue_url), SqsQueue(aws.sqs, environment.dead_queue_url))
    return WebhookServices(ports, messages, observability)


@dataclass(frozen=True, slots=True)
class _Messages:
    queue: SqsQueue
    dead: SqsQueue

    def hide(self, receipt: str, seconds: float) -> None:
        self.queue.hide(receipt, seconds)

    def put_aside(self, body: str) -> None:
        self.dead.send_text(body)


def open_webhook_door(name: str) -> Handler:
    """Return the handler. In Lambda, a wrong configuration already fails here."""
    if in_lambda():
        current()
        end_start()

    def handler(event: object, context: Context) -> Mapping[str, object]:
        records = as_mapping(event).get("Records")
        if not isinstance(records, list):
            raise InvalidRequest("Records", "this function takes messages of its queue: an event with Records")
        services = current()
        kept = []
        for record in map(as_mapping, records):
            services.observability.begin(operation=name, request_id=context.aws_request_id)
            if not _handle(services, record):
                kept.append({"itemIdentifier": record.get("messageId")})
        return {"batchItemFailures": kept}

    return handler


def _handle(services: WebhookServices, record: Mapping[str, object]) -> bool:
    """Handle one message; return whether it is done with."""
    body, receipt = str(record.get("body", "")), str(record.get("receiptHandle", ""))
    try:
        webhook = read_webhook(as_mapping(read_json(body.encode())))
        came_at = _read_time(record, services)
    except InvalidRequest as error:
        services.ports.telemetry.count(Metric.POISONED_MESSAGE)
        services.observability.failed("message can not be read", error, item=str(record.get("messageId")))
        return _put_aside(services, body)
    try:
        outcome = deliver_webhook(webhook, came_at, services.ports)
    except Exception as error:  # noqa: BLE001 - its text may hold what was sent, and Lambda would print it
        services.ports.telemetry.count(Metric.POISONED_MESSAGE)
        services.observability.failed("message not handled", error, item=str(record.get("messageId")))
        return False
    if isinstance(outcome, Delivered):
        return True
    if not isinstance(outcome, TryAgain):
        return _put_aside(services, body)
    try:
        services.messages.hide(receipt, outcome.seconds)
    except StoreUnavailable as error:
        # It comes again after the queue's own visibility, and the schedule goes on by its age.
        services.ports.telemetry.note("message not hidden", reason=error.detail)
    return False


def _put_aside(services: WebhookServices, body: str) -> bool:
    try:
        services.messages.put_aside(body)
    except StoreUnavailable as error:
        services.ports.telemetry.note("message not put aside", reason=error.detail)
        return False
    return True


def _read_time(record: Mapping[str, object], services: WebhookServices) -> datetime:
    """Return when a message came to the queue."""
    sent = as_mapping(record.get("attributes")).get("SentTimestamp")
    if not isinstance(sent, str) or not sent.isdecimal():
        return services.ports.clock.now()
    return datetime.fromtimestamp(int(sent) / 1000, UTC)
