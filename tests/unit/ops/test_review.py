import json
from dataclasses import replace

import pytest

from direct_debit.application.accept_notification import AcceptNotification, accept_notification
from direct_debit.application.notices import PaymentNotice
from direct_debit.application.ports import InboxKind, InboxState
from direct_debit.domain.payment import PaymentState, ReviewReason
from tests.fakes.world import TRANSACTIONS
from tests.unit.ops.conftest import REF, Desk
from tools.ops.failure import OpsError
from tools.ops.report import DONE, NEEDS_A_PERSON
from tools.ops.review import close_notification, review
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
