"""The doors without a caller: queues, streams, the schedule. One bad record never takes others along."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest

from direct_debit.application.chains import LONGEST_CHAIN
from direct_debit.application.errors import Conflict, StoreUnavailable, Undeliverable
from direct_debit.application.ports.history import HistoryEntry
from direct_debit.application.ports.inbox import InboxItem
from direct_debit.application.ports.messages import OutboxEvent
from direct_debit.entrypoint import schedule
from direct_debit.entrypoint.queue import MAX_RECEIVES
from direct_debit.entrypoint.stream import consume
from tests.fakes.poison import with_poisoned_record
from tests.fakes.weather import Fault, Weather
from tests.integration.handlers.house import House, payment_body
from tests.integration.handlers.test_events import read
from tools.doku_simulator.dials import Dial
from tools.doku_simulator.magic_values import RIGHT_OTP
from tools.make_events import AT

REF = {"ref": "INV000000001"}


class StoreDown(Weather):
    """The tables do not answer."""

    def draw(self, name: str) -> Fault:
        return Fault.FAIL if name.startswith("store.") else Fault.NONE


def batch(*bodies: str) -> dict[str, Any]:
    """An SQS event."""
    return {"Records": [{"messageId": f"m{number}", "body": body} for number, body in enumerate(bodies)]}


def failed(result: dict[str, Any]) -> list[str]:
    """The records that come again."""
    return [entry["itemIdentifier"] for entry in result["batchItemFailures"]]


def test_a_store_that_is_down_keeps_the_message(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.world.weather = StoreDown()
    message = json.dumps({"ref": "INV000000001", "attempt": 0})
    for name in ("process_refund", "inquire_status"):
        assert failed(house.invoke(name, batch(message), seconds=60)) == ["m0"]
    assert "PoisonedMessage" not in capsys.readouterr().out  # trouble of ours is no poison
    assert "StoreUnavailable" in house.log.getvalue()


WORKERS = ["process_notification", "process_refund", "inquire_status"]


def delivered(event: dict[str, Any], times: int) -> dict[str, Any]:
    """The event as SQS gives it at a later delivery."""
    for record in event["Records"]:
        record["attributes"] = {"ApproximateReceiveCount": str(times)}
    return event


@pytest.mark.parametrize("name", WORKERS)
def test_a_record_that_comes_alone_is_begun_however_little_time_is_left(house: House, name: str) -> None:
    message = json.dumps({"ref": "INV000000001", "inboxId": "1"})
    assert failed(house.invoke(name, batch(message), seconds=1)) == []


def test_of_several_records_what_is_not_begun_in_time_comes_again(house: House) -> None:
    message = json.dumps({"ref": "INV000000001"})
    assert failed(house.invoke("inquire_status", batch(message, message), seconds=9)) == ["m1"]


@pytest.mark.parametrize("name", WORKERS)
def test_trouble_of_the_store_never_puts_a_message_aside(house: House, name: str) -> None:
    house.world.weather = StoreDown()
    event = batch(json.dumps({"ref": "INV000000001", "inboxId": "1"}))
    for times in range(1, MAX_RECEIVES):
        assert failed(house.invoke(name, delivered(event, times), seconds=60)) == ["m0"]
    assert failed(house.invoke(name, delivered(event, MAX_RECEIVES), seconds=60)) == []
    assert "message let go, left to the sweep" in house.log.getvalue()


def test_only_trouble_that_passes_is_let_go(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error of ours that nobody expects of a worker is a defect: the message is put aside for a person."""

    def get(item_id: str) -> InboxItem | None:
        raise Conflict(f"not here: {item_id}")

    monkeypatch.setattr(house.ports.inbox, "get", get)
    event = delivered(batch(json.dumps({"inboxId": "1"})), MAX_RECEIVES)
    assert failed(house.invoke("process_notification", event, seconds=60)) == ["m0"]
    assert "PoisonedMessage" in capsys.readouterr().out


@pytest.mark.parametrize("name", WORKERS)
def test_what_can_not_be_read_is_given_back_to_the_last(house: House, name: str) -> None:
    assert failed(house.invoke(name, delivered(batch("not JSON"), MAX_RECEIVES), seconds=60)) == ["m0"]


def test_an_unforeseen_error_is_counted_and_keeps_one_record_only(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def get(item_id: str) -> InboxItem | None:
        if item_id == "bad":
            raise ZeroDivisionError("a text that nobody vetted")
        return None

    monkeypatch.setattr(house.ports.inbox, "get", get)
    event = batch(json.dumps({"inboxId": "bad"}), json.dumps({"inboxId": "good"}))
    assert failed(house.invoke("process_notification", event, seconds=60)) == ["m0"]
    assert '"PoisonedMessage"' in capsys.readouterr().out
    assert "ZeroDivisionError" in house.log.getvalue()
    assert "nobody vetted" not in house.log.getvalue()


def lose_a_refund(house: House) -> str:
    """A paid payment whose refund is asked for; DOKU does not answer."""
    binding_id = house.link()
    assert house.call("make_payment", payment_body(binding_id)).status == 201
    assert house.call("verify_payment_otp", {"otp": RIGHT_OTP}, path=REF).status == 200
    house.world.clock.tick(5)
    house.world.pump()
    house.world.simulator.add_dial(Dial("refund", "drop", count=100))
    house.world.simulator.add_dial(Dial("status", "drop", count=100))
    assert house.call("refund_payment", {"reason": "Customer complained"}, path=REF).status == 202
    return REF["ref"]


@pytest.mark.parametrize(
    ("chain", "sent"),
    [
        ({}, [1]),  # a message of a release that did not count
        ({"chain": 0}, [1]),
        ({"chain": LONGEST_CHAIN - 1}, [LONGEST_CHAIN]),
        ({"chain": LONGEST_CHAIN}, []),  # the sweep goes on, with a new chain
        ({"chain": True}, [1]),
    ],
)
def test_a_worker_sends_the_next_step_until_its_chain_is_full(
    house: House, chain: dict[str, object], sent: list[int]
) -> None:
    ref = lose_a_refund(house)
    house.world.queues.waiting.clear()
    message = json.dumps({"ref": ref, "attempt": 0, **chain})
    assert failed(house.invoke("process_refund", batch(message), seconds=60)) == []
    waiting = [message for _, _, message, _ in house.world.queues.waiting]
    assert [(message.queue, message.chain) for message in waiting] == [("refund", number) for number in sent]
    payment = house.ports.payments.get(ref)
    assert payment is not None
    assert payment.refund is not None
    assert payment.refund.due_at is not None


def test_a_step_that_is_far_is_left_to_its_due_time(house: House) -> None:
    ref = lose_a_refund(house)
    house.world.queues.waiting.clear()
    house.world.clock.tick(1900)  # the next step is at two hours
    house.world.simulator.dials.clear()
    house.world.simulator.add_dial(Dial("refund", "code", "before", code="40314", count=100))
    assert failed(house.invoke("process_refund", batch(json.dumps({"ref": ref})), seconds=60)) == []
    assert house.world.queues.waiting == []
    payment = house.ports.payments.get(ref)
    assert payment is not None
    assert payment.refund is not None
    assert payment.refund.due_at is not None


def test_the_sweep_hands_on_what_is_due(house: House) -> None:
    binding_id = house.link()
    body = payment_body(binding_id, amount={"value": "10504.00", "currency": "IDR"})
    assert house.call("make_payment", body).json["state"] == "UNKNOWN"
    house.world.clock.tick(3600)
    house.world.queues.waiting.clear()
    assert house.invoke("resolve_pending", {}, seconds=60) == {"visited": 1, "failed": 0}
    assert [message.queue for _, _, message, _ in house.world.queues.waiting] == ["inquiry"]
    assert house.invoke("resolve_pending", {"workers": -1}, seconds=60)["visited"] == 1


def test_the_sweep_hands_on_what_the_workers_get_done(house: House) -> None:
    binding_id = house.link()
    for number in range(5):
        body = payment_body(
            binding_id, partnerReferenceNo=f"INV00000000{number}", amount={"value": "10504.00", "currency": "IDR"}
        )
        assert house.call("make_payment", body).json["state"] == "UNKNOWN"
    house.world.clock.tick(3600)
    with patch.object(schedule, "_HANDED_TO_A_WORKER", 2):
        assert [house.invoke("resolve_pending", {"workers": workers}, seconds=60)["visited"] for workers in (1, 2)] == [
            2,
            4,
        ]


# --- streams ---------------------------------------------------------------------------------------------------------


def stream() -> dict[str, Any]:
    """The stream's event file, poisoned: a payment, a record that can not be read, a binding."""
    event = read("publish_events_stream")
    assert isinstance(event, dict)
    return with_poisoned_record(event)


def test_a_record_that_comes_twice_is_recorded_once(house: House) -> None:
    for _ in range(2):
        house.invoke("publish_events", stream(), seconds=60)
    assert len(house.ports.payments.history("INV202603020")) == 1
    ids = [event.id for event in house.world.events.published if event.name == "payment.paid"]
    assert len(ids) == 1  # the history item is the receipt


class BusDown(Weather):
    """The event bus is throttled."""

    def draw(self, name: str) -> Fault:
        return Fault.FAIL if name.startswith("events.") else Fault.NONE


def sequences(event: dict[str, Any]) -> list[str]:
    """The sequence numbers of a stream's event."""
    return [record["dynamodb"]["SequenceNumber"] for record in event["Records"]]


def payments_on_the_stream(house: House, count: int) -> dict[str, Any]:
    """An event of the stream: as many payments that are paid, each once."""
    event = stream()
    first = json.dumps(event["Records"][0])
    event["Records"] = [
        json.loads(first.replace("INV202603020", f"INV{number:09}").replace("17450439", f"1745{number:04}"))
        for number in range(count)
    ]
    return event


@pytest.mark.parametrize("weather", [StoreDown, BusDown])
def test_what_can_not_be_taken_now_comes_again_and_nothing_is_put_aside(house: House, weather: type[Weather]) -> None:
    """The bus throttled for a second: all hundred records come again, and are told once it is back."""
    event = payments_on_the_stream(house, 100)
    house.world.weather = weather()
    assert failed(house.invoke("publish_events", event, seconds=60)) == sequences(event)[:1]
    assert (house.failures.sent, house.world.events.published) == ([], [])
    assert '"stream record comes again"' in house.log.getvalue()
    assert "hrottled" in house.log.getvalue() or "ThroughputExceeded" in house.log.getvalue()  # AWS's own word
    house.world.weather = Weather()
    assert failed(house.invoke("publish_events", event, seconds=60)) == []
    assert [one.name for one in house.world.events.published] == ["payment.paid"] * 100


def test_a_workflow_that_can_not_be_told_now_is_told_later(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    event = payments_on_the_stream(house, 1)
    event["Records"][0]["dynamodb"]["NewImage"]["taskToken"] = {"S": "task"}

    def fail(*_: object) -> None:
        raise StoreUnavailable("Step Functions answered ThrottlingException")

    with monkeypatch.context() as patch:
        patch.setattr(house.world.workflows, "succeed", fail)
        assert failed(house.invoke("publish_events", event, seconds=60)) == sequences(event)
    assert house.failures.sent == []
    assert failed(house.invoke("publish_events", event, seconds=60)) == []
    assert [token for token, _ in house.world.workflows.completed] == ["task"]


def test_what_follows_a_record_that_comes_again_is_left_to_that_time(house: House) -> None:
    """Lambda gives everything again from there on: nothing of it is put aside, or counted, twice."""
    event = stream()

    class ThirdDown(Weather):
        seen = 0

        def draw(self, name: str) -> Fault:
            self.seen += name == "events.publish"
            return Fault.FAIL if self.seen else Fault.NONE

    event["Records"] = [event["Records"][0], event["Records"][2], event["Records"][1]]
    house.world.weather = ThirdDown()
    house.world.events.refuses = lambda one: one.name == "binding.activated"
    assert failed(house.invoke("publish_events", event, seconds=60)) == [sequences(event)[1]]
    assert [one.name for one in house.world.events.published] == ["payment.paid"]
    assert house.failures.sent == []


def test_an_event_that_the_bus_will_never_take_is_put_aside_and_the_others_go_on(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = house.world.events.publish

    def refuse(event: OutboxEvent) -> None:
        if event.detail.get("partnerReferenceNo") == "INV000000001":
            raise Undeliverable("the bus can not take the event", aws_code="MalformedDetail")
        publish(event)

    monkeypatch.setattr(house.world.events, "publish", refuse)
    house.world.events.refuses = lambda one: one.detail.get("partnerReferenceNo") == "INV000000001"
    event = payments_on_the_stream(house, 3)
    assert failed(house.invoke("publish_events", event, seconds=60)) == []
    assert [(failure["pk"], failure["error"]) for failure in house.failures.sent] == [
        ("PAYMENT#INV000000001", "Undeliverable")
    ]
    told = [one.detail["partnerReferenceNo"] for one in house.world.events.published]
    assert told == ["INV000000000", "INV000000002"]


@pytest.mark.parametrize(("age", "comes_again"), [(0, True), (59, True), (61, False), (86_000, False)])
def test_an_error_of_no_known_kind_gets_a_minute(
    house: House, monkeypatch: pytest.MonkeyPatch, age: int, *, comes_again: bool
) -> None:
    def history(ref: str) -> Sequence[HistoryEntry]:
        raise ZeroDivisionError(ref)

    monkeypatch.setattr(house.ports.payments, "history", history)
    event = payments_on_the_stream(house, 1)
    house.world.clock.set(AT + timedelta(seconds=age))
    assert failed(house.invoke("publish_events", event, seconds=60)) == (sequences(event) if comes_again else [])
    assert [failure["error"] for failure in house.failures.sent] == ([] if comes_again else ["ZeroDivisionError"])


def test_a_record_without_its_time_is_put_aside_at_the_first_error_of_no_known_kind(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def history(ref: str) -> Sequence[HistoryEntry]:
        raise ZeroDivisionError(ref)

    monkeypatch.setattr(house.ports.payments, "history", history)
    event = payments_on_the_stream(house, 1)
    del event["Records"][0]["dynamodb"]["ApproximateCreationDateTime"]
    assert failed(house.invoke("publish_events", event, seconds=60)) == []
    assert [failure["error"] for failure in house.failures.sent] == ["ZeroDivisionError"]


def test_when_publishing_together_fails_in_no_known_way_each_is_published_alone(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def publish_together(events: Sequence[OutboxEvent]) -> frozenset[str]:
        raise ZeroDivisionError(events)

    monkeypatch.setattr(house.world.events, "publish_together", publish_together)
    assert failed(house.invoke("publish_events", payments_on_the_stream(house, 3), seconds=60)) == []
    assert len(house.world.events.published) == 3


class Requests(Weather):
    """Fair weather that notes the effects whose name begins so."""

    def __init__(self, begin: str = "events.") -> None:
        self.begin = begin
        self.names: list[str] = []

    def draw(self, name: str) -> Fault:
        if name.startswith(self.begin):
            self.names.append(name)
        return Fault.NONE


def test_the_events_of_many_payments_take_a_tenth_of_the_requests(house: House) -> None:
    house.world.weather = watch = Requests("")
    house.invoke("publish_events", payments_on_the_stream(house, 100), seconds=60)
    # Each payment: its history read, the receipt, and what lets its account go.
    assert Counter(watch.names) == {
        "events.publish_together": 10,
        "store.query": 100,
        "store.put_item": 100,
        "store.transact_write_items": 100,
    }


def test_what_the_bus_does_not_take_of_several_is_published_in_its_turn(house: House) -> None:
    house.world.events.refuses = lambda one: one.detail.get("partnerReferenceNo") == "INV000000001"
    assert failed(house.invoke("publish_events", payments_on_the_stream(house, 3), seconds=60)) == []
    told = [one.detail["partnerReferenceNo"] for one in house.world.events.published]
    assert told == ["INV000000000", "INV000000002", "INV000000001"]
    assert all(len(house.ports.payments.history(f"INV{number:09}")) == 1 for number in range(3))


def change_before(record: dict[str, Any], state: str, version: int, was: str = "PROCESSING") -> dict[str, Any]:
    """A change of the same payment that lies before one of the stream's."""
    earlier: dict[str, Any] = json.loads(json.dumps(record))
    change = earlier["dynamodb"]
    change["SequenceNumber"] = str(version)
    change["NewImage"] |= {"state": {"S": state}, "version": {"N": str(version)}}
    change["OldImage"] |= {"state": {"S": was}, "version": {"N": str(version - 1)}}
    return earlier


def test_a_change_without_an_event_does_not_part_a_request(house: House) -> None:
    event = payments_on_the_stream(house, 2)
    event["Records"] = [
        change_before(record, *change)
        for record in event["Records"]
        for change in (("PROCESSING", 2, "OTP_SUBMITTED"), ("UNKNOWN", 3), ("PROCESSING", 4, "UNKNOWN"))
    ]
    house.world.weather = watch = Requests()
    assert failed(house.invoke("publish_events", event, seconds=60)) == []
    assert watch.names == ["events.publish_together"]
    assert [[one.version for one in house.ports.payments.history(f"INV{number:09}")] for number in (0, 1)] == [
        [2, 3, 4],
        [2, 3, 4],
    ]


def test_a_payment_at_rest_waits_for_what_is_told_before_it(house: House) -> None:
    """Its history says what was told: not before the change in front of it has its receipt."""
    event = payments_on_the_stream(house, 1)
    (paid,) = event["Records"]
    unknown = change_before(paid, "UNKNOWN", 4)
    event["Records"] = [unknown, paid]
    house.world.weather = watch = Requests("store.query")
    assert failed(house.invoke("publish_events", event, seconds=60)) == []
    assert watch.names == ["store.query"]
    assert [one.name for one in house.world.events.published] == ["payment.unknown", "payment.paid"]


def test_two_changes_of_one_payment_are_never_published_together(house: House) -> None:
    """A throttled first would else be overtaken by the second."""
    event = payments_on_the_stream(house, 2)
    first = event["Records"][0]
    event["Records"] = [
        change_before(first, "OTP_PENDING", 3, "REQUESTED"),
        change_before(first, "UNKNOWN", 4),
        *event["Records"],
    ]
    house.world.events.refuses = lambda one: one.name == "payment.otp_pending"
    assert failed(house.invoke("publish_events", event, seconds=60)) == []
    told = [one.name for one in house.world.events.published if one.detail["partnerReferenceNo"] == "INV000000000"]
    assert told == ["payment.otp_pending", "payment.unknown", "payment.paid"]


def test_a_throttled_event_is_not_overtaken_by_the_next_of_its_payment(house: House) -> None:
    event = payments_on_the_stream(house, 2)
    first = event["Records"][0]
    event["Records"] = [change_before(first, "UNKNOWN", 4), *event["Records"]]
    house.world.events.refuses = lambda one: one.name == "payment.unknown"
    assert failed(house.invoke("publish_events", event, seconds=60)) == []
    told = [one.name for one in house.world.events.published if one.detail["partnerReferenceNo"] == "INV000000000"]
    assert told == ["payment.unknown", "payment.paid"]


def test_when_nothing_can_be_put_aside_the_stream_stops_there(house: House) -> None:
    house.failures.broken = True
    event = stream()
    poisoned = event["Records"][1]["dynamodb"]["SequenceNumber"]
    assert failed(house.invoke("publish_events", event, seconds=60)) == [poisoned]
    assert [event.name for event in house.world.events.published] == ["payment.paid"]


def test_a_stream_without_time_stops_before_it_begins(house: House) -> None:
    event = stream()
    assert failed(house.invoke("publish_events", event, seconds=4)) == [
        event["Records"][0]["dynamodb"]["SequenceNumber"]
    ]
    assert house.world.events.published == []


def test_a_stream_whose_time_ends_reads_no_further(house: House) -> None:
    house.world.weather = watch = Requests("store.query")
    event = payments_on_the_stream(house, 3)
    left = consume(event["Records"], house.ports, has_time=lambda: False, put_aside=lambda *_: True)
    assert left is event["Records"][0]
    assert watch.names == ["store.query"]


@pytest.mark.parametrize("image", ["text", 7, [], {"pk": "text"}])
def test_an_image_that_is_none_is_put_aside(house: House, image: object) -> None:
    event = stream()
    event["Records"][0]["dynamodb"]["NewImage"] = image
    assert failed(house.invoke("publish_events", event, seconds=60)) == []
    assert len(house.failures.sent) == 2


def test_records_of_other_kinds_pass(house: House) -> None:
    event = stream()
    event["Records"][0]["dynamodb"]["NewImage"]["kind"] = {"S": "claim"}
    del event["Records"][1]["dynamodb"]["NewImage"]
    assert failed(house.invoke("publish_events", event, seconds=60)) == []
    assert [event.name for event in house.world.events.published] == ["binding.activated"]
    assert house.failures.sent == []
