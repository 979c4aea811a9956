"""A message that our own model of DOKU's refuses, although the door took it, is a defect: nobody says "come again"."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Never
from unittest.mock import patch

import pytest

from direct_debit.application.errors import DirectDebitError, NotDone
from direct_debit.application.ports.telemetry import Metric
from direct_debit.application.refunds.process_refund import redrive_refund
from direct_debit.domain.binding import BindingState
from direct_debit.domain.payment import PaymentState
from direct_debit.domain.refund import RefundState
from direct_debit.entrypoint.errors import describe, name_error
from doku_snap.errors import InvalidMessage
from tests.fakes.invariants import check_at_rest
from tests.fakes.journey import REF, Merchant
from tests.fakes.quiescence import come_to_rest
from tests.fakes.world import World
from tests.unit.application.support import linked, lose_notifications, requests


@contextmanager
def our_model_refuses(message: str) -> Iterator[None]:
    """Let a request model of the signing layer refuse whatever it is given."""

    def refuse(**_: object) -> Never:
        raise InvalidMessage("additionalInfo.remarks", "pattern")

    with patch(f"doku_snap.messages.{message}", refuse):
        yield


def refused(error: DirectDebitError) -> None:
    """Assert what the API and a workflow show of it: a fault of ours, and no word of coming again."""
    assert not isinstance(error, NotDone)
    problem = describe(error)
    assert (problem.kind.status, problem.kind.slug, problem.retry_after) == (500, "internal-error", None)
    assert type(name_error(error)).__name__ == "InternalError"


def test_a_payment_is_released_and_the_caller_told_of_a_fault() -> None:
    merchant = linked()
    with our_model_refuses("payment.PaymentRequest"), pytest.raises(DirectDebitError) as caught:
        merchant.pay()
    refused(caught.value)
    assert (merchant.payment().state, merchant.payment().released) == (PaymentState.REQUESTED, True)
    assert requests(merchant.world, "payment") == 0
    assert merchant.world.telemetry.counts[Metric.UNSENDABLE_MESSAGE] == 1
    assert merchant.pay().payment.state is PaymentState.OTP_PENDING  # once it is mended, under its reference
    assert requests(merchant.world, "payment") == 1


def test_a_payment_that_stays_unsendable_ends_as_one_that_doku_never_got() -> None:
    merchant = linked()
    with our_model_refuses("payment.PaymentRequest"), pytest.raises(DirectDebitError) as caught:
        merchant.pay()
    refused(caught.value)
    come_to_rest(merchant.world)
    assert merchant.payment().state is PaymentState.FAILED
    assert check_at_rest(merchant.world) == []


def test_a_code_is_not_burnt() -> None:
    merchant = linked()
    merchant.pay()
    with our_model_refuses("otp_verification.OtpVerificationRequest"), pytest.raises(DirectDebitError) as caught:
        merchant.enter_otp()
    refused(caught.value)
    assert (merchant.payment().state, merchant.payment().otp_attempts) == (PaymentState.OTP_PENDING, 0)
    assert merchant.enter_otp().payment.state is PaymentState.PROCESSING


def test_a_refund_needs_a_person_at_once_and_can_be_started_again() -> None:
    merchant = linked()
    world = merchant.world
    merchant.pay_to_the_end()
    merchant.refund()
    with our_model_refuses("refund.RefundRequest"):
        come_to_rest(world, 120)
    refund = merchant.payment().refund
    assert refund is not None
    assert refund.state is RefundState.NEEDS_REVIEW
    assert world.telemetry.counts[Metric.REFUND_NEEDS_REVIEW] == 1
    assert world.refunds(REF) == 0
    redrive_refund(REF, world.process())
    come_to_rest(world)
    assert merchant.payment().state is PaymentState.REFUNDED
    assert check_at_rest(world) == []


def test_a_question_that_can_not_be_written_is_asked_again_later() -> None:
    merchant = linked()
    merchant.pay(amount="10504.00")
    with our_model_refuses("status.StatusRequest"):
        lose_notifications(merchant.world)
        come_to_rest(merchant.world, 600)
    assert merchant.payment().state is PaymentState.UNKNOWN
    come_to_rest(merchant.world, 900)
    assert merchant.payment().state is PaymentState.PAID


def test_an_unlinking_stays_as_it_was() -> None:
    merchant = linked()
    with our_model_refuses("account_unbinding.AccountUnbindingRequest"), pytest.raises(DirectDebitError) as caught:
        merchant.unbind()
    refused(caught.value)
    assert merchant.binding().state is BindingState.ACTIVE
    assert merchant.unbind().binding.state is BindingState.UNBIND_OTP_PENDING
    with our_model_refuses("otp_verification.OtpVerificationRequest"), pytest.raises(DirectDebitError) as caught:
        merchant.confirm_unbinding()
    refused(caught.value)
    assert merchant.confirm_unbinding().binding.state is BindingState.UNBOUND


def test_a_link_may_be_asked_for_again() -> None:
    merchant = Merchant(World())
    with our_model_refuses("account_binding.AccountBindingRequest"), pytest.raises(DirectDebitError) as caught:
        merchant.bind()
    refused(caught.value)
    assert merchant.bind().binding.state is BindingState.PENDING
    assert requests(merchant.world, "binding") == 1
