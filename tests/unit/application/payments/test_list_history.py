"""The steps of a payment: its beginning from the record, the others as the outbox told them."""

from direct_debit.application.payments.get_payment import GetPayment, get_payment
from direct_debit.application.payments.list_history import list_history
from direct_debit.application.ports.history import HistoryEntry
from direct_debit.domain.payment import PaymentState
from tests.fakes.journey import REF
from tests.unit.application.support import linked, paid


def test_a_payment_shows_its_beginning_before_anything_is_told() -> None:
    merchant = linked()
    merchant.world.loses = lambda _: True
    payment = merchant.pay().payment
    begun = HistoryEntry(1, payment.created_at, PaymentState.REQUESTED, None, "caller", None)
    assert list_history(payment, merchant.world.process().payments.history(REF)) == [begun]


def test_the_view_of_a_payment_has_every_step_from_its_beginning() -> None:
    merchant = paid()
    view = get_payment(GetPayment(ref=REF), merchant.world.process(), merchant.world.deadline())
    assert [(one.version, one.state) for one in view.history] == [
        (1, "REQUESTED"),
        (2, "OTP_PENDING"),
        (3, "OTP_SUBMITTED"),
        (4, "PROCESSING"),
        (5, "PAID"),
    ]


def test_a_beginning_that_an_older_release_wrote_down_is_not_told_twice() -> None:
    merchant = paid()
    ports = merchant.world.process()
    payment = merchant.payment()
    written = HistoryEntry(1, payment.created_at, "REQUESTED", None, "caller", "as written")
    ports.payments.add_history(REF, written)
    history = list_history(payment, ports.payments.history(REF))
    assert history[0] == written
    assert [one.version for one in history] == [1, 2, 3, 4, 5]
