"""Payments, their OTP, status and refund (contract 3.6, 3.8, 3.9, 3.11) with the magic amounts of section 8."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from tools.doku_simulator.bank import InsufficientFundsError, sen, wire_amount
from tools.doku_simulator.codes import STATUS_TEXTS, message, response_code
from tools.doku_simulator.gate import Checked
from tools.doku_simulator.magic_values import (
    DECLINED_AMOUNTS,
    FAILS_AFTER_OTP_AMOUNT,
    IN_PROGRESS_AMOUNT,
    LOST_ANSWER_AMOUNT,
)
from tools.doku_simulator.notifications import Notifications
from tools.doku_simulator.operations import CHANNEL, Json
from tools.doku_simulator.otp import OtpVerdict, judge
from tools.doku_simulator.records import Binding, OtpChallenge, Payment, PaymentState, Refund, Refused
from tools.doku_simulator.world import World, wib_text

_PAYMENT_SERVICE = "54"
_STATUS = {
    PaymentState.OTP_PENDING: "03",
    PaymentState.PROCESSING: "02",
    PaymentState.PAID: "00",
    PaymentState.FAILED: "06",
    PaymentState.REFUNDED: "04",
}
_OTP_ANSWERS_OF_FAILURES = {"40300": "40312", "40311": "40311"}

type Answer = tuple[str, Json]
"""Case of the response code, and the fields beside code and message."""


class Payments:
    """What DOKU does with money."""

    def __init__(self, world: World, notifications: Notifications) -> None:
        self._world = world
        self._notifications = notifications
        self._refunds: dict[str, tuple[Payment, Refund]] = {}

    # -- payment ---------------------------------------------------------------------------------------------------

    def pay(self, request: Checked) -> Answer:
        """Answer operation 8."""
        world, binding = self._world, _required(request)
        reference, amount = request.values["partnerReferenceNo"], sen(request.values["amount.value"])
        earlier = world.payments.get(reference)
        if earlier and world.variant.duplicate_refused_by in ("reference", "both"):
            return self._repeat(earlier[0], request, amount)
        payment = Payment(
            reference=reference,
            external_ids=[request.external_id],
            reference_no=world.letters(20),
            amount=amount,
            currency=request.values["amount.currency"],
            binding=binding,
            created_at=request.at,
            will_fail=amount == FAILS_AFTER_OTP_AMOUNT,
        )
        world.payments.setdefault(reference, []).append(payment)
        return self._begin(payment, request.at)

    def _begin(self, payment: Payment, now: datetime) -> Answer:
        world = self._world
        decline = DECLINED_AMOUNTS.get(payment.amount)
        if decline is None and world.bank.balance(payment.binding.phone) < payment.amount:
            decline = "40314"
        if decline is not None:
            self._fail(payment, decline, now, notify=world.config.notify_declines)
            raise Refused(decline)
        if payment.amount == LOST_ANSWER_AMOUNT:
            payment.enter(PaymentState.PROCESSING, "20200", now)
            self._settle(payment, now)
            raise Refused("50400")
        if payment.amount == IN_PROGRESS_AMOUNT:
            payment.enter(PaymentState.PROCESSING, "20200", now)
            self._settle_after(payment, now, world.draw(world.variant.processing_delay))
            return "20200", {"partnerReferenceNo": payment.reference, "referenceNo": payment.reference_no}
        if not world.variant.otp_required:
            payment.enter(PaymentState.PROCESSING, "20000", now)
            self._settle_after(payment, now, world.draw(world.variant.success_delay))
            return "20000", {"partnerReferenceNo": payment.reference, "referenceNo": payment.reference_no}
        payment.enter(PaymentState.OTP_PENDING, "40313", now)
        payment.otp = OtpChallenge(now)
        if world.variant.otp_expiry_final:
            # one second after the last moment at which the OTP is still good
            gone = now + timedelta(seconds=world.config.otp_lifetime + 1)
            world.later(gone, lambda at: self._expire(payment, at))
        return "40313", {"partnerReferenceNo": payment.reference, "referenceNo": payment.reference_no}

    def _repeat(self, payment: Payment, request: Checked, amount: int) -> Answer:
        """Answer a reference that was used before: nothing new happens to money."""
        if (payment.amount, payment.binding.customer) != (amount, _required(request).customer):
            raise Refused("40418")
        payment.external_ids.append(request.external_id)
        state, case = payment.state, payment.history[-1][2]
        if state in (PaymentState.PAID, PaymentState.REFUNDED):
            raise Refused("40901")
        if state is PaymentState.FAILED:
            raise Refused(case)
        return case, {"partnerReferenceNo": payment.reference, "referenceNo": payment.reference_no}

    # -- OTP -------------------------------------------------------------------------------------------------------

    def verify(self, request: Checked, binding: Binding) -> Answer:
        """Answer operation 6 for a payment; `binding` belongs to the customer token in the body."""
        world, values = self._world, request.values
        reference = values.get("originalPartnerReferenceNo")
        if reference is None:
            raise Refused("40002", "originalPartnerReferenceNo")
        candidates = world.payments.get(reference, ())
        payment = _first(candidates, PaymentState.OTP_PENDING) or (candidates[-1] if candidates else None)
        if payment is None or payment.binding.customer != binding.customer:
            raise Refused("40401")
        if payment.state is not PaymentState.OTP_PENDING or payment.otp is None:
            raise Refused(_OTP_ANSWERS_OF_FAILURES.get(payment.failure_case, "40406"))
        verdict = judge(
            payment.otp, values["otp"], request.at, lifetime=world.config.otp_lifetime, tries=world.config.otp_tries
        )
        if verdict is OtpVerdict.EXPIRED:
            self._fail(payment, "40300", request.at)
        elif verdict is OtpVerdict.BLOCKED:
            self._fail(payment, "40311", request.at)
        if verdict is not OtpVerdict.RIGHT:
            raise Refused(verdict.value)
        if world.bank.balance(payment.binding.phone) < payment.amount:
            self._fail(payment, "40314", request.at)
            raise Refused("40314")
        payment.otp = None
        payment.enter(PaymentState.PROCESSING, "20200", request.at)
        self._settle_after(payment, request.at, world.draw(world.variant.success_delay))
        return "20000", {"originalPartnerReferenceNo": reference, "originalReferenceNo": payment.reference_no}

    # -- money -----------------------------------------------------------------------------------------------------

    def _settle_after(self, payment: Payment, now: datetime, delay: timedelta) -> None:
        if delay:
            self._world.later(now + delay, lambda at: self._settle(payment, at))
        else:
            self._settle(payment, now)

    def _settle(self, payment: Payment, at: datetime) -> None:
        if payment.will_fail:
            self._fail(payment, "40305", at)
            return
        try:
            self._world.bank.debit(
                payment.binding.phone,
                reference=payment.reference,
                customer=payment.binding.customer,
                amount=payment.amount,
                currency=payment.currency,
                at=at,
            )
        except InsufficientFundsError:
            self._fail(payment, "40314", at)
            return
        payment.approval_code, payment.paid_at = self._world.digits(12), at
        payment.enter(PaymentState.PAID, "20000", at)
        self._notifications.payment_is_final(payment, at)

    def _fail(self, payment: Payment, case: str, at: datetime, *, notify: bool = True) -> None:
        payment.failure_case = case
        payment.enter(PaymentState.FAILED, case, at)
        if notify:
            self._notifications.payment_is_final(payment, at)

    def _expire(self, payment: Payment, at: datetime) -> None:
        if payment.state is PaymentState.OTP_PENDING:
            self._fail(payment, "40300", at)

    # -- status ----------------------------------------------------------------------------------------------------

    def status(self, request: Checked) -> Answer:
        """Answer operation 9 with the truth of `status_lag` seconds ago."""
        world, values = self._world, request.values
        wanted: dict[str, str] = {
            name: values[name]
            for name in ("originalPartnerReferenceNo", "originalReferenceNo", "originalExternalId")
            if name in values
        }
        if not wanted:
            raise Refused("40002", "originalPartnerReferenceNo")
        seen_at = request.at - timedelta(seconds=world.variant.status_lag)
        visible = [payment for payment in self._candidates(wanted) if payment.history[0][0] <= seen_at]
        if visible:
            return "20000", self._report(_main(visible, seen_at), seen_at)
        if world.variant.not_found_as == "code":
            raise Refused("40401")
        return "20000", {
            **wanted,
            "serviceCode": _PAYMENT_SERVICE,
            "latestTransactionStatus": "07",
            "transactionStatusDesc": STATUS_TEXTS["07"],
        }

    def _candidates(self, wanted: dict[str, str]) -> list[Payment]:
        world = self._world
        reference = wanted.get("originalPartnerReferenceNo")
        found = world.payments.get(reference, []) if reference is not None else world.all_payments()
        number, external_id = wanted.get("originalReferenceNo"), wanted.get("originalExternalId")
        return [
            payment
            for payment in found
            if number in (None, payment.reference_no) and (external_id is None or external_id in payment.external_ids)
        ]

    def _report(self, payment: Payment, seen_at: datetime) -> Json:
        state, case = _state_at(payment, seen_at)
        status = _STATUS[state]
        original = "20000" if state is PaymentState.REFUNDED else case
        report: Json = {
            "originalPartnerReferenceNo": payment.reference,
            "originalReferenceNo": payment.reference_no,
            "originalExternalId": payment.external_ids[0],
            "serviceCode": _PAYMENT_SERVICE,
            "latestTransactionStatus": status,
            "transactionStatusDesc": STATUS_TEXTS[status],
            "originalResponseCode": response_code(original, _PAYMENT_SERVICE),
            "originalResponseMessage": message(original),
            "transAmount": {"value": wire_amount(payment.amount), "currency": payment.currency},
            "feeAmount": {"value": "0.00", "currency": payment.currency},
            "additionalInfo": {"channel": CHANNEL, "acquirer": {"id": "CIMB"}},
        }
        if payment.paid_at is not None and payment.paid_at <= seen_at:
            report["approvalCode"] = payment.approval_code
            report["paidTime"] = wib_text(payment.paid_at)
        refunds = [_refund_line(refund, seen_at) for refund in payment.refunds if refund.requested_at <= seen_at]
        if refunds:
            report["refundHistory"] = refunds
        return report

    # -- refund ----------------------------------------------------------------------------------------------------

    def refund(self, request: Checked) -> Answer:
        """Answer operation 12: full refunds only, one per payment."""
        values = request.values
        number, amount = values["partnerRefundNo"], sen(values["refundAmount.value"])
        payment = self._refundable(request)
        known = self._refunds.get(number)
        if known is not None:
            if known[0] is not payment or (known[1].amount, known[1].reason) != (amount, values.get("reason", "")):
                raise Refused("40418")
            if known[1].status != "06":
                return self._repeat_refund(payment, known[1], request.at)
        if amount != payment.amount:
            raise Refused("40413")
        if payment.state is not PaymentState.PAID or any(refund.status != "06" for refund in payment.refunds):
            raise Refused("40400")
        if known is not None:
            return self._execute_refund(payment, known[1], request.at)
        refund = Refund(number, self._world.letters(12), amount, values.get("reason", ""), request.at)
        self._refunds[number] = payment, refund
        payment.refunds.append(refund)
        return self._execute_refund(payment, refund, request.at)

    def _refundable(self, request: Checked) -> Payment:
        values = request.values
        candidates = self._world.payments.get(values["originalPartnerReferenceNo"], ())
        external_id = values.get("originalExternalId")
        matching = [
            payment
            for payment in candidates
            if (external_id is None or external_id in payment.external_ids)
            and (request.binding is None or request.binding.customer == payment.binding.customer)
        ]
        if not matching:
            raise Refused("40401")
        return _main(matching, request.at)

    def _execute_refund(self, payment: Payment, refund: Refund, now: datetime) -> Answer:
        variant = self._world.variant
        if variant.refund_outcome == "done":
            self._give_back(payment, refund, now)
            return self._refund_answer(payment, refund, "20000")
        refund.history.append((now, "03"))
        due = now + self._world.draw(variant.refund_delay)
        if variant.refund_outcome == "pending":
            self._world.later(due, lambda at: self._give_back(payment, refund, at))
            return self._refund_answer(payment, refund, "20200")
        self._world.later(due, lambda at: refund.history.append((at, "06")))
        pending = variant.refund_outcome == "pending_then_failed"
        return self._refund_answer(payment, refund, "20200" if pending else "20000")

    def _repeat_refund(self, payment: Payment, refund: Refund, now: datetime) -> Answer:
        match self._world.variant.refund_repeat:
            case "wrong_state":
                raise Refused("40400")
            case "inconsistent":
                raise Refused("40418")
            case "refused":
                raise Refused("40315")
            case "execute":
                self._move_back(payment, refund, now)
            case "replay":
                pass
        return self._refund_answer(payment, refund, "20200" if refund.status == "03" else "20000")

    def _give_back(self, payment: Payment, refund: Refund, at: datetime) -> None:
        self._move_back(payment, refund, at)
        refund.history.append((at, "00"))
        payment.enter(PaymentState.REFUNDED, "20000", at)
        if self._world.config.notify_refunds:
            self._notifications.payment_is_final(payment, at)

    def _move_back(self, payment: Payment, refund: Refund, at: datetime) -> None:
        self._world.bank.refund(
            payment.binding.phone,
            reference=payment.reference,
            refund_no=refund.partner_refund_no,
            customer=payment.binding.customer,
            amount=refund.amount,
            currency=payment.currency,
            at=at,
        )

    def _refund_answer(self, payment: Payment, refund: Refund, case: str) -> Answer:
        fields: Json = {
            "refundAmount": {"value": wire_amount(refund.amount), "currency": payment.currency},
            "originalPartnerReferenceNo": payment.reference,
            "originalReferenceNo": payment.reference_no,
            "originalExternalId": payment.external_ids[0],
            "refundNo": refund.refund_no,
            "partnerRefundNo": refund.partner_refund_no,
            "refundTime": wib_text(refund.history[-1][0]),
        }
        if case == "20000" and self._world.variant.refund_success_code != "2005800":
            fields["responseCode"] = self._world.variant.refund_success_code
        return case, fields


def _required(request: Checked) -> Binding:
    if request.binding is None:
        raise Refused("40104")
    return request.binding


def _first(payments: Sequence[Payment], state: PaymentState) -> Payment | None:
    return next((payment for payment in payments if payment.state is state), None)


def _main(payments: Sequence[Payment], at: datetime) -> Payment:
    """Return the payment that a reference stands for: the one with the money, else the newest."""
    for payment in payments:
        if _state_at(payment, at)[0] in (PaymentState.PAID, PaymentState.REFUNDED):
            return payment
    return payments[-1]


def _state_at(payment: Payment, at: datetime) -> tuple[PaymentState, str]:
    for entered, state, case in reversed(payment.history):
        if entered <= at:
            return state, case
    return payment.history[0][1], payment.history[0][2]


def _refund_line(refund: Refund, seen_at: datetime) -> Json:
    status = next((status for at, status in reversed(refund.history) if at <= seen_at), refund.history[0][1])
    return {
        "refundNo": refund.refund_no,
        "partnerRefundNo": refund.partner_refund_no,
        "refundAmount": {"value": wire_amount(refund.amount), "currency": "IDR"},
        "refundStatus": status,
        "refundDate": wib_text(refund.requested_at),
        "reason": refund.reason,
    }
