"""What is written of a payment as it is asked for, sent, sent again and answered; and what an account has room for."""

from dataclasses import replace
from datetime import timedelta
from unittest.mock import patch

import pytest

from direct_debit.adapters.doku import DokuAdapter
from direct_debit.adapters.dynamodb.payments import DynamoDbPayments
from direct_debit.application.calls.circuit import record_failure
from direct_debit.application.errors import CircuitOpen, Conflict, InvalidRequest, NotDone, StoreUnavailable
from direct_debit.application.payments.make_payment import MakePayment, make_payment
from direct_debit.application.payments.result import PaymentResult, open_page
from direct_debit.application.ports.payments import BindingUnusable, KeyTaken
from direct_debit.application.ports.vault import SealedField
from direct_debit.application.return_pages import ReturnPages
from direct_debit.domain.binding import BindingState
from direct_debit.domain.money import Amount
from direct_debit.domain.payment import FailureReason, Payment, PaymentFailure, PaymentState
from tests.fakes.journey import REF, Merchant
from tests.fakes.records import with_fields
from tests.fakes.weather import Crash, Fault
from tests.fakes.world import World
from tests.unit.application.support import Meanwhile, Strike, linked, paid_untold, requests, touch_payment
from tools.doku_simulator.config import ProviderVariant
from tools.doku_simulator.operations import Json

MINUTE = timedelta(minutes=1)


def ask(merchant: Merchant, **more: object) -> PaymentResult:
    command = MakePayment(
        **{  # type: ignore[arg-type]  # by name
            "binding_id": merchant.binding().id,
            "amount": Amount.parse("10000.00"),
            "remarks": "Order 1",
            "partner_reference_no": REF,
            **more,
        }
    )
    return make_payment(command, merchant.world.process(), merchant.world.deadline())


# --- asked for -------------------------------------------------------------------------------------------------------


def test_a_payment_is_due_before_it_is_sent() -> None:
    merchant = linked()
    merchant.world.weather = Strike("doku.payment", Fault.CRASH_BEFORE)
    with pytest.raises(Crash):
        merchant.pay(task_token="task")
    payment = merchant.payment()
    assert (payment.state, payment.version) == (PaymentState.REQUESTED, 1)
    kept = merchant.world.process().vault.unseal(payment.task_token or "", SealedField.PAYMENT_TASK, REF)
    assert kept == "task"
    assert payment.due_at is not None
    assert 61 <= (payment.due_at - payment.sent_at).total_seconds() <= 65
    assert (payment.untold, payment.tell_by) == ((), None)  # how it begins is in the record


@pytest.mark.parametrize(
    ("given", "default", "expected"),
    [
        ("https://shop.example/a", "https://shop.example/b", "https://shop.example/a"),
        (None, "https://d/", "https://d/"),
    ],
)
def test_the_requests_pages_come_before_the_deployments(given: str | None, default: str, expected: str) -> None:
    merchant = linked()
    world = merchant.world
    world.settings = replace(world.settings, default_success_url=default, default_failed_url=default)
    with patch.object(DokuAdapter, "make_payment", autospec=True, side_effect=DokuAdapter.make_payment) as sent:
        ask(merchant, success_url=given, failed_url=given)
    assert sent.call_args.args[2] == ReturnPages(expected, expected)


@pytest.mark.parametrize("missing", ["success", "failed"])
def test_a_page_that_nobody_gave_is_named(missing: str) -> None:
    merchant = linked()
    world = merchant.world
    world.settings = with_fields(world.settings, **{f"default_{missing}_url": None})
    with pytest.raises(InvalidRequest) as refused:
        merchant.pay()
    assert refused.value.field == f"{missing}Url"
    assert requests(world, "payment") == 0


def test_a_first_answer_is_no_repetition() -> None:
    assert not linked().pay().replayed


def test_of_two_equal_requests_at_once_the_slower_returns_the_payment_of_the_faster() -> None:
    merchant = linked()
    merchant.world.weather = weather = Meanwhile("store.transact_write_items", merchant.pay)
    result = merchant.pay()
    assert weather.done
    assert (result.replayed, result.payment) == (True, merchant.payment())
    assert requests(merchant.world, "payment") == 1


def test_what_stops_a_new_payment_stops_no_repeat() -> None:
    merchant = linked()
    first = merchant.pay().payment
    for _ in range(merchant.world.settings.circuit_failures):
        record_failure(merchant.world.process())
    assert merchant.pay() == PaymentResult(first, replayed=True)
    bindings, binding = merchant.world.process().bindings, merchant.binding()
    bindings.save(binding, replace(binding.noted(binding.updated_at), state=BindingState.RELINK_REQUIRED))
    assert merchant.pay() == PaymentResult(first, replayed=True)


@pytest.mark.parametrize(
    ("state", "says"),
    [(BindingState.RELINK_REQUIRED, "link the account again"), (BindingState.UNBIND_OTP_PENDING, "UNBIND_OTP_PENDING")],
)
def test_a_link_that_ends_before_the_payment_is_written_refuses_it_by_its_state(state: BindingState, says: str) -> None:
    merchant = linked()
    bindings, binding = merchant.world.process().bindings, merchant.binding()

    def end() -> None:
        bindings.save(binding, replace(binding.noted(merchant.world.clock.now()), state=state))

    merchant.world.weather = Meanwhile("store.transact_write_items", end)
    with pytest.raises(Conflict, match=says):
        merchant.pay()
    assert merchant.world.process().payments.get(REF) is None


def test_a_payment_that_its_key_names_and_that_can_not_be_read_is_worth_another_try() -> None:
    merchant = linked()
    with patch.object(DynamoDbPayments, "create", lambda *_: KeyTaken("GONE")), pytest.raises(StoreUnavailable):
        ask(merchant, partner_reference_no=None, idempotency_key="cart-7")
    assert requests(merchant.world, "payment") == 0


# --- room ------------------------------------------------------------------------------------------------------------


def small() -> World:
    """A deployment that allows an account one open payment."""
    world = World()
    world.settings = replace(world.settings, max_open_payments=1)
    return world


def test_a_settled_payment_of_which_the_stream_has_not_told_makes_room() -> None:
    merchant = paid_untold()
    world = merchant.world
    world.settings = replace(world.settings, max_open_payments=1)
    assert merchant.binding().open_payments == {REF}
    assert merchant.pay("NEXT").payment.state is PaymentState.OTP_PENDING
    assert merchant.binding().open_payments == {"NEXT"}


def test_an_account_full_of_unfinished_payments_takes_no_other_and_is_tried_once() -> None:
    merchant = linked(small())
    merchant.pay("FIRST")
    merchant.world.weather = effects = Strike("", Fault.NONE)
    with pytest.raises(Conflict, match="too many unfinished payments"):
        merchant.pay()
    assert effects.names.count("store.transact_write_items") == 1
    assert merchant.binding().open_payments == {"FIRST"}


def test_where_the_account_is_not_full_nothing_is_let_go() -> None:
    merchant = paid_untold()
    world = merchant.world
    bindings = world.process().bindings

    def end() -> None:
        binding = merchant.binding()
        ended = replace(binding.noted(world.clock.now()), state=BindingState.RELINK_REQUIRED)
        bindings.save(binding, ended)

    world.weather = Meanwhile("store.transact_write_items", end)
    with pytest.raises(Conflict, match="link the account again"):
        merchant.pay("NEXT")
    assert merchant.binding().open_payments == {REF}


def test_a_payment_that_is_refused_for_something_else_than_room_is_tried_once() -> None:
    merchant = linked()
    tried = []

    def refuse(_: DynamoDbPayments, payment: Payment, *__: object) -> BindingUnusable:
        tried.append(payment.ref)
        return BindingUnusable(merchant.binding())

    with patch.object(DynamoDbPayments, "create", refuse), pytest.raises(Conflict):
        merchant.pay()
    assert tried == [REF]


# --- sent again ------------------------------------------------------------------------------------------------------


def released() -> Merchant:
    """A payment of which nothing was sent."""
    merchant = linked()
    merchant.world.weather = Strike("doku.payment", Fault.FAIL)
    with pytest.raises(NotDone):
        merchant.pay()
    merchant.world.clock.tick(600)
    return merchant


def test_a_payment_that_is_sent_again_is_written_anew_before() -> None:
    merchant = released()
    before = touch_payment(merchant, not_found_count=1, not_found_since=merchant.world.clock.now())
    seen: list[Payment] = []
    merchant.world.weather = Meanwhile("doku.payment", lambda: seen.append(merchant.payment()))
    merchant.pay()
    (sent,) = seen
    now = merchant.world.clock.now()
    assert (sent.state, sent.released, sent.sent_at) == (PaymentState.REQUESTED, False, now)
    assert (sent.not_found_count, sent.not_found_since) == (0, None)
    assert sent.attempt != before.attempt
    assert sent.external_id != before.external_id
    assert sent.due_at is not None
    assert now + MINUTE < sent.due_at <= now + timedelta(seconds=65)
    assert merchant.payment().external_id == sent.external_id


def test_nothing_is_sent_again_while_the_circuit_is_open() -> None:
    merchant = released()
    before = merchant.payment()
    for _ in range(merchant.world.settings.circuit_failures):
        record_failure(merchant.world.process())
    with pytest.raises(CircuitOpen):
        merchant.pay()
    assert merchant.payment() == before
    assert requests(merchant.world, "payment") == 0


def test_of_two_who_send_again_at_once_one_sends() -> None:
    merchant = released()
    merchant.world.weather = weather = Meanwhile("store.transact_write_items", merchant.pay)
    result = merchant.pay()
    assert weather.done
    assert (result.replayed, result.payment) == (True, merchant.payment())
    assert requests(merchant.world, "payment") == 1


def test_what_failed_as_not_found_is_sent_again_by_the_setting_only() -> None:
    merchant = linked()
    merchant.pay()
    not_found = PaymentFailure(FailureReason.NOT_FOUND, "07")
    touch_payment(merchant, state=PaymentState.FAILED, failure=not_found)
    assert merchant.pay().replayed
    merchant.world.settings = replace(merchant.world.settings, repost_after_not_found=True)
    assert not merchant.pay().replayed
    assert requests(merchant.world, "payment") == 2
    touch_payment(merchant, state=PaymentState.FAILED, failure=PaymentFailure(FailureReason.DECLINED, "06"))
    assert merchant.pay().replayed
    assert requests(merchant.world, "payment") == 2


def test_a_payment_that_is_not_released_is_never_sent_again() -> None:
    merchant = linked()
    merchant.world.weather = Strike("doku.payment", Fault.CRASH_BEFORE)
    with pytest.raises(Crash):
        merchant.pay()
    assert merchant.pay().replayed
    assert requests(merchant.world, "payment") == 0


def test_a_payment_refused_for_its_token_that_changed_meanwhile_is_unknown_and_not_sent_again() -> None:
    merchant = linked()
    merchant.world.simulator.expire_b2b_tokens()
    merchant.world.weather = Meanwhile("doku.b2b", lambda: touch_payment(merchant, remarks="another"))
    assert merchant.pay().payment.state is PaymentState.UNKNOWN
    assert requests(merchant.world, "payment") == 1


# --- answered --------------------------------------------------------------------------------------------------------


def answered(merchant: Merchant, **facts: object) -> Payment:
    """Pay; DOKU's answer has these facts."""

    def bend(path: str, answer: Json) -> Json:
        return {**answer, **facts} if path == "payment-host-to-host" else answer

    merchant.world.bend = bend
    return merchant.pay().payment


def test_what_the_answer_brings_is_kept() -> None:
    merchant = linked(World(variant=ProviderVariant(otp_required=False)))
    payment = answered(merchant, referenceNo="D-77", webRedirectUrl="https://pay.example/3ds")
    assert payment.doku_reference == "D-77"
    assert payment.web_redirect_url is not None
    assert "pay.example" not in payment.web_redirect_url
    assert open_page(payment, merchant.world.process()) == "https://pay.example/3ds"
    assert payment.response_code == "2005400"


def test_an_answer_that_brings_nothing_takes_nothing_away() -> None:
    merchant = released()
    touch_payment(merchant, doku_reference="D-1", web_redirect_url="https://pay.example/old")
    merchant.world.bend = lambda _, answer: {name: fact for name, fact in answer.items() if name != "referenceNo"}
    payment = merchant.pay().payment
    assert payment.response_code == "4035413"
    assert (payment.doku_reference, payment.web_redirect_url) == ("D-1", "https://pay.example/old")


def test_the_code_of_an_answer_that_settles_nothing_is_kept_and_silence_keeps_the_one_before() -> None:
    merchant = linked()
    payment = answered(merchant, responseCode="4045406")
    assert (payment.state, payment.response_code) == (PaymentState.UNKNOWN, "4045406")
    other = released()
    touch_payment(other, response_code="2005400")
    other.world.weather = Strike("doku.payment", Fault.LOSE)
    lost = other.pay().payment
    assert (lost.state, lost.response_code) == (PaymentState.UNKNOWN, "2005400")
    assert lost.evidence.code is None


def test_a_refused_link_fails_the_payment_with_dokus_code() -> None:
    merchant = linked()
    merchant.world.simulator.unlink_customer(merchant.customer)
    payment = merchant.pay().payment
    assert payment.failure == PaymentFailure(FailureReason.DECLINED, "4017400")
    assert payment.response_code == "4017400"
