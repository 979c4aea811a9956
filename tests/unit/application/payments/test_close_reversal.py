"""A reversal is closed by a person: once, whatever happens meanwhile, and nothing else changes."""

from dataclasses import replace

import pytest

from direct_debit.application.errors import NotFound, Rejected
from direct_debit.application.payments.close_reversal import close_reversal
from direct_debit.domain.payment import Payment, PaymentState
from tests.fakes.journey import REF, Merchant
from tests.fakes.records import with_fields
from tests.unit.application.support import Meanwhile, linked


def reversed_payment() -> Merchant:
    """A payment that is PAID, and of which DOKU says since that it is not."""
    merchant = linked()
    merchant.pay_to_the_end()
    change(merchant, reversed_at=merchant.world.clock.now())
    return merchant


def change(merchant: Merchant, **changes: object) -> Payment:
    payments, payment = merchant.world.process().payments, merchant.payment()
    return payments.save(payment, with_fields(payment.noted(merchant.world.clock.now()), **changes))


def test_a_reversal_is_closed_and_nothing_else_changes() -> None:
    merchant = reversed_payment()
    before = merchant.payment()
    closed = close_reversal(REF, merchant.world.process())
    assert closed.reversed_at is None
    assert closed == replace(before, reversed_at=None, version=before.version + 1, updated_at=closed.updated_at)
    assert merchant.payment() == closed
    assert merchant.world.telemetry.notes[-1] == ("reversal closed", {"ref": REF, "state": "PAID"})


def test_a_second_time_there_is_nothing_to_close_and_nothing_is_written() -> None:
    merchant = reversed_payment()
    closed = close_reversal(REF, merchant.world.process())
    with pytest.raises(Rejected, match="no reversal"):
        close_reversal(REF, merchant.world.process())
    assert merchant.payment() == closed


def test_a_change_in_between_is_kept() -> None:
    merchant = reversed_payment()
    world = merchant.world
    world.weather = Meanwhile("store.update_item", lambda: change(merchant, questioned_at=world.clock.now()))
    closed = close_reversal(REF, world.process())
    assert closed.questioned_at is not None
    assert (closed.reversed_at, closed.state) == (None, PaymentState.PAID)


def test_what_is_closed_in_between_is_not_closed_twice() -> None:
    merchant = reversed_payment()
    world = merchant.world
    world.weather = Meanwhile("store.update_item", lambda: change(merchant, reversed_at=None))
    with pytest.raises(Rejected):
        close_reversal(REF, world.process())


def test_there_is_no_such_payment() -> None:
    with pytest.raises(NotFound):
        close_reversal("NOPE", linked().world.process())
