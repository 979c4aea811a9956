"""The doors without a caller: queues, streams, the schedule. One bad record never takes others along."""

import json
from datetime import timedelta
from typing import Any

import pytest

from direct_debit.application.errors import StoreUnavailable
from direct_debit.application.ports import InboxItem
from direct_debit.application.process_refund import RefundStep
from tests.fakes.queues import Message
from tests.fakes.weather import Fault, Weather
from tests.integration.handlers.house import House, payment_body
from tests.integration.handlers.test_events import read

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


def test_what_is_not_begun_in_time_comes_again(house: House) -> None:
    message = json.dumps({"ref": "INV000000001"})
    assert failed(house.invoke("inquire_status", batch(message, message), seconds=9)) == ["m0", "m1"]


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


@pytest.mark.parametrize(
    ("outcome", "planned"),
    [
        (RefundStep(done=True), []),
        (RefundStep(done=False, retry_after=61.5), [Message("refund", "INV000000001", 3, 61.5)]),
        (RefundStep(done=False, retry_after=900.0), [Message("refund", "INV000000001", 3, 900.0)]),
        (RefundStep(done=False, retry_after=901.0), []),  # longer than SQS can hold: the due time has it
    ],
)
def test_a_refund_plans_its_next_step_by_a_fresh_message(
    house: House, monkeypatch: pytest.MonkeyPatch, outcome: RefundStep, planned: list[Message]
) -> None:
    monkeypatch.setattr("functions.process_refund.handler.process_refund", lambda *_: outcome)
    event = batch(json.dumps({"ref": "INV000000001", "attempt": 2}))
    assert failed(house.invoke("process_refund", event, seconds=60)) == []
    assert [message for _, _, message, _ in house.world.queues.waiting] == planned


def test_the_sweep_hands_on_what_is_due(house: House) -> None:
    binding_id = house.link()
    body = payment_body(binding_id, amount={"value": "10504.00", "currency": "IDR"})
    assert house.call("make_payment", body).json["state"] == "UNKNOWN"
    house.world.clock.tick(3600)
    house.world.queues.waiting.clear()
    assert house.invoke("resolve_pending", {}, seconds=60) == {"visited": 1, "failed": 0}
    assert [message.queue for _, _, message, _ in house.world.queues.waiting] == ["inquiry"]
    assert house.invoke("resolve_pending", {"limit": -1}, seconds=60)["visited"] == 1


# --- streams ---------------------------------------------------------------------------------------------------------


def stream() -> dict[str, Any]:
    """The stream's event file: a payment, a poisoned record, a binding."""
    event = read("publish_events_stream")
    assert isinstance(event, dict)
    return event


def test_a_record_that_comes_twice_is_recorded_once(house: House) -> None:
    for _ in range(2):
        house.invoke("publish_events", stream(), seconds=60)
    assert len(house.ports.payments.history("INV202603020")) == 1
    ids = [event.id for event in house.world.events.published if event.name == "payment.paid"]
    assert len(ids) == 1  # the history item is the receipt


def test_a_store_that_is_down_for_a_moment_is_asked_again(house: House) -> None:
    class OnceDown(Weather):
        struck = False

        def draw(self, name: str) -> Fault:
            if self.struck or not name.startswith("events."):
                return Fault.NONE
            self.struck = True
            return Fault.FAIL

    house.world.weather = OnceDown()
    before = house.world.clock.now()
    assert failed(house.invoke("publish_events", stream(), seconds=60)) == []
    assert house.world.clock.now() - before >= timedelta(seconds=0.2)
    assert [failure["pk"] for failure in house.failures.sent] == ["PAYMENT#POISON"]


def test_a_store_that_stays_down_is_put_aside_by_name(house: House) -> None:
    house.world.weather = StoreDown()
    assert failed(house.invoke("publish_events", stream(), seconds=60)) == []
    first = house.failures.sent[0]
    assert (first["pk"], first["error"]) == ("PAYMENT#INV202603020", StoreUnavailable.__name__)


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
