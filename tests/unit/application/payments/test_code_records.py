"""What is written of a customer's code: before it is sent, when it was not, and with its answer."""

from datetime import timedelta

import pytest

from direct_debit.application.errors import Conflict, CustomerActionRequired, NotDone, Rejected
from direct_debit.domain.evidence import EvidenceSource
from direct_debit.domain.payment import Payment, PaymentState
from tests.fakes.invariants import WRONG_OTP
from tests.fakes.journey import Merchant
from tests.fakes.weather import Fault
from tests.unit.application.support import Meanwhile, Strike, linked, requests, touch_payment
from tools.doku_simulator.dials import Dial


def awaiting() -> Merchant:
    """A payment that has waited for its code for three minutes."""
    merchant = linked()
    merchant.pay()
    merchant.world.clock.tick(180)
    return merchant


def test_a_code_is_written_down_as_under_way_before_it_is_sent() -> None:
    merchant = awaiting()
    before = touch_payment(merchant, not_found_count=1, not_found_since=merchant.world.clock.now())
    seen: list[Payment] = []
    merchant.world.weather = Meanwhile("doku.otp", lambda: seen.append(merchant.payment()))
    merchant.enter_otp()
    (sent,) = seen
    now = merchant.world.clock.now()
    assert (sent.state, sent.otp_attempts, sent.sent_at) == (PaymentState.OTP_SUBMITTED, 1, now)
    assert (sent.not_found_count, sent.not_found_since) == (0, None)
    assert sent.attempt != before.attempt
    assert sent.due_at is not None
    assert timedelta(seconds=61) <= sent.due_at - now <= timedelta(seconds=65)
    assert not sent.otp_accepted


def test_an_accepted_code_is_kept_with_dokus_code() -> None:
    merchant = awaiting()
    payment = merchant.enter_otp().payment
    assert (payment.state, payment.otp_accepted) == (PaymentState.PROCESSING, True)
    assert (payment.otp_attempts, payment.response_code) == (1, "2000400")
    assert payment.evidence.source is EvidenceSource.ANSWER


def test_a_wrong_code_counts_and_is_not_accepted() -> None:
    merchant = awaiting()
    with pytest.raises(CustomerActionRequired):
        merchant.enter_otp(WRONG_OTP)
    payment = merchant.payment()
    assert (payment.otp_attempts, payment.otp_accepted, payment.response_code) == (1, False, "4040415")


def test_a_code_that_was_accepted_once_stays_so_with_the_next() -> None:
    merchant = awaiting()
    touch_payment(merchant, otp_accepted=True, otp_attempts=1)
    with pytest.raises(CustomerActionRequired):
        merchant.enter_otp(WRONG_OTP)
    assert merchant.payment().otp_accepted


def test_a_code_that_was_not_sent_leaves_count_and_code_as_they_were() -> None:
    merchant = awaiting()
    before = touch_payment(merchant, otp_attempts=2)
    merchant.world.weather = Strike("doku.otp", Fault.FAIL)
    with pytest.raises(NotDone):
        merchant.enter_otp()
    payment = merchant.payment()
    assert (payment.state, payment.otp_attempts) == (PaymentState.OTP_PENDING, 2)
    assert payment.response_code == before.response_code
    assert payment.evidence.source is EvidenceSource.NOTHING_SENT


def test_a_code_refused_for_the_merchants_token_is_sent_again_under_another_id() -> None:
    merchant = awaiting()
    merchant.world.simulator.expire_b2b_tokens()
    assert merchant.enter_otp().payment.state is PaymentState.PROCESSING
    ids = [one.external_id for one in merchant.world.simulator.requests if one.operation == "otp"]
    assert len(set(ids)) == 2
    assert merchant.payment().otp_attempts == 1


@pytest.mark.parametrize(("attempts", "taken"), [(4, True), (5, False), (6, False)])
def test_there_may_be_five_codes(attempts: int, taken: bool) -> None:
    merchant = awaiting()
    touch_payment(merchant, otp_attempts=attempts)
    if taken:
        assert merchant.enter_otp().payment.state is PaymentState.PROCESSING
    else:
        with pytest.raises(Conflict, match="no more codes"):
            merchant.enter_otp()
    assert requests(merchant.world, "otp") == int(taken)


def test_a_look_at_the_same_moment_stops_no_code() -> None:
    merchant = awaiting()
    merchant.world.weather = weather = Meanwhile(
        "store.update_item", lambda: touch_payment(merchant, remarks="looked at")
    )
    assert merchant.enter_otp().payment.state is PaymentState.PROCESSING
    assert weather.done
    assert merchant.payment().remarks == "looked at"


def test_of_two_codes_at_once_one_is_sent_and_the_other_told_so() -> None:
    merchant = awaiting()
    merchant.world.weather = weather = Meanwhile("store.update_item", lambda: touch_payment(merchant, otp_attempts=1))
    with pytest.raises(Conflict, match="the payment is OTP_PENDING"):
        merchant.enter_otp()
    assert weather.done
    assert requests(merchant.world, "otp") == 0


@pytest.mark.parametrize(
    ("state", "says"),
    [(PaymentState.OTP_SUBMITTED, "being verified right now"), (PaymentState.PROCESSING, "the payment is PROCESSING")],
)
def test_where_no_code_is_awaited_it_says_why(state: PaymentState, says: str) -> None:
    merchant = awaiting()
    touch_payment(merchant, state=state)
    with pytest.raises(Conflict, match=says):
        merchant.enter_otp()
    assert requests(merchant.world, "otp") == 0


def test_a_refusal_that_ends_nothing_is_not_told_as_one() -> None:
    merchant = awaiting()
    touch_payment(merchant, otp_unclear=True)
    merchant.world.simulator.add_dial(Dial("otp", "code", when="before", code="40305"))
    assert merchant.enter_otp().payment.state is PaymentState.UNKNOWN
    merchant = awaiting()
    merchant.world.simulator.add_dial(Dial("otp", "code", when="before", code="40305"))
    with pytest.raises(Rejected) as refused:
        merchant.enter_otp()
    assert refused.value.code == "4030405"
