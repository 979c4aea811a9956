import json
from dataclasses import replace
from datetime import timedelta

import pytest

from direct_debit.application.calls.circuit import record_failure
from direct_debit.application.notifications.accept_notification import AcceptNotification, accept_notification
from direct_debit.application.notifications.notices import PaymentNotice
from direct_debit.application.ports.inbox import InboxKind, InboxState
from direct_debit.domain.binding import BindingState
from direct_debit.domain.payment import Payment, PaymentState, ReviewReason
from direct_debit.domain.refund import RefundState
from tests.fakes.processes import TRANSACTIONS
from tests.fakes.records import with_fields
from tests.integration.handlers.house import binding_body
from tests.integration.handlers.test_newer_records import newer_payment
from tests.unit.ops.conftest import PHONE, REF, Desk
from tools.doku_simulator.dials import Dial
from tools.ops.explain_binding import explain_binding
from tools.ops.explain_payment import explain_payment
from tools.ops.failure import OpsError
from tools.ops.report import DONE, NEEDS_A_PERSON, write_time
from tools.ops.review import close_notification, close_reversal, close_review, review
from tools.ops.system import System


def waiting(system: System) -> list[tuple[str, str, str]]:
    rows = json.loads(json.dumps(review(system).facts))["waiting"]
    return [(row["kind"], row["id"], row["reason"]) for row in rows]


def quarantine(desk: Desk) -> None:
    notice = PaymentNotice("NOBODYS", "00", "1.00", "IDR", customer_id=None, doku_reference=None)
    command = AcceptNotification(kind=InboxKind.PAYMENT, subject="NOBODYS", fact="00", fresh=True, notice=notice)
    accept_notification(command, desk.house.ports)
    desk.house.world.pump()


def test_nothing_waits(desk: Desk) -> None:
    desk.pay()
    report = review(desk.system)
    assert report.status == DONE
    assert report.lines == ["nothing needs a person"]


def test_payments_and_notifications_that_wait_are_listed(desk: Desk) -> None:
    desk.pay("10504.00")
    payment = desk.house.ports.payments.get(REF)
    assert payment is not None
    desk.house.ports.payments.save(
        payment,
        replace(
            payment.noted(payment.updated_at),
            state=PaymentState.NEEDS_REVIEW,
            review=ReviewReason.CONTRADICTION,
            due_at=None,
        ),
    )
    quarantine(desk)
    report = review(desk.system)
    assert report.status == NEEDS_A_PERSON
    found = waiting(desk.system)
    assert ("payment", REF, "contradiction") in found
    assert [(kind, reason) for kind, _, reason in found if kind == "notification"] == [
        ("notification", "payment: unknown_reference")
    ]
    assert len(report.lines) == 3
    (line,) = [line for line in report.lines if "unknown_reference" in line]
    assert "NOBODYS" in line  # what a person asks DOKU about


def test_what_has_to_be_compared_with_dokus_back_office_is_shown(desk: Desk) -> None:
    """A notification with another amount: that, the payment's own amount, and the number under which DOKU logged it."""
    desk.pay("10504.00")
    notice = PaymentNotice(REF, "00", "99999.00", "IDR", customer_id=None, doku_reference=None)
    command = AcceptNotification(kind=InboxKind.PAYMENT, subject=REF, fact="00", fresh=True, notice=notice)
    accept_notification(command, desk.house.ports)
    desk.house.world.pump()
    payment = desk.house.ports.payments.get(REF)
    assert payment is not None
    report = review(desk.system)
    (row,) = [row for row in report.facts["waiting"] if row["kind"] == "notification"]  # type: ignore[attr-defined]  # facts are JSON
    assert (row["amount"], row["externalId"]) == ("10504.00", payment.external_id)
    assert row["reason"] == "payment: amount_mismatch, DOKU told 99999.00 IDR"
    (line,) = [line for line in report.lines if line.startswith("notification")]
    assert "10504.00" in line
    assert payment.external_id in line


def test_what_heals_by_itself_is_told_beside(desk: Desk) -> None:
    desk.pay("10504.00")
    report = review(desk.system)
    assert (report.status, report.facts["unknown"]) == (DONE, 1)
    assert report.lines == [
        "nothing needs a person",
        "1 payment is UNKNOWN: DOKU is being asked about it, without a person",
    ]
    for _ in range(desk.house.ports.settings.circuit_failures):
        record_failure(desk.house.ports)
    report = review(desk.system)
    assert report.status == DONE
    assert report.facts["circuitOpenUntil"] == write_time(desk.house.ports.circuit.read().open_until)
    assert "DOKU does not answer: the circuit is open, new payments get 503" in report.lines[1]


def test_what_this_release_can_not_read_is_listed_with_the_others(desk: Desk) -> None:
    desk.pay("10504.00")
    quarantine(desk)
    newer_payment(desk.house, REF)
    found = waiting(desk.system)
    assert ("payment", REF, "can not be read: state is none that this code knows") in found
    assert {kind for kind, _, _ in found} == {"notification", "payment"}


def test_the_tables_are_never_scanned(desk: Desk) -> None:
    assert not hasattr(desk.house.world.store, "scan")
    quarantine(desk)
    assert len(waiting(desk.system)) == 1


def test_a_notification_is_closed_once_somebody_has_looked(desk: Desk) -> None:
    quarantine(desk)
    ((_, item_id, _),) = waiting(desk.system)
    for _ in range(2):
        assert close_notification(item_id, desk.system).status == DONE
    assert waiting(desk.system) == []
    item = desk.house.ports.inbox.get(item_id)
    assert item is not None
    assert (item.state, item.reason) == (InboxState.PROCESSED, "unknown_reference")
    assert desk.house.world.store.stream(TRANSACTIONS)


def test_a_notification_that_is_not_there_can_not_be_closed(desk: Desk) -> None:
    with pytest.raises(OpsError, match="there is no notification x"):
        close_notification("x", desk.system)


def paid(desk: Desk) -> Payment:
    desk.pay("10504.00")
    desk.house.world.run_for(120)
    payment = desk.house.ports.payments.get(REF)
    assert payment is not None
    assert payment.state is PaymentState.PAID
    return payment


def note(desk: Desk, payment: Payment, **changes: object) -> Payment:
    now = desk.house.world.clock.now()
    return desk.house.ports.payments.save(payment, with_fields(payment.noted(now), **changes))


def next_of(system: System) -> list[str]:
    return [row["next"] for row in json.loads(json.dumps(review(system).facts))["waiting"]]


def test_a_reversed_payment_is_listed_until_it_is_closed(desk: Desk) -> None:
    payment = paid(desk)
    note(desk, payment, reversed_at=desk.house.world.clock.now())
    assert waiting(desk.system) == [
        ("reversal", REF, "PAID, and DOKU's status says that it was cancelled or failed"),
    ]
    assert next_of(desk.system)[0].endswith(f"close-reversal {REF}")
    explained = explain_payment(REF, desk.system)
    assert explained.status == NEEDS_A_PERSON
    assert any(line.startswith("reversed DOKU's status says since 2026-") for line in explained.lines)
    assert any("`close-reversal`" in line for line in explained.lines)
    assert close_reversal(REF, desk.system).facts["closed"] is True
    assert waiting(desk.system) == []
    assert explain_payment(REF, desk.system).status == DONE
    with pytest.raises(OpsError, match=f"there is no reversal to close: {REF}"):
        close_reversal(REF, desk.system)
    with pytest.raises(OpsError, match="there is no such payment: NOPE"):
        close_reversal("NOPE", desk.system)


@pytest.mark.parametrize("reason", ReviewReason)
def test_a_payment_in_review_is_listed_until_it_is_closed(desk: Desk, reason: ReviewReason) -> None:
    desk.pay("10504.00")
    payment = desk.house.ports.payments.get(REF)
    assert payment is not None
    note(desk, payment, state=PaymentState.NEEDS_REVIEW, review=reason, due_at=None)
    assert waiting(desk.system) == [("payment", REF, str(reason))]
    assert next_of(desk.system)[0].endswith(f"close-review {REF}")
    explained = explain_payment(REF, desk.system)
    assert explained.status == NEEDS_A_PERSON
    assert any("`close-review`" in line for line in explained.lines)
    assert close_review(REF, desk.system).lines == [f"closed the review of {REF}, which stays NEEDS_REVIEW"]
    assert waiting(desk.system) == []
    explained = explain_payment(REF, desk.system)
    assert explained.status == DONE
    assert explained.facts["reviewClosedAt"] == write_time(desk.house.world.clock.now())
    assert any("A person has settled it" in line for line in explained.lines)
    with pytest.raises(OpsError, match=f"there is no review to close: {REF}"):
        close_review(REF, desk.system)
    with pytest.raises(OpsError, match="there is no such payment: NOPE"):
        close_review("NOPE", desk.system)


def test_a_reversal_is_listed_while_the_payment_is_still_asked_about(desk: Desk) -> None:
    payment = paid(desk)
    now = desk.house.world.clock.now()
    note(desk, payment, reversed_at=now, questioned_at=now, due_at=now + timedelta(hours=6))
    assert [kind for kind, _, _ in waiting(desk.system)] == ["reversal"]


def test_a_refund_that_doku_refused_is_listed_whoever_asked_for_it(desk: Desk) -> None:
    paid(desk)
    desk.house.world.simulator.dials.add(Dial("refund", "code", when="before", code="40303"))
    desk.house.call("refund_payment", {"partnerRefundNo": "RF1", "reason": "r"}, path={"ref": REF})
    desk.house.world.run_for(120)
    payment = desk.house.ports.payments.get(REF)
    assert payment is not None
    assert payment.refund is not None
    assert (payment.refund.state, payment.refund.automatic) == (RefundState.FAILED, False)
    assert waiting(desk.system) == [("refund", REF, "FAILED, code 4035803")]
    assert f"redrive-refund {REF}" in next_of(desk.system)[0]
    text = "\n".join(explain_payment(REF, desk.system).lines)
    assert "The merchant may refund it" not in text
    assert "A PERSON must look: DOKU refused the refund" in text


def test_a_question_is_listed_after_a_day_without_an_answer(desk: Desk) -> None:
    payment = paid(desk)
    asked = desk.house.world.clock.now()
    note(desk, payment, questioned_at=asked, due_at=asked)
    assert waiting(desk.system) == []
    desk.house.world.simulator.dials.add(Dial("status", "drop", count=10_000))
    desk.house.world.clock.tick(86_340)
    assert waiting(desk.system) == []
    desk.house.world.run_for(120)
    assert waiting(desk.system) == [("question", REF, "PAID, and DOKU does not answer what became of it")]
    explained = explain_payment(REF, desk.system)
    assert explained.status == NEEDS_A_PERSON
    assert any(line.startswith("question DOKU told something odd at 2026-") for line in explained.lines)
    assert any("it is asked until it answers" in line for line in explained.lines)
    desk.house.world.simulator.dials.clear()
    desk.house.world.run_for(7 * 3600, step=600)
    assert waiting(desk.system) == []


def test_an_unlinking_without_an_end_is_listed_after_a_day(desk: Desk) -> None:
    world = desk.house.world
    binding_id = desk.house.link(phone=PHONE)
    assert desk.house.call("unbind_account", path={"id": binding_id}).status == 202
    world.simulator.dials.add(Dial("balance", "drop", count=10_000))
    world.run_for(23 * 3600, step=600)
    assert waiting(desk.system) == []
    world.run_for(2 * 3600, step=600)
    assert [(kind, one) for kind, one, _ in waiting(desk.system)] == [("unlinking", binding_id)]
    assert any(line.startswith("unlink   asked for at") for line in explain_binding(binding_id, desk.system).lines)
    world.simulator.dials.clear()
    world.run_for(1200)
    assert waiting(desk.system) == []


def test_a_link_given_up_without_dokus_word_is_listed_for_two_weeks(desk: Desk) -> None:
    world = desk.house.world
    linked = desk.house.call("bind_account", binding_body(phone=PHONE))
    binding_id = linked.json["bindingId"]
    world.simulator.dials.add(Dial("b2b2c_token", "drop", count=10_000))
    assert world.simulator.customer.complete(linked.json["redirectUrl"].rsplit("/", 1)[1]).linked
    world.run_for(2 * 3600, step=600)
    assert waiting(desk.system) == []
    assert any("without its word the link ends at" in line for line in explain_binding(binding_id, desk.system).lines)
    world.run_for(24 * 3600, step=600)
    binding = desk.house.ports.bindings.get(binding_id)
    assert binding is not None
    assert (binding.state, binding.due_at, binding.untold) == (BindingState.FAILED, None, ())
    assert [(kind, one) for kind, one, _ in waiting(desk.system)] == [("link", binding_id)]
    assert any("It was given up" in line for line in explain_binding(binding_id, desk.system).lines)
    assert desk.house.ports.bindings.list_due(world.clock.now() + timedelta(days=9), 10) == []
    world.clock.tick(14 * 86_400)
    assert waiting(desk.system) == []


def test_a_link_that_its_customer_did_not_finish_is_nobodys_matter(desk: Desk) -> None:
    linked = desk.house.call("bind_account", binding_body(phone=PHONE))
    desk.house.world.run_for(2000)
    binding = desk.house.ports.bindings.get(linked.json["bindingId"])
    assert binding is not None
    assert binding.state is BindingState.FAILED
    assert waiting(desk.system) == []


def test_what_was_not_read_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.pay("10504.00")
    assert review(desk.system).facts["complete"] is True
    monkeypatch.setattr("tools.ops.review._VISITED", 1)
    report = review(desk.system)
    assert report.facts["complete"] is False
    assert report.lines[-1].startswith("perhaps more:")
