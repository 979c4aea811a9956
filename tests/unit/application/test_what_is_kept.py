"""What a record keeps about a person: nothing that nobody needs, and nothing in the clear (decision 0051)."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from unittest.mock import Mock, patch

import pytest

from direct_debit.adapters.doku import DokuAdapter
from direct_debit.adapters.dynamodb.inbox import INBOX_KIND
from direct_debit.application.bindings.bind_account import open_pages
from direct_debit.application.calls.seal_anew import seal_anew
from direct_debit.application.errors import NotDone, NotFound
from direct_debit.application.payments.result import open_page
from direct_debit.application.return_pages import ReturnPages
from direct_debit.domain.payment import PaymentState
from direct_debit.domain.refund import RefundEvent, RefundState
from direct_debit.domain.values import FORGOTTEN
from tests.fakes.journey import Merchant
from tests.fakes.processes import BINDINGS, TRANSACTIONS
from tests.fakes.records import with_fields
from tests.fakes.weather import Fault
from tests.fakes.world import World
from tests.unit.application.support import Strike, linked, paid, refund_of, touch_binding, touch_payment

DEVICE = {"device_id": "device4711", "ip_address": "203.0.113.77"}
PAGES = {"success_url": "https://shop.example/paid?who=siti", "failed_url": "https://shop.example/not?who=siti"}


@pytest.fixture
def calls() -> Iterator[dict[str, Mock]]:
    """The calls of DOKU that may carry a device and an address."""
    names = ("make_payment", "verify_payment_otp", "refund_payment")
    with ExitStack() as stack:
        yield {name: stack.enter_context(_watched(name)) for name in names}


def _watched(name: str) -> AbstractContextManager[Mock]:
    return patch.object(DokuAdapter, name, autospec=True, side_effect=getattr(DokuAdapter, name))


def written(merchant: Merchant, *tables: str) -> str:
    """Everything that was ever stored."""
    return str([record.new for table in tables for record in merchant.world.store.stream(table)])


def carried(call: Mock) -> list[tuple[str | None, str | None]]:
    return [(given.args[-1].device_id, given.args[-1].ip_address) for given in call.call_args_list]


def test_device_and_address_go_with_the_payment_and_stay_nowhere(calls: dict[str, Mock]) -> None:
    merchant = linked()
    merchant.pay(**DEVICE, **PAGES)
    merchant.enter_otp()
    merchant.world.run_for(60)
    merchant.refund(reason="why")
    merchant.world.run_for(300)
    assert merchant.payment().state is PaymentState.REFUNDED
    assert carried(calls["make_payment"]) == [("device4711", "203.0.113.77")]
    assert carried(calls["verify_payment_otp"]) == carried(calls["refund_payment"]) == [(None, None)]
    stored = written(merchant, TRANSACTIONS, BINDINGS)
    assert [word for word in ("device4711", "203.0.113.77", "who=siti") if word in stored] == []


def test_a_payment_of_which_nothing_was_sent_is_sent_with_what_its_repeat_brings(calls: dict[str, Mock]) -> None:
    merchant = linked()
    merchant.world.weather = Strike("doku.payment", Fault.FAIL)
    with pytest.raises(NotDone):
        merchant.pay(**DEVICE, **PAGES)
    merchant.world.clock.tick(600)
    merchant.pay(**DEVICE, **PAGES)
    assert carried(calls["make_payment"]) == [("device4711", "203.0.113.77")] * 2
    assert [given.args[2] for given in calls["make_payment"].call_args_list] == [ReturnPages(**PAGES)] * 2


def test_pages_of_a_link_are_sealed_and_those_of_before_are_read() -> None:
    merchant = Merchant(World())
    merchant.bind()
    assert "shop.example" not in written(merchant, BINDINGS)
    expected = ReturnPages("https://shop.example/linked", "https://shop.example/not-linked")
    assert open_pages(merchant.binding(), merchant.world.process()) == expected
    touch_binding(merchant, success_url="https://old.example/a?b=c", failed_url="https://old.example/no")
    back = merchant.come_back(merchant.walk_through_pages())
    assert back.url.startswith("https://old.example/a?bindingId=")


def test_pages_of_before_are_sealed_at_the_next_use() -> None:
    merchant = linked()
    touch_binding(merchant, success_url="https://old.example/a", failed_url="https://old.example/b")
    ports = merchant.world.process()
    sealed = seal_anew(ports, merchant.binding())
    assert ports.vault.is_sealed(sealed.success_url)
    assert ports.vault.is_sealed(sealed.failed_url)
    assert open_pages(sealed, ports) == ReturnPages("https://old.example/a", "https://old.example/b")
    assert seal_anew(ports, sealed) is sealed


def test_the_browser_of_somebody_forgotten_finds_nothing() -> None:
    merchant = Merchant(World())
    merchant.bind()
    url = merchant.walk_through_pages()
    touch_binding(merchant, customer_id=FORGOTTEN + "1")
    with pytest.raises(NotFound):
        merchant.come_back(url)


@pytest.mark.parametrize("kept", ["sealed", "as before"])
def test_a_workflow_is_told_and_its_token_goes(kept: str) -> None:
    merchant = linked()
    merchant.pay(task_token="a-token")
    assert "a-token" not in written(merchant, TRANSACTIONS)
    if kept == "as before":
        touch_payment(merchant, task_token="a-token")
    merchant.enter_otp()
    merchant.world.run_for(60)
    assert [token for token, _ in merchant.world.workflows.completed] == ["a-token"]
    assert merchant.payment().task_token is None


@pytest.mark.parametrize("kept", ["sealed", "as before"])
def test_a_workflow_that_waits_for_a_link_is_told_and_its_token_goes(kept: str) -> None:
    merchant = Merchant(World())
    merchant.bind(task_token="a-token")
    assert "a-token" not in written(merchant, BINDINGS)
    if kept == "as before":
        touch_binding(merchant, task_token="a-token")
    merchant.come_back(merchant.walk_through_pages())
    merchant.world.run_for(60)
    assert [token for token, _ in merchant.world.workflows.completed] == ["a-token"]
    assert merchant.binding().task_token is None


def test_a_workflow_that_asks_again_with_its_token_is_told_once() -> None:
    merchant = linked()
    merchant.pay(task_token="a-token")
    version = merchant.payment().version
    merchant.pay(task_token="a-token")
    assert merchant.payment().version == version
    merchant.pay(task_token="another")
    assert merchant.payment().version == version + 1


def test_dokus_page_is_sealed_until_the_payment_ends() -> None:
    merchant = linked()
    merchant.world.bend = lambda path, answer: (
        {**answer, "webRedirectUrl": "https://pay.example/3ds?c=siti"} if "payment" in path else answer
    )
    payment = merchant.pay().payment
    assert open_page(payment, merchant.world.process()) == "https://pay.example/3ds?c=siti"
    assert "pay.example" not in written(merchant, TRANSACTIONS)
    assert open_page(replace(payment, web_redirect_url="https://old.example"), merchant.world.process()) == (
        "https://old.example"
    )
    merchant.world.bend = None
    merchant.enter_otp()
    merchant.world.run_for(60)
    assert (merchant.payment().state, merchant.payment().web_redirect_url) == (PaymentState.PAID, None)


def test_a_reason_goes_to_doku_each_time_and_is_dropped_when_the_money_is_back(calls: dict[str, Mock]) -> None:
    merchant = paid()
    merchant.world.weather = Strike("doku.refund", Fault.FAIL)
    merchant.refund(reason="Ibu Siti called")
    assert refund_of(merchant).sealed_reason is not None
    merchant.world.run_for(600)
    assert refund_of(merchant).state is RefundState.REFUNDED
    assert [given.args[2] for given in calls["refund_payment"].call_args_list] == ["Ibu Siti called"] * 2
    assert "Ibu Siti" not in written(merchant, TRANSACTIONS)
    assert refund_of(merchant).sealed_reason is None


def test_a_reason_stays_where_the_refund_may_be_sent_again() -> None:
    merchant = paid()
    merchant.refund(reason="why")
    sending = with_fields(refund_of(merchant), state=RefundState.SENDING)
    refused = sending.moved(RefundEvent.REFUSED, sending.evidence)
    assert refused is not None
    assert refused.sealed_reason == sending.sealed_reason is not None


def test_a_reason_of_before_is_sent_as_it_was(calls: dict[str, Mock]) -> None:
    merchant = paid()
    merchant.refund(reason="new")
    touch_payment(merchant, refund=with_fields(refund_of(merchant), reason="as before", sealed_reason=None))
    merchant.world.run_for(120)
    assert [given.args[2] for given in calls["refund_payment"].call_args_list] == ["as before"]


def test_what_a_notification_said_goes_when_it_is_processed() -> None:
    merchant = paid()
    notices = [one for one in merchant.world.store.items(TRANSACTIONS) if one["kind"]["S"] == INBOX_KIND]
    assert {one["state"]["S"] for one in notices} == {"PROCESSED"}
    assert {one["body"]["S"] for one in notices} == {""}
