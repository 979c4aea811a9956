"""Why a payment failed, as the shop and its customer read it."""

import pytest

from direct_debit.domain.payment import FailureReason, PaymentFailure, PaymentState
from direct_debit.entrypoint.views.decline import CAUSES, EXPLANATIONS, Cause, MendedBy, find_cause
from direct_debit.entrypoint.views.payment import show_payment
from doku_snap.response_codes import TABLE, AnswerClass
from tests.unit.application.support import linked
from tools.doku_simulator.dials import Dial

DECLINED = FailureReason.DECLINED


@pytest.mark.parametrize(
    ("failure", "last_code", "cause"),
    [
        (PaymentFailure(DECLINED, "4035414"), "4035414", Cause.INSUFFICIENT_FUNDS),
        (PaymentFailure(DECLINED, "4030414"), None, Cause.INSUFFICIENT_FUNDS),  # at the code, not at the payment
        (PaymentFailure(DECLINED, "06"), "4035407", Cause.ACCOUNT_BLOCKED),  # a status, with the payment's own code
        (PaymentFailure(DECLINED, "06"), None, Cause.DECLINED),
        (PaymentFailure(DECLINED, None), None, Cause.DECLINED),
        (PaymentFailure(DECLINED, "4035405"), None, Cause.DECLINED),
        (PaymentFailure(DECLINED, "4015402"), None, Cause.LINK_ENDED),
        (PaymentFailure(DECLINED, "4035420"), None, Cause.MERCHANT_LIMIT_EXCEEDED),
        (PaymentFailure(FailureReason.EXPIRED, "4030412"), None, Cause.OTP_EXPIRED),
        (PaymentFailure(FailureReason.OTP_BLOCKED, "4030411"), None, Cause.OTP_BLOCKED),
        (PaymentFailure(FailureReason.OTP_ABANDONED, "03"), "4035413", Cause.OTP_NOT_ENTERED),
        (PaymentFailure(FailureReason.CANCELLED, "05"), None, Cause.CANCELLED),
        (PaymentFailure(FailureReason.NOT_FOUND, "07"), None, Cause.NEVER_ARRIVED),
    ],
)
def test_a_failure_has_the_cause_that_its_code_says(
    failure: PaymentFailure, last_code: str | None, cause: Cause
) -> None:
    assert find_cause(failure, last_code) is cause


def test_each_code_that_has_a_cause_is_one_of_the_contracts_and_ends_a_payment() -> None:
    """What passes, or says that the outcome is not known, ends no payment and needs no cause."""
    known = {(f"{row.http:03}", row.case): row.answer_class for row in TABLE}
    for code in CAUSES:
        assert code in known
        assert known[code] not in (AnswerClass.OK, AnswerClass.OTP, AnswerClass.PEND, AnswerClass.CHECK)


def test_every_cause_is_explained_in_both_languages_and_can_come() -> None:
    assert set(EXPLANATIONS) == set(Cause)
    for told in EXPLANATIONS.values():
        for sentence in (told.indonesian, told.english):
            assert sentence.endswith(".")
            assert sentence[0].isupper()
            assert len(sentence) < 160  # a toast, or a short message
        assert told.indonesian != told.english
    reasons = [find_cause(PaymentFailure(reason, None), None) for reason in FailureReason]
    assert {*CAUSES.values(), *reasons} == set(Cause)


def test_only_what_a_customer_can_do_is_asked_of_him() -> None:
    for told in EXPLANATIONS.values():
        asks = "lagi" in told.indonesian or "hubungi" in told.indonesian or "atur" in told.indonesian
        assert asks or told.mended_by is MendedBy.CUSTOMER


def test_a_declined_payment_shows_its_cause() -> None:
    merchant = linked()
    merchant.world.simulator.dials.add(Dial("payment", "code", when="before", code="40307"))
    payment = merchant.pay().payment
    assert payment.state is PaymentState.FAILED
    shown = show_payment(payment).to_json()["failure"]
    assert isinstance(shown, dict)
    assert (shown["cause"], shown["mendedBy"]) == ("account_blocked", "customer")
    assert shown["customerMessage"]["id"].startswith("Rekening atau kartu Anda diblokir")
