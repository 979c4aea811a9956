"""The simulator itself: one request in, one answer out; no thread, socket, wall clock or global chance."""

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from tools.doku_simulator.bank import Bank
from tools.doku_simulator.bindings import Bindings
from tools.doku_simulator.codes import message, response_code
from tools.doku_simulator.config import MerchantEndpoints, ProviderVariant, SimulatorConfig
from tools.doku_simulator.dials import Dial, Dials, spoil
from tools.doku_simulator.gate import Admitted, Checked, Gate, Incoming, Repeated, customer_of
from tools.doku_simulator.notifications import Delivery, Notifications, SignedRequest
from tools.doku_simulator.operations import ROUTES, TOKEN_OPERATIONS, Json, Operation, Route
from tools.doku_simulator.payments import Answer, Payments
from tools.doku_simulator.records import (
    Binding,
    BindingState,
    CustomerToken,
    PageStep,
    Refused,
    RequestRecord,
    SimulatedResponse,
)
from tools.doku_simulator.tokens import Tokens
from tools.doku_simulator.world import World, wib_text

_PAYMENT_PURPOSES = frozenset({"payment", "otppayment"})
_UNBIND_PURPOSES = frozenset({"unbinding", "otpunbind"})
_UNKNOWN_SERVICE = "00"
_REFERENCES = ("partnerReferenceNo", "originalPartnerReferenceNo")


class Simulator:
    """DOKU and CIMB. The same config, clock readings, random seed and calls give the same bytes.

    `bank.ledger` is the truth about money, whatever was answered. `customer` is what the customer does on CIMB's pages,
    `notifications` what DOKU sends to the merchant. It is not thread-safe: one caller at a time.
    """

    def __init__(self, config: SimulatorConfig, clock: Callable[[], datetime], random: Random) -> None:
        self.world = World(config, clock, random)
        self.dials = Dials()
        self.notifications = Notifications(self.world)
        self._tokens = Tokens(self.world)
        self.customer = Bindings(self.world, self._tokens, self.notifications)
        self._payments = Payments(self.world, self.notifications)
        self._gate = Gate(self.world)
        self.requests: deque[RequestRecord] = deque(maxlen=config.request_log_size)
        self._operations: dict[Operation, Callable[[Checked], Answer]] = {
            Operation.B2B_TOKEN: lambda request: ("20000", self._tokens.issue_b2b(request)),
            Operation.B2B2C_TOKEN: lambda request: ("20000", self._tokens.issue_customer(request)),
            Operation.BINDING: self.customer.start,
            Operation.OTP: self._verify_otp,
            Operation.BALANCE: self.customer.balance,
            Operation.PAYMENT: self._payments.pay,
            Operation.STATUS: self._payments.status,
            Operation.REFUND: self._payments.refund,
            Operation.UNBINDING: self.customer.unbind,
        }

    # -- the merchant's requests -----------------------------------------------------------------------------------

    def handle(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> SimulatedResponse:
        """Answer one request; `target` is path and query as sent, header names are of any case."""
        now = self.world.tick()
        path = target.partition("?")[0]
        route = ROUTES.get(path)
        operation = "unknown" if route is None else route.operation.value
        service = _UNKNOWN_SERVICE if route is None else route.service
        lowered = {name.lower(): value for name, value in headers.items()}
        dial = self.dials.take(operation) if self.dials.active else None
        checked: Checked | None = None
        if dial is not None and dial.when == "before" and dial.fault not in ("late", "delay"):
            response = spoil(dial, self._compose(route, now, "50000", "", {}), service)
        else:
            if route is None:
                response = self._compose(None, now, "40402", "", {})
            else:
                late = dial.delay_seconds if dial is not None and dial.fault == "late" else None
                response, checked = self._process(route, Incoming(method, target, lowered, body), late)
            if dial is not None:
                response = spoil(dial, response, service)
        if self.world.variant.notification_before_answer and self.notifications.next_due_at() is not None:
            response = replace(response, notify_first=True)
        self.requests.append(
            RequestRecord(
                now,
                method,
                path,
                operation,
                lowered.get("x-external-id", "")[:36],
                _reference(checked),
                response.status,
                response.code,
                "" if dial is None else f"{dial.fault} {dial.when}",
            )
        )
        return response

    def _process(
        self, route: Route, incoming: Incoming, late: float | None
    ) -> tuple[SimulatedResponse, Checked | None]:
        now, checked = self.world.now(), None
        try:
            admitted = self._gate.admit(route, incoming)
        except Refused as refused:
            return self._compose(route, now, refused.case, refused.detail, refused.fields), None
        except Repeated as repeated:
            return replace(repeated.response, status=409), None
        try:
            checked = self._gate.check(admitted)
            if late is not None:
                response = self._postpone(admitted, checked, late)
            else:
                case, fields = self._operations[route.operation](checked)
                response = self._compose(route, now, case, "", fields)
        except Refused as refused:
            response = self._compose(route, now, refused.case, refused.detail, refused.fields)
        if admitted.seen is not None and late is None:
            admitted.seen.response = response
        return response, checked

    def _postpone(self, admitted: Admitted, checked: Checked, delay: float) -> SimulatedResponse:
        """Let the effect of a checked request come later; nobody hears of it."""

        def execute(at: datetime) -> None:
            try:
                case, fields = self._operations[admitted.route.operation](replace(checked, at=at))
                response = self._compose(admitted.route, at, case, "", fields)
            except Refused as refused:
                response = self._compose(admitted.route, at, refused.case, refused.detail, refused.fields)
            if admitted.seen is not None:
                admitted.seen.response = response

        self.world.later(checked.at + timedelta(seconds=delay), execute)
        return self._compose(admitted.route, checked.at, "20200", "", {})

    def _verify_otp(self, request: Checked) -> Answer:
        values = request.values
        given = {name: values[name].lower() for name in ("action", "type") if name in values}
        if not given:
            raise Refused("40002", "action")
        for name, purpose in given.items():
            if purpose not in _PAYMENT_PURPOSES | _UNBIND_PURPOSES:
                raise Refused("40001", name)
        purposes = {purpose in _PAYMENT_PURPOSES for purpose in given.values()}
        if len(purposes) > 1:
            raise Refused("40001", "action")
        binding = customer_of(self.world, values["additionalInfo.bankCardToken"], request.at)
        if request.binding is not None and request.binding.customer != binding.customer:
            raise Refused("40102")
        if purposes == {True}:
            return self._payments.verify(request, binding)
        return self.customer.verify_unbinding(request, binding)

    def _compose(self, route: Route | None, now: datetime, case: str, detail: str, fields: Json) -> SimulatedResponse:
        service = _UNKNOWN_SERVICE if route is None else route.service
        code = response_code(case, service)
        status, variant = int(case[:3]), self.world.variant
        if case == "40313" and variant.otp_pending_as_200:
            status = 200
        elif status == 200 and variant.balance_as_201 and route and route.operation is Operation.BALANCE:  # noqa: PLR2004 - HTTP
            status = 201
        headers = {"Content-Type": "application/json", "X-TIMESTAMP": wib_text(now)}
        if route is not None and route.operation in TOKEN_OPERATIONS:
            headers["X-CLIENT-KEY"] = self.world.config.client_id
        document: Json = {"responseCode": code, "responseMessage": message(case, detail), **fields}
        body = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
        return SimulatedResponse(status, headers, body, str(document["responseCode"]))

    # -- the truth -------------------------------------------------------------------------------------------------

    @property
    def bank(self) -> Bank:
        """The bank with its ledger."""
        return self.world.bank

    @property
    def now(self) -> datetime:
        """The time at DOKU."""
        return self.world.now()

    def next_event_at(self) -> datetime | None:
        """Return when something happens next by itself: an effect or a notification; None when all is quiet."""
        times = (self.world.next_effect_at(), self.notifications.next_due_at())
        return min((at for at in times if at is not None), default=None)

    # -- notifications ---------------------------------------------------------------------------------------------

    def due_deliveries(self) -> list[Delivery]:
        """Return the notifications to send now; see `Notifications.due_deliveries`."""
        return self.notifications.due_deliveries()

    def build_token_request(self) -> SignedRequest:
        """Return DOKU's signed token request to the merchant."""
        return self.notifications.build_token_request()

    def build_notification(self, delivery: Delivery, token: str) -> SignedRequest:
        """Return the signed notification request; `token` is the one the merchant issued."""
        return self.notifications.build_notification(delivery, token)

    def record_result(self, delivery: Delivery, status: int | None) -> None:
        """Note the merchant's HTTP status, None for no answer."""
        self.notifications.record_result(delivery, status)

    # -- dials -----------------------------------------------------------------------------------------------------

    def set_merchant(self, endpoints: MerchantEndpoints | None) -> None:
        """Say where notifications go; without it they wait."""
        self.world.merchant = endpoints

    def set_variant(self, variant: ProviderVariant) -> None:
        """Let DOKU behave as another variant from now on."""
        self.world.variant = variant

    def add_dial(self, dial: Dial) -> None:
        """Let a fault happen to coming requests."""
        self.dials.add(dial)

    def shift_clock(self, seconds: float) -> None:
        """Move DOKU's clock; what becomes due by it happens at once."""
        self.world.shift(seconds)
        self.world.tick()

    def replace_secret_key(self, secret_key: str) -> None:
        """Take, and sign with, another secret key from now on, as when it is replaced in the back office."""
        self.world.config = replace(self.world.config, secret_key=secret_key)

    def expire_b2b_tokens(self) -> None:
        """Let all B2B tokens expire now."""
        self._tokens.expire_b2b()

    def expire_customer_tokens(self, customer: str | None = None, *, refresh: bool = False) -> None:
        """Let the access (and refresh) tokens of one customer, or of all, expire now."""
        self._tokens.expire_customer(customer, refresh=refresh)

    def unlink_customer(self, customer: str) -> int:
        """Unlink a customer's accounts at the bank, of which the merchant is not told; returns how many there were."""
        linked = [item for item in self.world.bindings.values() if item.customer == customer and item.linked]
        for binding in linked:
            self.customer.unlink(binding)
        return len(linked)

    def install_b2b_token(self, token: str) -> None:
        """Make a known B2B token valid from now, for tests that replay fixed requests."""
        self.world.b2b_tokens[token] = self.now + timedelta(seconds=self.world.config.b2b_token_seconds)

    def install_binding(self, *, customer: str, phone: str, code: str, token: str) -> Binding:
        """Create an active binding with a known auth code and customer token, for tests that need no linking."""
        now, url = self.now, "https://merchant.invalid/"
        binding = Binding(code, phone, customer, self.world.digits(12), "1", url, url, now)
        binding.state, binding.step, binding.customer_token = BindingState.ACTIVE, PageStep.DONE, token
        self.world.add_binding(binding)
        expires = now + timedelta(seconds=self.world.config.customer_token_seconds)
        self.world.access_tokens[token] = CustomerToken(binding, expires)
        return binding


def _reference(checked: Checked | None) -> str:
    if checked is None:
        return ""
    values = checked.values
    return next((values[name] for name in _REFERENCES if name in values), "")
