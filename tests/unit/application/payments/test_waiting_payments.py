"""Workflows that wait for a payment: whose token is completed, when, and with what."""

from dataclasses import replace

import pytest

from direct_debit.application.ports.vault import SealedField
from direct_debit.application.tasks.complete_task import complete_binding_task, complete_payment_task
from direct_debit.domain.binding import BindingState
from direct_debit.domain.payment import FailureReason, PaymentFailure, PaymentState
from tests.fakes.journey import REF, Merchant
from tests.fakes.world import World
from tests.unit.application.support import Meanwhile, linked, touch_binding, touch_payment


def completed(merchant: Merchant) -> list[str]:
    return [token for token, _ in merchant.world.workflows.completed]


def test_a_new_wait_for_a_settled_payment_is_completed_at_once_and_not_kept() -> None:
    merchant = linked()
    merchant.pay(task_token="first")
    merchant.enter_otp()
    merchant.world.clock.tick(2)
    merchant.world.pump()
    merchant.pay(task_token="second")
    assert completed(merchant) == ["first", "second"]
    assert merchant.payment().task_token is None


def test_a_payment_that_changes_while_a_workflow_begins_to_wait_for_it_is_waited_for() -> None:
    merchant = linked()
    merchant.pay()
    merchant.world.weather = weather = Meanwhile("store.update_item", lambda: touch_payment(merchant))
    merchant.pay(task_token="task")
    assert weather.done
    kept = merchant.payment()
    assert kept.task_token is not None
    assert merchant.world.process().vault.unseal(kept.task_token, SealedField.PAYMENT_TASK, kept.ref) == "task"


def test_a_link_that_changes_while_a_workflow_begins_to_wait_for_it_is_waited_for() -> None:
    merchant = Merchant(World())
    merchant.bind()
    # The first two writes belong to the proof that is tried before.
    merchant.world.weather = weather = Meanwhile("store.update_item", lambda: touch_binding(merchant), skip=2)
    merchant.bind(task_token="task")
    assert weather.done
    kept = merchant.binding()
    assert kept.task_token is not None
    assert merchant.world.process().vault.unseal(kept.task_token, SealedField.LINK_TASK, kept.id) == "task"


def test_a_payment_for_which_nobody_waits_completes_nothing() -> None:
    merchant = linked()
    merchant.pay_to_the_end()
    complete_payment_task(merchant.world.process(), merchant.payment())
    assert completed(merchant) == []


def test_a_wait_is_completed_by_the_end_of_a_payment_only_and_told_its_reason() -> None:
    merchant = linked()
    payment = merchant.pay(task_token="task").payment
    ports = merchant.world.process()
    complete_payment_task(ports, payment)
    assert completed(merchant) == []
    failed = replace(payment, state=PaymentState.FAILED, failure=PaymentFailure(FailureReason.DECLINED, "06"))
    complete_payment_task(ports, failed)
    outcome = {"partnerReferenceNo": REF, "state": "FAILED", "reason": "declined"}
    assert merchant.world.workflows.completed == [("task", outcome)]


@pytest.mark.parametrize("state", list(BindingState))
def test_a_wait_for_a_link_is_completed_where_it_is_active_or_failed(state: BindingState) -> None:
    merchant = linked()
    binding = replace(merchant.binding(), state=state)
    complete_binding_task(merchant.world.process(), binding)
    complete_binding_task(merchant.world.process(), replace(binding, task_token="task"))
    ended = state in (BindingState.ACTIVE, BindingState.FAILED)
    assert completed(merchant) == (["task"] if ended else [])
