"""How full the queues are, and what lies in a dead-letter queue."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.ops.failure import OpsError
from tools.ops.report import DONE, NEEDS_A_PERSON, Report, align
from tools.ops.system import System

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

_BATCH = 10
_NAMES = ("ref", "inboxId", "eventId")
_HOLD_SECONDS = 30  # long enough for a look or for sending a message on
_DEPTHS: "tuple[QueueAttributeNameType, ...]" = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


@dataclass(frozen=True, slots=True)
class Held:
    """A message that nobody else gets for half a minute."""

    id: str
    body: str
    receipt: str


@dataclass(frozen=True, slots=True)
class Depth:
    """Approximate numbers of messages: to be taken, being worked on, delayed."""

    waiting: int
    in_flight: int
    delayed: int

    @property
    def all(self) -> int:
        """Every message that the queue holds."""
        return self.waiting + self.in_flight + self.delayed


def show_queues(system: System) -> Report:
    """Show the depth of every queue; a message in a dead-letter or failure queue needs somebody."""
    rows = [("queue", "waiting", "in flight", "delayed", "dead")]
    facts: dict[str, object] = {}
    dead_ones = 0
    for name, pair in system.queues.items():
        depth, dead = read_depth(system.sqs, pair.url), read_depth(system.sqs, pair.dead_url).all
        dead_ones += dead
        rows.append((name, str(depth.waiting), str(depth.in_flight), str(depth.delayed), str(dead)))
        facts[name] = {
            "waiting": depth.waiting,
            "inFlight": depth.in_flight,
            "delayed": depth.delayed,
            "dead": dead,
        }
    failures = read_depth(system.sqs, system.environment.stream_failure_queue_url).all
    rows.append(("stream failures", "-", "-", "-", str(failures)))
    facts["streamFailures"] = failures
    return Report(facts, align(rows), NEEDS_A_PERSON if dead_ones + failures else DONE)


def read_depth(sqs: "SQSClient", url: str) -> Depth:
    """Return how many messages a queue holds."""
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(_DEPTHS))["Attributes"]
    return Depth(*(int(attributes.get(name, "0")) for name in _DEPTHS))


def take(sqs: "SQSClient", url: str) -> Iterator[Held]:
    """Take messages one after the other, each once, as many as the queue held at the start.

    What is sent back to the queue meanwhile is not taken again, so that this ends. A message that is not deleted shows
    again half a minute later.
    """
    seen: set[str] = set()
    most = read_depth(sqs, url).all
    while len(seen) < most:
        answer = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=_BATCH, VisibilityTimeout=_HOLD_SECONDS, WaitTimeSeconds=1
        )
        fresh = [message for message in answer.get("Messages", []) if message["MessageId"] not in seen]
        if not fresh:
            return
        for message in fresh:
            seen.add(message["MessageId"])
            yield Held(message["MessageId"], message["Body"], message["ReceiptHandle"])


@contextmanager
def peek(sqs: "SQSClient", url: str) -> Iterator[list[Held]]:
    """Look at a queue's messages; afterwards they are there for others at once."""
    held = list(take(sqs, url))
    try:
        yield held
    finally:
        for message in held:
            sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message.receipt, VisibilityTimeout=0)


@contextmanager
def hold(sqs: "SQSClient", url: str, message_id: str) -> Iterator[Held]:
    """Have one message of a queue; the others, and this one unless it is deleted, are there for others afterwards.

    Raises OpsError when it is not found.
    """
    with peek(sqs, url) as held:
        found = next((message for message in held if message.id == message_id), None)
        if found is None:
            queue = url.rpartition("/")[2]
            raise OpsError(f"no message {message_id} among the {len(held)} of {queue}")
        yield found
        # One that was deleted can not be let go; one that was not shows again by itself, half a minute later.
        held.remove(found)


def name_record(body: str) -> str:
    """Return the record or event that a message names, `ref INV1` or `eventId INV1:5:payment.paid`; nothing else."""
    try:
        document: object = json.loads(body)
    except ValueError:
        document = None
    fields = document if isinstance(document, dict) else {}
    detail = fields.get("detail")
    if isinstance(detail, dict):  # an event of the bus
        fields = {"eventId": detail.get("eventId")}
    named = [f"{name} {fields[name]}" for name in _NAMES if isinstance(fields.get(name), str)]
    return ", ".join(named) or "names no record of ours"
