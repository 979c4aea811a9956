"""AWS behind the weather: the store and the ports that the application writes to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from botocore.exceptions import ClientError, ReadTimeoutError

from direct_debit.adapters.dynamodb.keys import CIRCUIT_KEY
from direct_debit.application.errors import StoreUnavailable, Undeliverable
from tests.fakes.events import RecordingEvents
from tests.fakes.queues import Message
from tests.fakes.weather import Failures
from tests.fakes.workflows import RecordingWorkflows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from direct_debit.application.ports.messages import OutboxEvent
    from tests.simulation.universe import Universe

_PORT_FAULTS = ("crash_before", "crash_after", "fail", "lose")


def store_error(code: str) -> ClientError:
    """Return what boto3 raises for an error code of AWS."""
    return ClientError({"Error": {"Code": code, "Message": code}}, "Call")


STORE_FAILURES = Failures(
    failed=lambda: store_error("ProvisionedThroughputExceededException"),
    lost=lambda: ReadTimeoutError(endpoint_url="dynamodb"),
)
PORT_FAILURES = Failures(failed=lambda: StoreUnavailable("throttled"), lost=lambda: StoreUnavailable("no answer"))


def _makes_payment(request: Mapping[str, object]) -> bool:
    steps = cast("Sequence[Mapping[str, Mapping[str, Mapping[str, object]]]]", request.get("TransactItems", ()))
    return bool(steps) and steps[0].get("Put", {}).get("Item", {}).get("sk") == {"S": "PAYMENT"}


class DynamoDb:
    """The in-memory store behind the weather."""

    def __init__(self, universe: Universe) -> None:
        self._universe = universe
        self._reads = ("crash_before", "crash_after", "fail")
        self._writes = ("crash_before", "crash_after", "fail", "lose", "retry", "conflict")

    def _call(self, name: str, request: Mapping[str, object], faults: Sequence[str]) -> Mapping[str, object]:
        universe = self._universe
        method: Callable[..., Mapping[str, object]] = getattr(universe.store, name)
        rate = universe.plan.store_faults
        if faults is self._writes:
            rate *= 2  # there are fewer of them, and there is more to go wrong
        if universe.in_window(universe.plan.throttling):
            rate, faults = 0.5, ("fail",)
        if _makes_payment(request):
            universe.judge_circuit(makes_payment=True)
        return universe.effect(f"store.{name}", lambda: method(**request), STORE_FAILURES, faults, rate)

    def get_item(self, **kwargs: object) -> Mapping[str, object]:
        answer = self._call("get_item", kwargs, self._reads)
        if kwargs["Key"] == CIRCUIT_KEY:
            self._universe.judge_circuit(makes_payment=False)
        return answer

    def put_item(self, **kwargs: object) -> Mapping[str, object]:
        return self._call("put_item", kwargs, self._writes)

    def update_item(self, **kwargs: object) -> Mapping[str, object]:
        return self._call("update_item", kwargs, self._writes)

    def query(self, **kwargs: object) -> Mapping[str, object]:
        return self._call("query", kwargs, self._reads)

    def transact_write_items(self, **kwargs: object) -> Mapping[str, object]:
        return self._call("transact_write_items", kwargs, self._writes)


class Queues:
    """Implements `Queues` behind the weather."""

    def __init__(self, universe: Universe) -> None:
        self._universe = universe
        self.sent: list[Message] = []

    def send_notification(self, inbox_id: str, chain: int = 0) -> None:
        self._send(Message("notification", inbox_id, chain=chain))

    def send_refund(self, ref: str, attempt: int, delay: float, chain: int = 0) -> None:
        self._send(Message("refund", ref, attempt, delay, chain))

    def send_inquiry(self, ref: str, attempt: int, delay: float, chain: int = 0) -> None:
        self._send(Message("inquiry", ref, attempt, delay, chain))

    def _send(self, written: Message) -> None:
        universe = self._universe
        message = replace(written, lineage=universe.platform.lineage())

        def push() -> None:
            self.sent.append(message)
            universe.platform.post(message)

        universe.effect("queue.send", push, PORT_FAILURES, _PORT_FAULTS, universe.plan.port_faults)


class Events(RecordingEvents):
    """The event bus behind the weather."""

    def __init__(self, universe: Universe) -> None:
        super().__init__()
        self._universe = universe
        self._refused: set[str] = set()

    def publish(self, event: OutboxEvent) -> None:
        u = self._universe
        if self._is_refused(event):
            raise Undeliverable("the bus can not take the event", aws_code="MalformedDetail")
        u.effect("events.publish", lambda: self.note(event), PORT_FAILURES, _PORT_FAULTS, u.plan.port_faults)

    def publish_together(self, events: Sequence[OutboxEvent]) -> frozenset[str]:
        """Take some of the events; nobody hears of which when the answer is lost."""
        u = self._universe
        rate = 3 * u.plan.port_faults  # it is met seldom
        try:
            return u.effect("events.publish_together", lambda: self._take(events), PORT_FAILURES, _PORT_FAULTS, rate)
        except StoreUnavailable:
            return frozenset()

    def _take(self, events: Sequence[OutboxEvent]) -> frozenset[str]:
        u = self._universe
        taken = [event for event in events if not self._is_refused(event)]
        if u.chance(3 * u.plan.port_faults):
            u.happens("events throttled one by one")
            taken = [event for event in taken if u.rng.random() < 0.5]
        for event in taken:
            self.note(event)
        return frozenset(event.id for event in taken)

    def _is_refused(self, event: OutboxEvent) -> bool:
        """Whether the bus will never take an event: until somebody has mended what is wrong with it."""
        u = self._universe
        if u.chance(u.plan.port_faults / 10):
            self._refused.add(event.id)
        return not u.calm and event.id in self._refused


class Workflows(RecordingWorkflows):
    """Waiting executions behind the weather."""

    def __init__(self, universe: Universe) -> None:
        super().__init__()
        self._universe = universe

    def succeed(self, task_token: str, output: Mapping[str, str | None]) -> None:
        u = self._universe
        done = (task_token, dict(output))
        u.effect(
            "workflows.succeed", lambda: self.completed.append(done), PORT_FAILURES, _PORT_FAULTS, u.plan.port_faults
        )
