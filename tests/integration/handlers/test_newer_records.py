"""After a rollback: records in a state that this code does not know. It leaves them alone, at every door, and goes on
with all others.
"""

import json
from typing import Any, cast
from unittest.mock import patch

import pytest

from direct_debit.application.errors import StoreUnavailable
from direct_debit.entrypoint import schedule
from tests.fakes.processes import BINDINGS, TRANSACTIONS
from tests.integration.handlers.house import House, binding_body, payment_body
from tests.integration.handlers.test_events import read
from tests.integration.handlers.test_inbound import ask, event
from tools.make_events import AT

REF = "INV000000001"
NEWER = {"S": "SETTLING"}


def change(house: House, table: str, pk: str, sk: str, **attributes: object) -> dict[str, Any]:
    """Write attributes into an item, as newer code did; return the item."""
    key = {"pk": {"S": pk}, "sk": {"S": sk}}
    item = dict(cast("dict[str, Any]", house.world.store.get_item(TableName=table, Key=cast("Any", key))["Item"]))
    item.update(attributes)
    house.world.store.put_item(TableName=table, Item=item)
    return item


def newer_payment(house: House, ref: str = REF, /, **attributes: object) -> dict[str, Any]:
    return change(house, TRANSACTIONS, f"PAYMENT#{ref}", "PAYMENT", **(attributes or {"state": NEWER}))


def newer_binding(house: House, binding: str) -> dict[str, Any]:
    return change(house, BINDINGS, f"BINDING#{binding}", "BINDING", state=NEWER)


def pay(house: House, binding: str, ref: str = REF) -> None:
    assert house.call("make_payment", payment_body(binding, partnerReferenceNo=ref)).status == 201


PAYMENT_CALLS: dict[str, dict[str, Any]] = {
    "get_payment": {},
    "verify_payment_otp": {"body": {"otp": "123456"}},
    "refund_payment": {"body": {"reason": "x"}},
    "get_refund": {},
}


@pytest.mark.parametrize("name", [*PAYMENT_CALLS, "make_payment"])
@pytest.mark.parametrize("attribute", ["state", "refundState"])
def test_a_payment_that_this_code_does_not_understand_is_left_alone(house: House, name: str, attribute: str) -> None:
    binding = house.link()
    pay(house, binding)
    refund = {"refundNumber": {"S": "R1"}, "refundReason": {"S": "x"}, "refundRequestHash": {"S": "h"}}
    newer_payment(house, **{**(refund if attribute == "refundState" else {}), attribute: NEWER})
    written, sent = house.written, house.sent
    if name == "make_payment":
        answer = house.call(name, payment_body(binding, partnerReferenceNo=REF))
    else:
        answer = house.call(name, PAYMENT_CALLS[name].get("body"), path={"ref": REF})
    assert (answer.status, answer.json["type"]) == (503, "/problems/record-unreadable")
    assert int(answer.headers["Retry-After"]) > 0
    assert "SETTLING" not in answer.text
    (line,) = [line for line in map(json.loads, house.log.getvalue().splitlines()) if line["level"] == "ERROR"]
    assert line["reason"].startswith(attribute)
    assert (house.written, house.sent) == (written, sent)


BINDING_CALLS: dict[str, dict[str, Any]] = {
    "get_binding": {},
    "get_balance": {},
    "unbind_account": {},
    "confirm_unbinding": {"body": {"otp": "123456"}},
}


@pytest.mark.parametrize("name", [*BINDING_CALLS, "make_payment", "bind_account"])
def test_a_link_that_this_code_does_not_understand_is_left_alone(house: House, name: str) -> None:
    binding = house.link()
    newer_binding(house, binding)
    written, sent = house.written, house.sent
    if name == "make_payment":
        answer = house.call(name, payment_body(binding))
    elif name == "bind_account":
        answer = house.call(name, binding_body())
    else:
        answer = house.call(name, BINDING_CALLS[name].get("body"), path={"id": binding})
    assert (answer.status, answer.json["type"]) == (503, "/problems/record-unreadable")
    assert (house.written, house.sent) == (written, sent)


def test_the_browser_that_comes_back_to_such_a_link_is_told_to_come_again(house: House) -> None:
    linked = house.call("bind_account", binding_body())
    page = house.world.simulator.customer.complete(linked.json["redirectUrl"].rsplit("/", 1)[1])
    newer_binding(house, linked.json["bindingId"])
    *_, state, outcome = (page.redirect_url or "").split("/")
    answer = house.call("return_from_binding", path={"state": state, "outcome": outcome})
    assert (answer.status, answer.json["type"]) == (503, "/problems/record-unreadable")


def test_a_plain_command_fails_by_a_name_that_workflows_repeat(house: House) -> None:
    pay(house, house.link())
    newer_payment(house)
    with pytest.raises(StoreUnavailable) as error:
        house.invoke("get_payment", {"partnerReferenceNo": REF})
    assert type(error.value) is StoreUnavailable


def test_a_list_shows_the_others_and_names_what_it_does_not_show(house: House) -> None:
    first = house.link()
    assert house.call("unbind_account", path={"id": first}).status in (200, 202)
    house.call("confirm_unbinding", {"otp": "123456"}, path={"id": first})
    house.world.run_for(120)
    second = house.link()
    newer_binding(house, first)
    listed = house.call("list_bindings", query={"customerId": "CUST-1"})
    assert listed.status == 200
    assert [one["bindingId"] for one in listed.json["bindings"]] == [second]
    assert listed.json["notShown"] == [first]
    newer_binding(house, second)
    assert house.call("list_bindings", query={"customerId": "CUST-1"}).json["notShown"] == [second, first]


def sqs(*bodies: dict[str, object]) -> dict[str, object]:
    return {
        "Records": [
            {"messageId": f"m{number}", "body": json.dumps(body), "attributes": {"ApproximateReceiveCount": "1"}}
            for number, body in enumerate(bodies)
        ]
    }


@pytest.mark.parametrize("name", ["inquire_status", "process_refund"])
def test_a_workers_message_about_one_comes_again_and_its_neighbours_go_on(house: House, name: str) -> None:
    binding = house.link()
    pay(house, binding)
    pay(house, binding, "INV000000002")
    newer_payment(house)
    written, sent = house.written, house.sent
    messages = sqs({"ref": REF, "attempt": 0}, {"ref": "INV000000002", "attempt": 0})
    assert house.invoke(name, messages, seconds=60) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert house.written == written or name == "inquire_status"
    assert house.sent == sent or name == "inquire_status"


def test_a_notification_kept_by_newer_code_is_not_taken_for_processed(house: House) -> None:
    house.world.clock.set(AT)
    assert ask(house, event()) == (200, "2005600")
    item_id = house.world.queues.waiting[0][2].subject
    change(house, TRANSACTIONS, f"INBOX#{item_id}", "INBOX", state=NEWER)
    written = house.written
    assert ask(house, event()) == (500, "5005600")  # DOKU comes again
    answer = house.invoke("process_notification", sqs({"inboxId": item_id}), seconds=60)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert house.written == written


def test_the_stream_puts_one_aside_at_once_and_tells_the_others(house: House) -> None:
    records = cast("dict[str, Any]", read("publish_events_stream"))
    newer = json.loads(json.dumps(records["Records"][0]))
    newer["dynamodb"]["NewImage"]["state"] = NEWER
    newer["dynamodb"]["Keys"]["pk"]["S"] = "PAYMENT#NEWER"
    slept = len(house.world.clock.slept)
    answer = house.invoke("publish_events", {"Records": [newer, records["Records"][0]]}, seconds=60)
    assert answer == {"batchItemFailures": []}
    assert [failure["pk"] for failure in house.failures.sent] == ["PAYMENT#NEWER"]
    assert [one.name for one in house.world.events.published] == ["payment.paid"]
    assert len(house.world.clock.slept) == slept


def test_the_sweep_goes_past_them_however_many_they_are(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    binding = house.link()
    refs = [f"INV00000001{number}" for number in range(5)]
    for ref in refs:
        pay(house, binding, ref)
    long_ago = {"S": "2020-01-01T00:00:00.000000Z"}
    for ref in refs[:3]:
        newer_payment(house, ref, state=NEWER, dueAt=long_ago)
    change(house, TRANSACTIONS, f"PAYMENT#{refs[3]}", "PAYMENT", dueAt=long_ago, ownDueAt=long_ago)
    waiting = len(house.world.queues.waiting)
    capsys.readouterr()
    with patch.object(schedule, "_HANDED_TO_A_WORKER", 1):
        swept = house.invoke("resolve_pending", {"workers": 1}, seconds=60)
    assert swept == {"visited": 4, "failed": 3}
    assert [message.subject for _, _, message, _ in house.world.queues.waiting[waiting:]] == [refs[3]]
    assert capsys.readouterr().out.count('"Name":"RecordUnreadable"') == 3
    lines = [json.loads(line) for line in house.log.getvalue().splitlines()]
    told = [line["reason"] for line in lines if "can not be read" in line["message"]]
    assert [reason.split(":")[0] for reason in told] == [f"payment {ref}" for ref in refs[:3]]


def test_a_link_full_of_payments_makes_room_by_those_that_are_understood(house: House) -> None:
    binding = house.link()
    most = house.ports.settings.max_open_payments
    refs = [f"INV0000000{number:02}" for number in range(most)]
    for ref in refs:
        pay(house, binding, ref)
    newer_payment(house, refs[0])
    # One of the others is settled, and nobody has said so yet.
    failed = {"state": {"S": "FAILED"}, "failureReason": {"S": "declined"}}
    change(house, TRANSACTIONS, f"PAYMENT#{refs[1]}", "PAYMENT", **failed)
    assert house.call("make_payment", payment_body(binding, partnerReferenceNo="INVLAST")).status == 201
    stored = house.ports.bindings.get(binding)
    assert stored is not None
    assert refs[0] in stored.open_payments
