"""Deliver one event to the merchant's address: sign, send, write the try down, and say when to try again.

Everything hangs on how long ago the event came to the queue, nothing on how often its message was taken: a delivery
that AWS throttled, or a worker that died, costs no try.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from direct_debit.application.errors import StoreUnavailable
from direct_debit.application.ports.telemetry import Metric, Telemetry
from direct_debit.application.ports.time_and_chance import Clock, Ids
from direct_debit.application.ports.webhooks import (
    WebhookAnswer,
    WebhookKeys,
    WebhookLog,
    WebhookReceiver,
    WebhookSecretUnusable,
    WebhookTry,
)
from direct_debit.application.webhooks.sign_webhook import sign_webhook
from direct_debit.application.webhooks.webhook import Webhook

STANDARD_SCHEDULE = (5, 30, 120, 600, 1800, 3600, 7200, 14400, 28800, 43200, 64800, 90000)
"""When a webhook is tried again, in seconds after its event came. It outlasts a day's outage of the receiver."""

LONGEST_GAP = 39600
"""Between two steps, in seconds: SQS hides a message for twelve hours at most, and jitter takes some of that."""

_JITTER = 0.1  # of a wait at most, upwards only: who was down all night is not met by everybody at once
_LONGEST_JITTER = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookPorts:
    """All that a delivery may touch."""

    clock: Clock
    ids: Ids
    receiver: WebhookReceiver
    keys: WebhookKeys
    log: WebhookLog
    telemetry: Telemetry
    schedule: Sequence[int] = STANDARD_SCHEDULE


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver has taken it."""


@dataclass(frozen=True, slots=True)
class TryAgain:
    """It is to be tried again after so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class GivenUp:
    """The schedule is over: a person, or a replay, decides."""


type Outcome = Delivered | TryAgain | GivenUp


def deliver_webhook(webhook: Webhook, came_at: datetime, ports: WebhookPorts) -> Outcome:
    """Try once to deliver an event that came to the queue at `came_at`; never raises for what the receiver does."""
    at = ports.clock.now()
    if webhook.is_of_link:
        _log(ports, webhook, lambda: _keep(webhook, ports))
    answer = _send(webhook, at, ports)
    one = WebhookTry(subject=webhook.subject, webhook_id=webhook.id, name=webhook.name, at=at, answer=answer)
    _log(ports, webhook, lambda: ports.log.add_try(one))
    if answer.failure is None:
        return Delivered()
    ports.telemetry.count(Metric.WEBHOOK_FAILED)
    _note(ports, webhook, "webhook not taken", answer)
    wait = plan_next(ports.schedule, (ports.clock.now() - came_at).total_seconds(), ports.ids.jitter())
    if wait is not None:
        return TryAgain(wait)
    ports.telemetry.count(Metric.WEBHOOK_GIVEN_UP)
    _note(ports, webhook, "webhook given up", answer)
    return GivenUp()


def plan_next(schedule: Sequence[int], age: float, jitter: float) -> float | None:
    """Return the seconds until the next step of a schedule, `age` seconds after its beginning; None after its end.

    `jitter` in [0, 1) puts it off by up to a tenth.
    """
    following = next((step for step in schedule if step > age), None)
    if following is None:
        return None
    wait = following - age
    return wait + jitter * min(_JITTER * wait, _LONGEST_JITTER)


def _send(webhook: Webhook, at: datetime, ports: WebhookPorts) -> WebhookAnswer:
    try:
        keys = ports.keys.read()
    except WebhookSecretUnusable as error:
        ports.telemetry.count(Metric.SECRET_UNUSABLE)
        ports.telemetry.note("the secret of the webhooks can not be used", reason=error.detail)
        return WebhookAnswer(None, "secret", 0)
    except StoreUnavailable:
        return WebhookAnswer(None, "secret", 0)
    seconds = int(at.timestamp())
    body = webhook.body
    headers = {
        "Content-Type": "application/json",
        "webhook-id": webhook.id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": sign_webhook(keys, webhook.id, seconds, body),
    }
    return ports.receiver.post(headers, body)


def _keep(webhook: Webhook, ports: WebhookPorts) -> None:
    ports.log.keep_event(webhook.subject, webhook.id, webhook.name, webhook.occurred_at, webhook.detail)


def _log(ports: WebhookPorts, webhook: Webhook, write: Callable[[], None]) -> None:
    """Write into the log; an event is not held back because that can not be done now."""
    try:
        write()
    except StoreUnavailable as error:
        _note(ports, webhook, "webhook not logged", None, error.detail)


def _note(
    ports: WebhookPorts, webhook: Webhook, message: str, answer: WebhookAnswer | None, reason: str | None = None
) -> None:
    told = reason if answer is None else f"{answer.failure} {answer.status or ''}".strip()
    of_link = webhook.is_of_link
    ports.telemetry.note(
        message,
        ref=None if of_link else webhook.subject,
        binding_id=webhook.subject if of_link else None,
        state=webhook.name,
        reason=told,
    )
