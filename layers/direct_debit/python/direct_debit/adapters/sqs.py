"""The queues. A message is a JSON object with an id, an attempt and its place in a chain, nothing personal."""

from __future__ import annotations

import json
import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, Unpack

from botocore.exceptions import BotoCoreError, ClientError

from direct_debit.application.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_sqs.type_defs import ChangeMessageVisibilityRequestTypeDef, SendMessageRequestTypeDef

MAX_DELAY_SECONDS = 900
"""The longest that SQS holds a message back; longer waits are in the record's due time."""

MAX_HIDDEN_SECONDS = 43_200
"""The longest that SQS hides a message from when it was taken; some of it is left for having been taken."""

_TAKEN_SECONDS = 60


class Sqs(Protocol):
    """What is used of boto3's client, with its arguments, responses and errors."""

    def send_message(self, **kwargs: Unpack[SendMessageRequestTypeDef]) -> Mapping[str, object]:
        """Send a message."""
        ...

    def change_message_visibility(self, **kwargs: Unpack[ChangeMessageVisibilityRequestTypeDef]) -> object:
        """Hide a message that was taken, for so long from now."""
        ...


class SqsQueue:
    """One queue to send to."""

    def __init__(self, client: Sqs, url: str) -> None:
        self._client = client
        self._url = url

    def send(self, message: Mapping[str, str | int], delay: float = 0.0) -> None:
        """Send a message, to be delivered after `delay` seconds (bounded). Raises StoreUnavailable."""
        self.send_text(json.dumps(dict(message), separators=(",", ":")), delay)

    def send_text(self, text: str, delay: float = 0.0) -> None:
        """Send a message as it stands. Raises StoreUnavailable."""
        with _unavailable():
            self._client.send_message(QueueUrl=self._url, MessageBody=text, DelaySeconds=bound_delay(delay))

    def hide(self, receipt: str, seconds: float) -> None:
        """Let a message that was taken be delivered again after so many seconds (bounded). Raises StoreUnavailable."""
        hidden = math.ceil(min(max(seconds, 0.0), float(MAX_HIDDEN_SECONDS - _TAKEN_SECONDS)))
        with _unavailable():
            self._client.change_message_visibility(QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=hidden)


@contextmanager
def _unavailable() -> Iterator[None]:
    """Say of every error of a queue's that it is not available."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise StoreUnavailable(f"the queue answered {code}", code=code) from error
    except BotoCoreError as error:
        raise StoreUnavailable(f"the queue did not answer: {type(error).__name__}") from error


class SqsQueues:
    """Implements `Queues`."""

    def __init__(self, *, notifications: SqsQueue, refunds: SqsQueue, inquiries: SqsQueue) -> None:
        self._notifications = notifications
        self._refunds = refunds
        self._inquiries = inquiries

    def send_notification(self, inbox_id: str, chain: int = 0) -> None:
        """Ask for an accepted notification to be processed now: `{"inboxId", "chain"}`."""
        self._notifications.send({"inboxId": inbox_id, "chain": chain})

    def send_refund(self, ref: str, attempt: int, delay: float, chain: int = 0) -> None:
        """Ask for a step of a refund in `delay` seconds: `{"ref", "attempt", "chain"}`."""
        self._refunds.send({"ref": ref, "attempt": attempt, "chain": chain}, delay)

    def send_inquiry(self, ref: str, attempt: int, delay: float, chain: int = 0) -> None:
        """Ask for a status inquiry in `delay` seconds: `{"ref", "attempt", "chain"}`."""
        self._inquiries.send({"ref": ref, "attempt": attempt, "chain": chain}, delay)


def bound_delay(seconds: float) -> int:
    """Return whole seconds that SQS accepts: rounded up, because DOKU refuses what comes too early."""
    return math.ceil(min(max(seconds, 0.0), float(MAX_DELAY_SECONDS)))
