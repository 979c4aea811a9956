"""Hypothesis drives the public API: the real handlers, API Gateway's events, moto's DynamoDB, the simulator's bank.

`STATEFUL_EXAMPLES` in the environment sets the number of histories (3 by default, 300 for a thorough run).
"""

import os

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from moto import mock_aws

from tests.fakes.invariants import WRONG_OTP, check_always, check_at_rest, payments_of
from tests.fakes.processes import BINDINGS, TRANSACTIONS
from tests.fakes.quiescence import come_to_rest
from tests.fakes.world import World
from tests.integration.adapters import records
from tests.integration.adapters.conftest import make_moto
from tests.integration.handlers.house import House, Response, binding_body, payment_body
from tests.integration.stateful.referee import Referee
from tools.doku_simulator.dials import Dial
from tools.doku_simulator.magic_values import EXPIRED_OTP, RIGHT_OTP

EXAMPLES = int(os.environ.get("STATEFUL_EXAMPLES", "3"))
STEPS = 30

CUSTOMERS = st.sampled_from(["CUST-1", "CUST-2"])
PHONES = st.sampled_from(["6281100000077", "6281100000078"])
REFERENCES = st.sampled_from(["INV000000001", "INV000000002", "INV000000003"])
AMOUNTS = st.sampled_from(["10000.00", "25000.50", "10504.00", "10202.00", "10014.00"])
OTPS = st.sampled_from([RIGHT_OTP, RIGHT_OTP, WRONG_OTP, EXPIRED_OTP])
OPERATIONS = st.sampled_from(["payment", "otp", "refund", "status", "binding", "unbinding", "b2b_token"])
SETTLED = 200

# What each operation may answer here: no 5xx but "surely not done", and nothing that the design does not name.
_ANSWERS = {200, 201, 202, 302, 400, 404, 409, 422, 503}


class PublicApi(RuleBasedStateMachine):
    """One merchant with two customers who share two phones, in any order, with answers of DOKU lost."""

    def __init__(self) -> None:
        super().__init__()
        self._aws = mock_aws()
        self._aws.start()
        self.world = World()
        tables = {BINDINGS: records.BINDINGS, TRANSACTIONS: records.TRANSACTIONS}
        self.world.store = Referee(make_moto(), tables)
        self.house = House(self.world)
        self._door = self.house.open()
        self._door.__enter__()
        self.links: dict[str, str] = {}
        self.agreed: dict[str, str] = {}

    def teardown(self) -> None:
        try:
            self.world.simulator.dials.clear()
            come_to_rest(self.world)
            assert check_at_rest(self.world) == []
        finally:
            self._door.__exit__(None, None, None)
            self._aws.stop()

    def _call(self, name: str, body: object = None, **more: object) -> Response:
        response = self.house.call(name, body, **more)  # type: ignore[arg-type]  # names and shapes are House.call's
        assert response.status in _ANSWERS, (name, response.status, response.text)
        return response

    # --- linking -----------------------------------------------------------------------------------------------------

    @initialize()
    def begin(self) -> None:
        self.links["CUST-1"] = self.house.link("CUST-1", "6281100000077")

    @rule(customer=CUSTOMERS, phone=PHONES)
    def bind(self, customer: str, phone: str) -> None:
        answer = self._call("bind_account", binding_body(customerId=customer, phone=phone))
        if answer.status in (200, 201):
            assert answer.json["customerId"] == customer
            self.links[customer] = answer.json["bindingId"]

    @rule(customer=CUSTOMERS, outcome=st.sampled_from(["success", "success", "failed"]), returns=st.booleans())
    def walk_through_the_pages(self, customer: str, outcome: str, returns: bool) -> None:
        pages = [one for one in self.world.simulator.world.bindings.values() if one.customer == customer]
        if not pages:
            return
        view = self.world.simulator.customer.complete(pages[-1].code, outcome)
        if returns and view.redirect_url is not None:
            state, result = view.redirect_url.rsplit("/", 2)[1:]
            assert self._call("return_from_binding", path={"state": state, "outcome": result}).status == 302

    @rule(customer=CUSTOMERS)
    def unbind(self, customer: str) -> None:
        if customer in self.links:
            self._call("unbind_account", path={"id": self.links[customer]})

    @rule(customer=CUSTOMERS, otp=OTPS)
    def confirm_unbinding(self, customer: str, otp: str) -> None:
        if customer in self.links:
            self._call("confirm_unbinding", {"otp": otp}, path={"id": self.links[customer]})

    @rule(customer=CUSTOMERS)
    def read_balance(self, customer: str) -> None:
        if customer in self.links:
            self._call("get_balance", path={"id": self.links[customer]})

    # --- paying ------------------------------------------------------------------------------------------------------

    @rule(customer=CUSTOMERS, ref=REFERENCES, amount=AMOUNTS)
    def pay(self, customer: str, ref: str, amount: str) -> None:
        if customer not in self.links:
            return
        body = payment_body(self.links[customer], partnerReferenceNo=ref, amount={"value": amount, "currency": "IDR"})
        answer = self._call("make_payment", body)
        if answer.status in (200, 201, 202):
            # The same reference never stands for two different payments.
            assert answer.json["amount"]["value"] == amount
            assert self.agreed.setdefault(ref, self.links[customer]) == self.links[customer]

    @rule(ref=REFERENCES, otp=OTPS)
    def enter_code(self, ref: str, otp: str) -> None:
        self._call("verify_payment_otp", {"otp": otp}, path={"ref": ref})

    @rule(ref=REFERENCES, refresh=st.booleans())
    def look(self, ref: str, refresh: bool) -> None:
        self._call("get_payment", path={"ref": ref}, query={"refresh": "true"} if refresh else None)

    @rule(ref=REFERENCES, number=st.sampled_from([None, "REFUND000001", "REFUND000002"]))
    def refund(self, ref: str, number: str | None) -> None:
        self._call("refund_payment", {} if number is None else {"partnerRefundNo": number}, path={"ref": ref})

    @rule(ref=REFERENCES)
    def look_at_refund(self, ref: str) -> None:
        self._call("get_refund", path={"ref": ref})

    # --- the world ------------------------------------------------------------------------------------------------

    @rule(operation=OPERATIONS, when=st.sampled_from(["before", "after"]))
    def lose_an_answer(self, operation: str, when: str) -> None:
        self.world.simulator.add_dial(Dial(operation, "drop", when))  # type: ignore[arg-type]  # one of the two

    @precondition(lambda self: self.links)
    @rule(seconds=st.sampled_from([2, 61, 400, 1900]))
    def let_time_pass(self, seconds: int) -> None:
        come_to_rest(self.world, seconds)

    @invariant()
    def nothing_is_wrong(self) -> None:
        assert check_always(self.world) == []

    @invariant()
    def no_payment_is_lost(self) -> None:
        assert set(self.agreed) <= {payment.ref for payment in payments_of(self.world)}


def test_the_public_api_keeps_its_promises() -> None:
    """Any order of requests, codes, lost answers and waiting leaves records that agree with the bank's ledger."""
    run_state_machine_as_test(
        PublicApi,
        settings=settings(max_examples=EXAMPLES, stateful_step_count=STEPS),
    )
