"""Merchants' clients and customers: impatient, forgetful, clumsy, and many at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from direct_debit.application.bindings.bind_account import BindAccount
from direct_debit.application.bindings.confirm_unbinding import ConfirmUnbinding, confirm_unbinding
from direct_debit.application.bindings.get_balance import get_balance
from direct_debit.application.bindings.list_bindings import BindingsResult, ListBindings, list_bindings
from direct_debit.application.bindings.result import BindingResult
from direct_debit.application.bindings.return_from_binding import ReturnFromBinding, return_from_binding
from direct_debit.application.bindings.unbind_account import unbind_account
from direct_debit.application.errors import Conflict
from direct_debit.application.payments.get_payment import GetPayment, PaymentView, get_payment
from direct_debit.application.payments.make_payment import MakePayment, make_payment
from direct_debit.application.payments.result import PaymentResult
from direct_debit.application.payments.verify_payment_otp import VerifyPaymentOtp, verify_payment_otp
from direct_debit.application.ports.pages import OfCustomer
from direct_debit.application.refunds.get_refund import get_refund
from direct_debit.application.refunds.process_refund import redrive_refund
from direct_debit.application.refunds.refund_payment import RefundPayment, refund_payment
from direct_debit.domain.binding import BindingState
from direct_debit.domain.money import Amount
from direct_debit.domain.payment import Payment, PaymentState
from direct_debit.domain.refund import RefundState
from tests.simulation.facts import API_SECONDS
from tests.simulation.universe import Environment, Halt, Universe
from tools.doku_simulator.bindings import PageView
from tools.doku_simulator.magic_values import EXPIRED_OTP, RIGHT_OTP
from tools.doku_simulator.records import PaymentState as BankState
from tools.doku_simulator.records import Refund

if TYPE_CHECKING:
    from direct_debit.adapters.dynamodb.items import Item
    from direct_debit.application.deadline import Deadline
    from direct_debit.application.ports.ports import Ports
    from tests.simulation.kernel import Actor, Outcome

WRONG_OTP = "739154"
_AMOUNTS = ("10000.00", "25000.00", "150000.50", "10000.00", "10202.00", "10504.00", "10006.00", "10014.00")
_WEIGHTS = (6, 4, 4, 6, 2, 2, 1, 1)

type Call[T] = Callable[[Ports, Deadline], T]


@dataclass(slots=True)
class Person:
    """One customer, with the merchant's client that acts for them."""

    u: Universe
    customer: str
    phone: str
    binding_id: str | None = None
    tasks: int = 0
    page: str | None = None  # the bank's page that was shown last, by its auth code
    pages: dict[str, str | None] = field(default_factory=dict)  # with which page to return to each payment was made

    # --- the way to the API ------------------------------------------------------------------------------------------

    def _start(self, kind: str, call: Call[object], subject: str = "", halt: Halt | None = None) -> Actor:
        def run(environment: Environment, deadline: Deadline) -> object:
            return call(environment.ports, deadline)

        return self.u.invoke(kind, run, API_SECONDS, subject=subject, halt=halt)

    def _ask[T](self, kind: str, call: Call[T], subject: str = "") -> Outcome | None:
        """Call the API and wait for the answer, as long as one is patient; None when one was not."""
        rng = self.u.rng
        patience = 30.0 if rng.random() < 0.8 else rng.choice((0.01, 0.3, 3.0))
        actor = self._start(kind, call, subject)
        self.u.coverage.totals["requests"] += 1
        return self.u.kernel.wait(actor, patience)

    def _try[T](self, kind: str, call: Call[T], subject: str = "", tries: int = 4) -> T | None:
        """Repeat a request until there is an answer; a business error is an answer too."""
        u = self.u
        for number in range(tries):
            if number:
                u.happens("request repeated")
            if u.chance(0.12):
                u.happens("request repeated")
                self._start(kind, call, subject)  # the double click: both run at once
            outcome = self._ask(kind, call, subject)
            if outcome is not None and outcome.error is None:
                return outcome.value  # type: ignore[return-value]  # the actor's value is what `call` returned
            if outcome is not None and isinstance(outcome.error, Conflict):
                return None
            self._think(1.0, 8.0)
        return None

    def _think(self, shortest: float, longest: float) -> None:
        self.u.kernel.pause(self.u.rng.uniform(shortest, longest) * (0.2 if self.u.calm else self.u.plan.pace))

    # --- a life ------------------------------------------------------------------------------------------------------

    def live(self) -> None:
        """Link, buy, regret, unlink, and perhaps begin again."""
        rng = self.u.rng
        self._think(0.0, 60.0)
        for again in range(rng.choice((1, 1, 2))):
            if again:
                self.u.happens("linked again")
            if not self._link():
                continue
            errands: list[Callable[[], None]] = []
            errands.extend([self._buy] * rng.randint(1, self.u.plan.orders))
            if rng.random() < 0.3:
                errands.append(self._look_around)
            unlinks = 0.35 if not again else 0.15
            if rng.random() < (0.9 if self.u.plan.late_codes else unlinks):
                errands.append(self._unlink)
            actors = []
            for errand in errands:
                if rng.random() < 0.5:
                    actors.append(self.u.kernel.spawn(f"customer {self.customer}", errand))
                else:
                    errand()
                self._think(0.0, 30.0)
            for actor in actors:
                self.u.kernel.wait(actor, 1_000_000.0)

    # --- linking -----------------------------------------------------------------------------------------------------

    def _link(self) -> bool:
        u, rng = self.u, self.u.rng
        self.tasks += 1
        command = BindAccount(
            customer_id=self.customer,
            phone=self.phone,
            success_url="https://shop.example/linked",
            failed_url="https://shop.example/failed",
            customer_name="Canary Name",
            email="canary@shop.example",
            metadata={"cart": "7"},
            task_token=f"task-link-{self.customer}-{self.tasks}" if rng.random() < 0.5 else None,
        )
        for _ in range(4):
            if self._change_mind(command):
                return False
            if u.moods.has(0.3):
                u.happens("page asked for by two at once")
                pause = u.moods.rng.uniform(0.0, 27.0)
                behind = u.plan.skew if u.moods.rng.random() < 0.5 else None
                halt = Halt(u.moods.rng.randint(1, 6), u.moods.rng.uniform(pause + 0.5, 28.0), behind)
                u.moods.pages = ["", "4030701"] if u.moods.rng.random() < 0.5 else []
                self._start("bind_account", lambda ports, deadline: u.moods.bind(command, ports, deadline), halt=halt)
                u.kernel.pause(pause)
            result = self._try("bind_account", lambda ports, deadline: u.moods.bind(command, ports, deadline))
            if isinstance(result, BindingResult):
                self._check_binding(result)
                self.binding_id = result.binding.id
                if result.binding.state is BindingState.ACTIVE:
                    return True
                if result.redirect_url is not None and self._walk_the_pages(result.redirect_url):
                    return True
            elif result is None:
                u.happens("account claimed twice")
            self._think(5.0, 60.0)
            if self._find_link():
                return True
        return False

    def _change_mind(self, command: BindAccount) -> bool:
        """Do what is regretted: the request that follows has to work all the same. True where there is none."""
        moods = self.u.moods
        if moods.has(0.4):
            self.u.happens("phone mistyped")
            other = replace(command, phone=self._mistype(), task_token=None)
            result = self._try("bind_account", lambda ports, deadline: moods.bind(other, ports, deadline))
            if isinstance(result, BindingResult):
                self._check_binding(result)
                self.binding_id = result.binding.id
                if result.redirect_url is not None:
                    self.page = result.redirect_url.rsplit("/", 1)[1]
                    self._finish_after_all(other.phone)
        page = self.u.simulator.world.bindings.get(self.page or "")
        if page is not None and moods.has(0.3):
            self.u.happens("page called failed that is not")
            self._go_back(page.failed_url)
            moods.note_end(page.code)
            self._finish_after_all(page.phone)
        binding_id = self.binding_id
        if binding_id is not None and moods.has(0.2):
            self.u.happens("link given up")
            self._try("unbind_account", lambda ports, deadline: unbind_account(binding_id, ports, deadline))
        if binding_id is not None and moods.has(0.4):
            self._give_up_together(binding_id)
            return moods.rng.random() < 0.5
        return False

    def _give_up_together(self, binding_id: str) -> None:
        """Let two give up a link of which the page has just been finished: one stands still, one has no answer."""
        u, page = self.u, self.u.simulator.world.bindings.get(self.page or "")
        if page is not None:
            u.simulator.customer.complete(page.code)
            u.moods.note_finish(page.code)
        u.happens("link given up by two at once")

        def give_up(ports: Ports, deadline: Deadline) -> object:
            return unbind_account(binding_id, ports, deadline)

        slow = self._start("unbind_account", give_up, halt=Halt(1, u.moods.rng.uniform(2.0, 20.0)))
        u.kernel.pause(u.moods.rng.random())
        u.moods.exchanges = u.moods.rng.choice((["drop"], ["4037416"] * 6, ["4037416"] * 6))
        self._ask("unbind_account", give_up)
        u.kernel.wait(slow, 30.0)
        u.moods.exchanges = []

    def _mistype(self) -> str:
        """Return another account of the customer's, or somebody else's number."""
        return self.u.moods.rng.choice((self.phone.replace("62812", "62899", 1), "6281234509999"))

    def _finish_after_all(self, phone: str) -> None:
        """Let the customer finish a page that was left, some time later; somebody else's number gets no code."""
        code, rng = self.page, self.u.moods.rng
        if code is None or phone == "6281234509999" or rng.random() < 0.5:
            return
        pause, comes_back = rng.choice((1.0, 30.0, 300.0, 1_500.0)) * rng.uniform(0.5, 1.5), rng.random() < 0.5

        def finish() -> None:
            self.u.kernel.pause(pause)
            self.u.happens("page finished after all")
            view = self.u.simulator.customer.complete(code)
            self.u.moods.note_finish(code)
            if view.linked and comes_back:
                self._come_back(view)

        self.u.kernel.spawn(f"customer {self.customer}", finish)

    def _check_binding(self, result: BindingResult) -> None:
        if result.binding.customer_id != self.customer:
            self.u.blame("B1", f"{self.customer} was shown the link of {result.binding.customer_id}")

    def _walk_the_pages(self, url: str) -> bool:
        u, rng, pages = self.u, self.u.rng, self.u.simulator.customer
        code = url.rsplit("/", 1)[1]
        if code not in u.simulator.world.bindings:
            return False
        self.page = code
        self._think(1.0, 60.0)
        if rng.random() < 0.08:
            u.happens("link abandoned")
            return False
        if rng.random() < 0.06:
            u.happens("link refused by the customer")
            self._come_back(pages.refuse(code))
            u.moods.note_end(code)
            return False
        pages.enter_phone(code)
        if rng.random() < 0.15:
            u.happens("code wrong")
            pages.enter_otp(code, WRONG_OTP)
        self._think(1.0, 20.0)
        pages.enter_otp(code, RIGHT_OTP)
        if rng.random() < 0.1:
            u.happens("link abandoned")
            return False
        view = pages.enter_pin(code, "135790")
        u.kernel.note(f"customer finishes linking: {view.linked}")
        u.moods.note_finish(code)
        if view.linked and rng.random() < 0.75:
            self._come_back(view)
            if rng.random() < 0.1:
                self._come_back(view)
        else:
            self._think(10.0, 100.0)  # the browser was closed: the notification tells
        return self._find_link()

    def _come_back(self, view: PageView) -> None:
        if view.redirect_url is not None:
            self._go_back(view.redirect_url)

    def _go_back(self, url: str) -> None:
        state, outcome = url.rsplit("/", 2)[1:]
        command = ReturnFromBinding(state=state, outcome="success" if outcome == "success" else "failed")
        self._ask("return_from_binding", lambda ports, deadline: return_from_binding(command, ports, deadline))

    def _find_link(self) -> bool:
        query = ListBindings(selection=OfCustomer(self.customer))
        for _ in range(3):
            outcome = self._ask("list_bindings", lambda ports, _: list_bindings(query, ports))
            if outcome is not None and outcome.error is None:
                found = outcome.value
                for one in found.shown if isinstance(found, BindingsResult) else ():
                    binding = one.binding
                    if binding.state in (BindingState.ACTIVE, BindingState.RELINK_REQUIRED):
                        self.binding_id = binding.id
                        return binding.state is BindingState.ACTIVE
                return False
        return False

    # --- paying ------------------------------------------------------------------------------------------------------

    def _order(self, binding_id: str) -> MakePayment:
        u, rng = self.u, self.u.rng
        u.coverage.totals["orders"] += 1
        u.orders += 1
        ref = f"ORDER{u.orders:07}" if rng.random() < 0.8 else None
        key = u.ids.new_id() if ref is None or rng.random() < 0.25 else None
        return MakePayment(
            binding_id=binding_id,
            amount=Amount.parse(rng.choices(_AMOUNTS, _WEIGHTS)[0]),
            remarks="one order",
            partner_reference_no=ref,
            idempotency_key=key,
            device_id="device1" if rng.random() < 0.5 else None,
            metadata={"cart": "7"},
            task_token=f"task-pay-{u.ids.new_id()[:8]}" if rng.random() < 0.5 else None,
        )

    def _try_something_else(self, command: MakePayment) -> None:
        """Send what is nearly the same: another body under the reference, another reference under the key."""
        u, rng = self.u, self.u.rng
        if rng.random() < 0.1:
            other = rng.choice(
                (
                    replace(command, amount=Amount.parse("77777.00")),
                    replace(command, metadata={"cart": "8"}),
                    replace(command, success_url="https://shop.example/elsewhere"),
                )
            )
            u.happens("request repeated with another body")
            self._start("make_payment", lambda ports, deadline: self._pay(other, ports, deadline))
        if command.idempotency_key is not None and rng.random() < 0.3:
            # A shop that numbers its attempts, and keeps the key.
            numbered = replace(command, partner_reference_no=f"AGAIN{u.orders:07}" if rng.random() < 0.7 else None)
            u.happens("key repeated with another reference")
            self._start("make_payment", lambda ports, deadline: self._pay(numbered, ports, deadline))

    def _buy(self) -> None:
        u, rng = self.u, self.u.rng
        if self.binding_id is None:
            return
        command = self._order(self.binding_id)
        self._try_something_else(command)
        paid = self._try("make_payment", lambda ports, deadline: self._pay(command, ports, deadline))
        if rng.random() < 0.15:
            self._think(1.0, 600.0)
            u.happens("request repeated")
            paid = self._try("make_payment", lambda ports, deadline: self._pay(command, ports, deadline)) or paid
        if not isinstance(paid, PaymentResult):
            return
        payment = paid.payment
        if rng.random() < 0.2:
            u.kernel.spawn(f"customer {self.customer}", lambda: self._regret(payment.ref))
        self._confirm(payment)
        if rng.random() < 0.35:
            self._think(0.0, 300.0)
            self._regret(payment.ref, later=rng.random() < 0.3)
        if rng.random() < 0.2:
            self._refresh(payment.ref)
        if u.plan.repost or rng.random() < 0.05:
            u.kernel.pause(rng.uniform(600.0, 3_600.0))
            u.happens("request repeated")
            again = self._try("make_payment", lambda ports, deadline: self._pay(command, ports, deadline))
            if isinstance(again, PaymentResult) and again.payment.state is PaymentState.OTP_PENDING:
                self._confirm(again.payment)

    def _pay(self, command: MakePayment, ports: Ports, deadline: Deadline) -> PaymentResult:
        result = make_payment(command, ports, deadline)
        payment = result.payment
        asked = (command.amount, command.binding_id, command.metadata)
        if (payment.amount, payment.binding_id, payment.metadata) != asked:
            self.u.blame("S2", f"{payment.ref}: another request's payment was shown for this one")
        # The record does not keep the pages: with which ones a payment was made, this side has to know.
        if not result.replayed:
            self.pages.setdefault(payment.ref, command.success_url)
        if command.success_url != self.pages.get(payment.ref, command.success_url):
            self.u.blame("S2", f"{payment.ref}: a payment with other pages was shown for this request")
        if payment.customer_id != self.customer:
            self.u.blame("B4", f"{payment.ref}: {self.customer} was shown a payment of {payment.customer_id}")
        if command.idempotency_key is not None:
            self.u.keys.setdefault(command.idempotency_key, set()).add(payment.ref)
            if len(self.u.keys[command.idempotency_key]) > 1:
                self.u.blame("M2", f"{payment.ref}: one key made several payments")
        return result

    def _confirm(self, payment: Payment) -> None:
        """Enter codes while one is awaited."""
        u, rng = self.u, self.u.rng
        if rng.random() < 0.1:
            u.happens("payment abandoned")
            return
        patient = rng.random() < (0.8 if u.plan.late_codes else 0.2)
        for _ in range(6):
            current = self._look(payment.ref)
            if current is None:
                self._think(5.0, 30.0)
                continue
            if current.is_final:
                return
            if current.state is not PaymentState.OTP_PENDING:
                if patient:  # long enough for an inquiry to tell
                    u.kernel.pause(rng.uniform(40.0, 80.0))
                else:
                    self._think(5.0, 90.0)
                continue
            self._enter_code(current)

    def _enter_code(self, payment: Payment) -> None:
        u, rng = self.u, self.u.rng
        self._think(3.0, 40.0)
        code = RIGHT_OTP
        if rng.random() < u.plan.wrong_codes:
            u.happens("code wrong")
            code = WRONG_OTP
        elif rng.random() < 0.04:
            u.happens("code too late")
            code = EXPIRED_OTP
        command = VerifyPaymentOtp(ref=payment.ref, otp=code)

        def verify(ports: Ports, deadline: Deadline) -> PaymentResult:
            return verify_payment_otp(command, ports, deadline)

        if rng.random() < 0.12:
            u.happens("code repeated")
            self._start("verify_payment_otp", verify, payment.ref)
        self._ask("verify_payment_otp", verify, payment.ref)

    def _look(self, ref: str, *, refresh: bool = False) -> Payment | None:
        command = GetPayment(ref=ref, refresh=refresh)
        outcome = self._ask("get_payment", lambda ports, deadline: get_payment(command, ports, deadline), ref)
        if outcome is not None and isinstance(outcome.value, PaymentView):
            return outcome.value.payment
        return None

    def _refresh(self, ref: str) -> None:
        for _ in range(2):
            self._think(20.0, 200.0)
            self._look(ref, refresh=True)

    def _regret(self, ref: str, *, later: bool = False) -> None:
        """Ask for the money back, sometimes twice, sometimes under another number; `later` when the goods come back."""
        u, rng = self.u, self.u.rng
        if later:
            u.kernel.pause(rng.uniform(600.0, 7_200.0))
        self._think(0.0, 120.0)
        number = None if rng.random() < 0.6 else f"REFUND{rng.randrange(10**6):06}"
        command = RefundPayment(ref=ref, partner_refund_no=number, reason="changed my mind")

        def refund(ports: Ports, deadline: Deadline) -> PaymentResult:
            return refund_payment(command, ports, deadline)

        if rng.random() < 0.25:
            u.happens("refund requested twice")
            self._start("refund_payment", refund, ref)
        if rng.random() < 0.2:
            u.happens("refund requested with another number")
            other = replace(command, partner_refund_no=f"OTHER{rng.randrange(10**6):06}")
            self._start("refund_payment", lambda ports, deadline: refund_payment(other, ports, deadline), ref)
        self._try("refund_payment", refund, ref)
        if rng.random() < 0.3:
            self._ask("get_refund", lambda ports, _: get_refund(ref, ports), ref)

    # --- other errands -----------------------------------------------------------------------------------------------

    def _look_around(self) -> None:
        binding_id = self.binding_id
        if binding_id is None:
            return
        for _ in range(self.u.rng.randint(1, 3)):
            self._ask("get_balance", lambda ports, deadline: get_balance(binding_id, ports, deadline))
            self._think(1.0, 400.0)

    def _unlink(self) -> None:
        u, rng = self.u, self.u.rng
        binding_id = self.binding_id
        if binding_id is None:
            return
        self._think(0.0, 300.0)
        if u.chance(u.plan.bank_trouble):
            u.happens("customer tokens expired")
            u.simulator.expire_customer_tokens(self.customer)
        if not self._ask_to_unlink(binding_id):
            return
        if rng.random() < 0.15:
            u.happens("unlinking abandoned")
            return
        self._confirm_unlinking(binding_id)

    def _ask_to_unlink(self, binding_id: str) -> bool:
        """Return whether a code is awaited."""
        for _ in range(self.u.rng.randint(1, 5)):
            if self.u.rng.random() < 0.4:
                self.u.kernel.spawn(f"customer {self.customer}", self._buy)
            result = self._try("unbind_account", lambda ports, deadline: unbind_account(binding_id, ports, deadline))
            if isinstance(result, BindingResult):
                if result.binding.state is BindingState.UNBOUND:
                    return False
                if result.binding.state is BindingState.UNBIND_OTP_PENDING:
                    return True
            self._think(10.0, 300.0)
        return False

    def _confirm_unlinking(self, binding_id: str) -> None:
        u, rng = self.u, self.u.rng
        for _ in range(4):
            self._think(2.0, 40.0)
            code = WRONG_OTP if rng.random() < (0.05 if u.plan.late_codes else 0.2) else RIGHT_OTP
            command = ConfirmUnbinding(binding_id=binding_id, otp=code)

            def confirm(ports: Ports, deadline: Deadline, command: ConfirmUnbinding = command) -> BindingResult:
                return confirm_unbinding(command, ports, deadline)

            if rng.random() < 0.1:
                u.happens("code repeated")
                self._start("confirm_unbinding", confirm)
            outcome = self._ask("confirm_unbinding", confirm)
            value = None if outcome is None else outcome.value
            if isinstance(value, BindingResult) and value.binding.state is BindingState.UNBOUND:
                return


def populate(u: Universe) -> list[Actor]:
    """Start the customers, and the bank's own trouble."""
    phones = [f"62812345{1000 + number}" for number in range(u.plan.customers)]
    if u.plan.shared_phone and len(phones) > 1:
        phones[1] = phones[0]
    people = [Person(u, f"C{number + 1}", phone) for number, phone in enumerate(phones)]
    if u.plan.shared_phone and len(phones) == 1:
        people.append(Person(u, "C2", phones[0]))
    actors = [u.kernel.spawn(f"customer {one.customer}", one.live) for one in people]
    if u.plan.bank_trouble:
        actors.append(u.kernel.spawn("bank trouble", lambda: _make_trouble(u, people)))
    if u.plan.blackout:
        actors.append(u.kernel.spawn("blackout", lambda: u.kernel.pause(u.plan.blackout[0][1] + 1_800.0)))
    if u.plan.contradictions:
        u.kernel.spawn("contradictions", lambda: _contradict(u))
    if u.plan.hasty_refunds:
        u.kernel.spawn("back office", lambda: _refund_hastily(u))
    if u.plan.message_trouble:
        u.kernel.spawn("operator", lambda: _operate(u))
    return actors


def _make_trouble(u: Universe, people: list[Person]) -> None:
    """Let tokens expire and links end at the bank, of which nobody tells us."""
    for _ in range(u.rng.randint(1, 4)):
        u.kernel.pause(u.rng.uniform(10.0, 400.0) * u.plan.pace)
        if u.calm:
            return
        one = u.rng.choice(people)
        match u.rng.choice(("b2b", "access", "access", "refresh", "unlink", "refund")):
            case "b2b":
                u.happens("B2B tokens expired")
                u.simulator.expire_b2b_tokens()
            case "access":
                u.happens("customer tokens expired")
                u.simulator.expire_customer_tokens(one.customer)
            case "refresh":
                u.happens("refresh tokens expired")
                u.simulator.expire_customer_tokens(one.customer, refresh=True)
            case "refund":
                _refund_from_back_office(u)
            case _:
                if u.simulator.unlink_customer(one.customer):
                    u.happens("unlinked at the bank")
                    u.unlinked_at_bank = True


def _refund_hastily(u: Universe) -> None:
    """Let DOKU's staff give back what we do not know yet to be paid, or have not begun to give back ourselves."""
    for _ in range(40):
        u.kernel.pause(u.rng.uniform(60.0, 1_200.0) if u.plan.blackout else u.rng.uniform(0.5, 45.0))
        if u.calm:
            return
        _refund_from_back_office(u, only_unknown=True)


def _refund_from_back_office(u: Universe, *, only_unknown: bool = False, among: Sequence[str] | None = None) -> None:
    """Let DOKU's staff give a payment back, now or soon, of which we may not even know yet that it was made."""
    bank = u.simulator
    paid = [
        one
        for one in bank.world.all_payments()
        if one.state is BankState.PAID
        and all(refund.status == "06" for refund in one.refunds)
        and (among is None or one.reference in among)
    ]
    if only_unknown:
        ours = {one.reference: u.payment_item(one.reference) for one in paid}
        paid = [one for one in paid if not _is_settled(ours[one.reference] or {})]
    if paid:
        payment = u.rng.choice(paid)
        u.happens("refunded from the back office")
        u.back_office.add(payment.reference)
        refund = Refund(f"BACK{payment.reference}"[:12], "BACK", payment.amount, "back office", bank.now)
        payment.refunds.append(refund)
        if u.rng.random() < 0.7:
            bank._payments._give_back(payment, refund, bank.now)
        else:
            refund.history.append((bank.now, "03"))
            due = bank.now + timedelta(seconds=u.rng.uniform(60.0, 4_000.0))
            bank.world.later(due, lambda at: bank._payments._give_back(payment, refund, at))


def _is_settled(item: Item) -> bool:
    waits = item.get("refundState", {}).get("S") == RefundState.REQUESTED
    return item.get("state", {}).get("S") == PaymentState.PAID and not waits


def _contradict(u: Universe) -> None:
    """Let DOKU send a late, true-looking notification that says the opposite of a final truth.

    Only where a merchant can know better: "failed" after "paid", and "paid" after a refusal that DOKU itself gave.
    """
    for _ in range(6):
        u.kernel.pause(u.rng.uniform(20.0, 400.0) * u.plan.pace)
        if u.calm:
            return
        finals = []
        for item in u.store.items("Transactions"):
            state = item.get("state", {}).get("S")
            refused = state == "FAILED" and item.get("failureReason", {}).get("S") not in (None, "not_found")
            if item["sk"]["S"] == "PAYMENT" and (state == "PAID" or refused):
                finals.append((item["pk"]["S"].partition("#")[2], state))
        known = [(ref, state) for ref, state in finals if _newest_status(u, ref) == ("00" if state == "PAID" else "06")]
        if known:
            ref, _ = u.rng.choice(sorted(known))
            u.happens("notification contradicts")
            u.lied.add(ref)
            u.simulator.notifications.forge(ref, "status")


def _newest_status(u: Universe, ref: str) -> str | None:
    for delivery in reversed(u.simulator.notifications.deliveries):
        if delivery.reference == ref and delivery.forgery is None:
            return str(delivery.body.get("latestTransactionStatus"))
    return None


def _redrive(ref: str, environment: Environment, _: Deadline) -> object:
    return redrive_refund(ref, environment.ports)


def _operate(u: Universe) -> None:
    """Look after what was put aside, now and then."""
    for _ in range(3):
        u.kernel.pause(u.rng.uniform(100.0, 4_000.0))
        if u.calm:
            return
        u.platform.redrive()
        redrive_refunds(u)


def redrive_refunds(u: Universe) -> bool:
    """Start the refunds again that need a review, or were refused; whether there were any."""
    refs = [
        str(item["pk"]["S"]).partition("#")[2]
        for item in u.store.items("Transactions")
        if item["sk"]["S"] == "PAYMENT"
        and item["state"]["S"] == PaymentState.PAID
        and item.get("refundState", {}).get("S") in (RefundState.NEEDS_REVIEW, RefundState.FAILED)
    ]
    if refs and u.rng.random() < 0.3:
        _refund_from_back_office(u, among=refs)  # an operator who has asked DOKU's staff, and forgets it
    for ref in refs:
        u.happens("refund started again")
        u.invoke("redrive_refund", partial(_redrive, ref), API_SECONDS)
    return bool(refs)
