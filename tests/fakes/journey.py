"""What merchant and customer do in a `World`, one line each: link, pay, enter the code, refund, unlink."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from direct_debit.application.bindings.bind_account import BindAccount, bind_account
from direct_debit.application.bindings.confirm_unbinding import ConfirmUnbinding, confirm_unbinding
from direct_debit.application.bindings.result import BindingResult
from direct_debit.application.bindings.return_from_binding import Redirect, ReturnFromBinding, return_from_binding
from direct_debit.application.bindings.unbind_account import unbind_account
from direct_debit.application.payments.get_payment import GetPayment, get_payment
from direct_debit.application.payments.make_payment import MakePayment, make_payment
from direct_debit.application.payments.result import PaymentResult
from direct_debit.application.payments.verify_payment_otp import VerifyPaymentOtp, verify_payment_otp
from direct_debit.application.refunds.refund_payment import RefundPayment, refund_payment
from direct_debit.domain.binding import Binding
from direct_debit.domain.money import Amount
from direct_debit.domain.payment import Payment
from tests.fakes.invariants import bindings_of, payments_of
from tools.doku_simulator.magic_values import RIGHT_OTP

if TYPE_CHECKING:
    from direct_debit.application.ports.ports import Ports
    from tests.fakes.world import World

PHONE = "6281234567890"
REF = "INV-2026-0001"
AMOUNT = "10000.00"


@dataclass(slots=True)
class Merchant:
    """Calls the use cases, each time from a fresh process unless `ports` says otherwise."""

    world: World
    ports: Ports | None = None
    customer: str = "CUST-1"
    phone: str = PHONE

    def _ports(self) -> Ports:
        return self.ports or self.world.process()

    def bind(self, **more: str) -> BindingResult:
        """Ask for a link."""
        command = BindAccount(
            customer_id=self.customer,
            phone=self.phone,
            success_url="https://shop.example/linked",
            failed_url="https://shop.example/not-linked",
            **more,  # type: ignore[arg-type]  # texts only
        )
        return bind_account(command, self._ports(), self.world.deadline())

    def walk_through_pages(self, outcome: str = "success") -> str:
        """Let the customer finish at the bank; returns where the browser goes."""
        pages = [one for one in self.world.simulator.world.bindings.values() if one.customer == self.customer]
        return str(self.world.simulator.customer.complete(pages[-1].code, outcome).redirect_url)

    def come_back(self, url: str) -> Redirect:
        """Let the browser follow the bank's redirect."""
        state, outcome = url.rsplit("/", 2)[1:]
        command = ReturnFromBinding(state=state, outcome="success" if outcome == "success" else "failed")
        return return_from_binding(command, self._ports(), self.world.deadline())

    def link(self) -> Binding:
        """Link the account, from the request to the proof."""
        self.bind()
        self.come_back(self.walk_through_pages())
        self.world.clock.tick(2)
        self.world.pump()
        return self.binding()

    def binding(self) -> Binding:
        """Return the customer's newest binding as it is stored, whatever the weather."""
        mine = [one for one in bindings_of(self.world) if one.customer_id == self.customer]
        return max(mine, key=lambda one: one.created_at)

    def pay(self, ref: str = REF, amount: str = AMOUNT, **more: str) -> PaymentResult:
        """Ask for a payment from the customer's linked account."""
        command = MakePayment(
            binding_id=self.binding().id,
            amount=Amount.parse(amount),
            remarks="Order 1",
            partner_reference_no=ref,
            **more,  # type: ignore[arg-type]  # texts only
        )
        return make_payment(command, self._ports(), self.world.deadline())

    def enter_otp(self, otp: str = RIGHT_OTP, ref: str = REF) -> PaymentResult:
        """Hand in the code that the customer typed."""
        return verify_payment_otp(VerifyPaymentOtp(ref=ref, otp=otp), self._ports(), self.world.deadline())

    def pay_to_the_end(self, ref: str = REF, amount: str = AMOUNT) -> Payment:
        """Pay, enter the code, receive the notification."""
        self.pay(ref, amount)
        self.enter_otp(ref=ref)
        self.world.clock.tick(2)
        self.world.pump()
        return self.payment(ref)

    def payment(self, ref: str = REF) -> Payment:
        """Return a payment as it is stored, whatever the weather."""
        return next(one for one in payments_of(self.world) if one.ref == ref)

    def look(self, ref: str = REF, *, refresh: bool = False) -> Payment:
        """Ask for the payment, as over the API."""
        return get_payment(GetPayment(ref=ref, refresh=refresh), self._ports(), self.world.deadline()).payment

    def refund(self, ref: str = REF, number: str | None = None, reason: str | None = None) -> PaymentResult:
        """Ask for the refund."""
        command = RefundPayment(ref=ref, partner_refund_no=number, reason=reason)
        return refund_payment(command, self._ports(), self.world.deadline())

    def unbind(self) -> BindingResult:
        """Ask for the unlinking."""
        return unbind_account(self.binding().id, self._ports(), self.world.deadline())

    def confirm_unbinding(self, otp: str = RIGHT_OTP) -> BindingResult:
        """Hand in the code of the unlinking."""
        command = ConfirmUnbinding(binding_id=self.binding().id, otp=otp)
        return confirm_unbinding(command, self._ports(), self.world.deadline())
