"""Linking and unlinking accounts, and what the customer does on CIMB's pages (contract 3.3, 3.12)."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tools.doku_simulator.bank import wire_amount
from tools.doku_simulator.gate import Checked
from tools.doku_simulator.magic_values import INACTIVE_PHONE_SUFFIX, TAKEN_PHONE_SUFFIX, WRONG_PIN
from tools.doku_simulator.notifications import Notifications
from tools.doku_simulator.operations import Json
from tools.doku_simulator.otp import OtpVerdict, judge
from tools.doku_simulator.records import Binding, BindingState, OtpChallenge, PageStep, Refused
from tools.doku_simulator.tokens import Tokens
from tools.doku_simulator.world import WIB, World

_PIN_LENGTH = 6
_PIN_TRIES = 3
_TAKEN = "Account already registered by another customer"

type Answer = tuple[str, Json]


@dataclass(frozen=True, slots=True)
class PageView:
    """What the customer sees: the step, an error's name if the last entry was refused, and at the end where to go."""

    step: PageStep
    masked_phone: str
    error: str | None = None
    redirect_url: str | None = field(default=None, repr=False)
    linked: bool = False


class Bindings:
    """Bindings of accounts to customers: one account, one customer."""

    def __init__(self, world: World, tokens: Tokens, notifications: Notifications) -> None:
        self._world = world
        self._tokens = tokens
        self._notifications = notifications

    # -- what the merchant asks ------------------------------------------------------------------------------------

    def start(self, request: Checked) -> Answer:
        """Answer operation 3."""
        world, values, now = self._world, request.values, request.at
        phone, customer = values["phoneNo"], values["additionalInfo.custIdMerchant"]
        if phone.endswith(TAKEN_PHONE_SUFFIX):
            raise Refused("40315", _TAKEN)
        if phone.endswith(INACTIVE_PHONE_SUFFIX):
            raise Refused("40318")
        holder = world.linked(phone)
        if holder is not None and holder.customer != customer:
            raise Refused("40315", _TAKEN)
        if holder is not None and world.variant.rebind_same_customer == "refuse":
            raise Refused("40315", "Account Already Registered")
        code = f"2238{now.astimezone(WIB):%y%m%d%H%M%S}{world.digits(24)}"
        binding = Binding(
            code=code,
            phone=phone,
            customer=customer,
            reference_no=world.digits(12),
            external_id=request.external_id,
            success_url=values["additionalInfo.successRegistrationUrl"],
            failed_url=values["additionalInfo.failedRegistrationUrl"],
            created_at=now,
        )
        world.add_binding(binding)
        world.later(now + timedelta(seconds=world.config.binding_lifetime), lambda at: self._expire(binding, at))
        place = "binding" if request.route.legacy else "binding/core"
        return "20000", {
            "referenceNo": binding.reference_no,
            "redirectUrl": f"{world.public_base_url}/direct-debit/ui/{place}/{code}",
            "additionalInfo": {
                "custIdMerchant": customer,
                world.variant.binding_status_field: BindingState.PENDING.value,
                "authCode": code,
            },
        }

    def balance(self, request: Checked) -> Answer:
        """Answer operation 7."""
        if request.binding is None:
            raise Refused("40104")
        value = {"value": wire_amount(self._world.bank.balance(request.binding.phone)), "currency": "IDR"}
        if self._world.variant.balance_shape == "available":
            info: Json = {"balanceType": "Cash", "availableBalance": value}
        else:
            nothing = {"value": "0.00", "currency": "IDR"}
            info = {"balanceType": "BALANCE", "amount": value, "flatAmount": nothing, "holdAmount": nothing}
        return "20000", {"accountInfos": [info]}

    def unbind(self, request: Checked) -> Answer:
        """Answer operation 13: the account stays linked until the OTP is verified."""
        world = self._world
        known = world.access_tokens.get(request.values["tokenId"])
        if known is None or not known.binding.linked:
            raise Refused("40411")
        if known.expires_at <= request.at:
            raise Refused("40102")
        if not world.variant.unbind_otp_required:
            self.unlink(known.binding)
            return "20000", {}
        known.binding.state = BindingState.UNBIND_OTP_PENDING
        known.binding.unbind_otp = OtpChallenge(request.at)
        return "40313", {}

    def verify_unbinding(self, request: Checked, binding: Binding) -> Answer:
        """Answer operation 6 for an unbinding."""
        world = self._world
        if binding.state is not BindingState.UNBIND_OTP_PENDING or binding.unbind_otp is None:
            raise Refused("40406")
        verdict = judge(
            binding.unbind_otp,
            request.values["otp"],
            request.at,
            lifetime=world.config.otp_lifetime,
            tries=world.config.otp_tries,
        )
        if verdict is OtpVerdict.RIGHT:
            self.unlink(binding)
            return "20000", {}
        if verdict is not OtpVerdict.WRONG:
            binding.state, binding.unbind_otp = BindingState.ACTIVE, None
        raise Refused(verdict.value)

    def unlink(self, binding: Binding) -> None:
        """End the binding and forget its tokens, as after an unbinding or an unlink at the bank."""
        binding.state, binding.unbind_otp, binding.customer_token = BindingState.UNBOUND, None, None
        self._tokens.revoke(binding)

    # -- what the customer does ------------------------------------------------------------------------------------

    def open(self, code: str) -> PageView:
        """Show the page of a binding; KeyError for an unknown code."""
        return self._view(self._at_page(code))

    def enter_phone(self, code: str, phone: str | None = None) -> PageView:
        """Confirm the account's phone number (None: as shown) and send the OTP."""
        binding = self._at_page(code)
        if binding.step is not PageStep.PHONE:
            return self._view(binding)
        if phone is not None and phone not in (mask_phone(binding.phone), binding.phone):
            return self._view(binding, "wrong_phone")
        binding.step, binding.page_otp = PageStep.OTP, OtpChallenge(self._world.now())
        return self._view(binding)

    def resend_otp(self, code: str) -> PageView:
        """Send a new OTP; wrong tries keep counting."""
        binding = self._at_page(code)
        if binding.step is PageStep.OTP and binding.page_otp is not None:
            binding.page_otp.sent_at = self._world.now()
        return self._view(binding)

    def enter_otp(self, code: str, otp: str) -> PageView:
        """Enter the OTP of the page; the third wrong one ends the binding."""
        binding, config = self._at_page(code), self._world.config
        if binding.step is not PageStep.OTP or binding.page_otp is None:
            return self._view(binding)
        now = self._world.now()
        verdict = judge(binding.page_otp, otp, now, lifetime=config.otp_lifetime, tries=config.otp_tries)
        if verdict is OtpVerdict.RIGHT:
            binding.step = PageStep.PIN
            return self._view(binding)
        if verdict is OtpVerdict.BLOCKED:
            return self._fail(binding, now, "too_many_otps")
        return self._view(binding, "otp_expired" if verdict is OtpVerdict.EXPIRED else "wrong_otp")

    def enter_pin(self, code: str, pin: str) -> PageView:
        """Enter the PIN (six digits, not 000000), which confirms the link; the third wrong one ends the binding."""
        binding = self._at_page(code)
        if binding.step is not PageStep.PIN:
            return self._view(binding)
        if len(pin) != _PIN_LENGTH or not pin.isascii() or not pin.isdigit() or pin == WRONG_PIN:
            binding.wrong_pins += 1
            if binding.wrong_pins >= _PIN_TRIES:
                return self._fail(binding, self._world.now(), "too_many_pins")
            return self._view(binding, "wrong_pin")
        return self._activate(binding, self._world.now())

    def refuse(self, code: str) -> PageView:
        """Cancel at any step."""
        binding = self._at_page(code)
        if binding.step is PageStep.DONE:
            return self._view(binding)
        return self._fail(binding, self._world.now())

    def complete(self, code: str, outcome: str = "success") -> PageView:
        """Walk through all pages at once; `outcome` is `success` or `failed`."""
        if outcome != "success":
            return self.refuse(code)
        self.enter_phone(code)
        self.enter_otp(code, "123456")
        return self.enter_pin(code, "135790")

    # -- inside ----------------------------------------------------------------------------------------------------

    def _at_page(self, code: str) -> Binding:
        self._world.tick()
        return self._world.bindings[code]

    def _view(self, binding: Binding, error: str | None = None) -> PageView:
        url = None
        if binding.step is PageStep.DONE:
            url = binding.failed_url if binding.state is BindingState.FAILED else binding.success_url
        return PageView(binding.step, mask_phone(binding.phone), error, url, binding.linked)

    def _activate(self, binding: Binding, now: datetime) -> PageView:
        holder = self._world.linked(binding.phone)
        if holder is not None and holder.customer != binding.customer:
            return self._fail(binding, now)
        if holder is not None:
            self.unlink(holder)
        binding.state, binding.step = BindingState.ACTIVE, PageStep.DONE
        self._notifications.binding_is_final(binding, "SUCCESS", now)
        return self._view(binding)

    def _fail(self, binding: Binding, now: datetime, error: str | None = None) -> PageView:
        binding.state, binding.step = BindingState.FAILED, PageStep.DONE
        self._notifications.binding_is_final(binding, "FAILED", now)
        return self._view(binding, error)

    def _expire(self, binding: Binding, at: datetime) -> None:
        if binding.state is BindingState.PENDING:
            self._fail(binding, at)


def mask_phone(phone: str) -> str:
    """Return the phone number with all but its last three digits hidden, its length too."""
    return "••••" + phone[-3:]
