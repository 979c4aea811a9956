"""An account is let go when its payment is at rest, and only then."""

from typing import TYPE_CHECKING, cast

from direct_debit.application.bindings.release_account import release_account
from tests.fakes.journey import REF
from tests.fakes.processes import TRANSACTIONS
from tests.unit.application.support import linked, paid

if TYPE_CHECKING:
    from collections.abc import MutableMapping


def test_a_payment_that_may_move_money_keeps_its_account() -> None:
    merchant = linked()
    merchant.pay()
    assert release_account(merchant.binding().id, REF, merchant.world.process()) is False
    assert merchant.binding().open_payments == {REF}


def test_a_payment_at_rest_lets_it_go_and_again() -> None:
    merchant = paid()
    for _ in range(2):
        assert release_account(merchant.binding().id, REF, merchant.world.process()) is True
        assert merchant.binding().open_payments == frozenset()


def test_a_payment_that_can_not_be_read_keeps_its_account() -> None:
    merchant = linked()
    merchant.pay()
    (item,) = [item for item in merchant.world.store.items(TRANSACTIONS) if item["pk"]["S"] == f"PAYMENT#{REF}"]
    cast("MutableMapping[str, object]", item).pop("amount")
    assert release_account(merchant.binding().id, REF, merchant.world.process()) is False
    assert merchant.binding().open_payments == {REF}
