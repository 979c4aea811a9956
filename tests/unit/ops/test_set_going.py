"""What an operator starts again: a refund, an inquiry, the outbox."""

from dataclasses import replace
from datetime import timedelta

import pytest

from direct_debit.domain.payment import PaymentState
from direct_debit.domain.refund import RefundState
from tests.fakes.processes import BINDINGS, TRANSACTIONS
from tests.unit.ops.conftest import REF, Desk
from tools.doku_simulator.dials import Dial
from tools.ops.failure import OpsError
from tools.ops.queues import read_depth
from tools.ops.redrive_refund import redrive_refund
from tools.ops.report import DONE, NEEDS_A_PERSON
from tools.ops.resolve import resolve
from tools.ops.stream_failures import discard_failure, stream_failures


def stuck_refund(desk: Desk) -> None:
    """A paid payment whose refund has ended in a review."""
    desk.pay("10504.00")
    desk.house.world.run_for(120)
    desk.house.call("refund_payment", {"partnerRefundNo": "RF1", "reason": "r"}, path={"ref": REF})
    payment = desk.house.ports.payments.get(REF)
    assert payment is not None
    assert payment.refund is not None
    refund = replace(payment.refund, state=RefundState.NEEDS_REVIEW, due_at=None, attempts=1)
    desk.house.ports.payments.save(payment, replace(payment.noted(payment.updated_at), refund=refund))


def test_a_refund_is_started_again_under_its_number_and_done_once(desk: Desk) -> None:
    stuck_refund(desk)
    report = redrive_refund(REF, desk.system)
    assert (report.facts["partnerRefundNo"], report.facts["state"]) == ("RF1", "RETRYING")
    with pytest.raises(OpsError, match="is RETRYING; only NEEDS_REVIEW and FAILED can be started again"):
        redrive_refund(REF, desk.system)
    desk.house.world.run_for(300)
    payment = desk.house.ports.payments.get(REF)
    assert payment is not None
    assert payment.state is PaymentState.REFUNDED
    assert desk.house.world.refunds(REF) == 1


def test_a_refund_that_had_worked_is_not_sent_again(desk: Desk) -> None:
    stuck_refund(desk)
    redrive_refund(REF, desk.system)
    desk.house.world.run_for(300)
    payment = desk.house.ports.payments.get(REF)
    assert payment is not None
    assert payment.refund is not None
    # As if the answer had never been written.
    refund = replace(payment.refund, state=RefundState.NEEDS_REVIEW, due_at=None)
    desk.house.ports.payments.save(
        payment, replace(payment.noted(payment.updated_at), state=PaymentState.PAID, refund=refund)
    )
    redrive_refund(REF, desk.system)
    desk.house.world.run_for(300)
    assert desk.house.world.refunds(REF) == 1
    payment = desk.house.ports.payments.get(REF)
    assert payment is not None
    assert payment.state is PaymentState.REFUNDED


def test_a_refused_refund_is_started_again_and_done_once(desk: Desk) -> None:
    desk.pay("10504.00")
    desk.house.world.run_for(120)
    desk.house.world.simulator.dials.add(Dial("refund", "code", when="before", code="40303"))
    desk.house.call("refund_payment", {"partnerRefundNo": "RF1", "reason": "r"}, path={"ref": REF})
    desk.house.world.run_for(120)
    payment = desk.house.ports.payments.get(REF)
    assert payment is not None
    assert payment.refund is not None
    assert payment.refund.state is RefundState.FAILED
    assert redrive_refund(REF, desk.system).facts["state"] == "RETRYING"
    desk.house.world.run_for(300)
    payment = desk.house.ports.payments.get(REF)
    assert payment is not None
    assert payment.state is PaymentState.REFUNDED
    assert desk.house.world.refunds(REF) == 1


def test_no_refund_to_start(desk: Desk) -> None:
    with pytest.raises(OpsError, match="there is no such refund: NOPE"):
        redrive_refund("NOPE", desk.system)


def test_resolve_asks_doku_now(desk: Desk) -> None:
    desk.pay("10504.00")
    desk.house.world.clock.tick(61)
    report = resolve(REF, desk.system)
    assert desk.invoked == ["inquire_status"]
    assert (report.facts["asked"], report.facts["state"]) == (True, "PAID")


def test_resolve_does_not_ask_in_the_first_minute(desk: Desk) -> None:
    desk.pay("10504.00")
    report = resolve(REF, desk.system)
    assert desk.invoked == []
    assert report.facts["asked"] is False
    assert "no inquiry so soon" in report.lines[0]
    desk.house.world.run_for(120)
    payment = desk.house.ports.payments.get(REF)
    assert payment is not None
    assert payment.state is PaymentState.PAID


def test_resolve_changes_no_final_payment_and_leaves_nothing_due(desk: Desk) -> None:
    desk.pay("10504.00")
    desk.house.world.run_for(120)
    report = resolve(REF, desk.system)
    assert report.facts["state"] == "PAID"
    assert report.facts["dueAt"] is None
    with pytest.raises(OpsError, match="there is no payment NOPE"):
        resolve("NOPE", desk.system)


def put_aside(desk: Desk, key: str, sort: str, table: str = TRANSACTIONS) -> None:
    failure = {"eventId": "e", "sequenceNumber": "1", "table": f"arn:aws:dynamodb:r:1:table/{table}"}
    failure |= {"pk": key, "sk": sort, "error": "MalformedItem"}
    desk.put(desk.system.environment.stream_failure_queue_url, failure)


def test_stream_failures_are_listed(desk: Desk) -> None:
    assert stream_failures(desk.system).lines == ["no stream failures"]
    put_aside(desk, f"PAYMENT#{REF}", "PAYMENT")
    desk.put(desk.system.environment.stream_failure_queue_url, {"DDBStreamBatchInfo": {"shardId": "s"}})
    report = stream_failures(desk.system)
    assert report.status == NEEDS_A_PERSON
    assert any(f"PAYMENT#{REF}" in line and "MalformedItem" in line for line in report.lines)
    assert any("given up on by Lambda" in line for line in report.lines)


def test_a_stream_failure_is_given_to_the_outbox_again(desk: Desk) -> None:
    desk.pay("10504.00")
    payment = desk.house.ports.payments.get(REF)
    assert payment is not None
    late = replace(payment.noted(payment.updated_at + timedelta(seconds=1)), state=PaymentState.PAID, due_at=None)
    desk.house.ports.payments.save(payment, late)
    put_aside(desk, f"PAYMENT#{REF}", "PAYMENT")
    put_aside(desk, f"BINDING#{payment.binding_id}", "BINDING", BINDINGS)
    report = stream_failures(desk.system, redrive=True)
    assert report.status == DONE
    assert report.facts["left"] == 0
    assert desk.house.ports.payments.history(REF)[-1].state == "PAID"
    assert "payment.paid" in [event.name for event in desk.house.world.events.published]


def test_what_names_no_record_stays(desk: Desk) -> None:
    url = desk.system.environment.stream_failure_queue_url
    desk.put(url, {"DDBStreamBatchInfo": {}})
    desk.sqs.send_message(QueueUrl=url, MessageBody="{")
    put_aside(desk, "PAYMENT#X", "PAYMENT", "another-stack")
    report = stream_failures(desk.system, redrive=True)
    assert report.status == NEEDS_A_PERSON
    assert read_depth(desk.sqs, url).waiting == 3


def test_what_names_no_record_is_discarded_and_what_does_is_not(desk: Desk) -> None:
    url = desk.system.environment.stream_failure_queue_url
    desk.pay("10504.00")
    put_aside(desk, f"PAYMENT#{REF}", "PAYMENT")
    desk.put(url, {"DDBStreamBatchInfo": {}})
    lines = stream_failures(desk.system).lines[1:]
    ours = next(line.split()[0] for line in lines if "PAYMENT#" in line)
    foreign = next(line.split()[0] for line in lines if "not named" in line)
    with pytest.raises(OpsError, match="names a record of this stack"):
        discard_failure(ours, desk.system)
    discard_failure(foreign, desk.system)
    assert [line.split()[0] for line in stream_failures(desk.system).lines[1:]] == [ours]
