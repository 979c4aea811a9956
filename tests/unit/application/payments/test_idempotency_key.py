"""An idempotency key names one payment for ever: with and without a reference, in either order, at once, in trouble."""

from dataclasses import dataclass, field, replace
from itertools import product

import pytest

from direct_debit.application.errors import CircuitOpen, Conflict, NotDone
from direct_debit.application.payments.make_payment import MakePayment, make_payment
from direct_debit.application.payments.result import PaymentResult
from direct_debit.application.references import derive_reference
from direct_debit.domain.binding import BindingState
from direct_debit.domain.money import Amount
from direct_debit.domain.payment import PaymentState
from tests.fakes.invariants import check_at_rest
from tests.fakes.journey import Merchant
from tests.fakes.processes import TRANSACTIONS
from tests.fakes.quiescence import come_to_rest
from tests.fakes.weather import Fault
from tests.fakes.world import World
from tests.unit.application.support import Meanwhile, Strike, linked, requests
from tools.doku_simulator.dials import Dial

KEY = "basket-7"


def own_reference(key: str) -> str:
    """The reference of a payment that came with this key alone."""
    return derive_reference(f"payment:{key}")


def pay(merchant: Merchant, key: str | None, ref: str | None, amount: str = "10000.00") -> PaymentResult:
    command = MakePayment(
        binding_id=merchant.binding().id,
        amount=Amount.parse(amount),
        remarks="Order 1",
        partner_reference_no=ref,
        idempotency_key=key,
    )
    return make_payment(command, merchant.world.process(), merchant.world.deadline())


def forget_keys(world: World) -> None:
    """Leave the tables as an earlier release did: payments without key items."""
    for item in [one for one in world.store.items(TRANSACTIONS) if one["sk"] == {"S": "KEY"}]:
        step = {"Delete": {"TableName": TRANSACTIONS, "Key": {"pk": item["pk"], "sk": item["sk"]}}}
        world.store.transact_write_items(TransactItems=[step])  # type: ignore[list-item]  # items are loosely typed


def written(world: World) -> int:
    return len(world.store.stream(TRANSACTIONS))


# --- every combination -----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Model:
    """What should be, in a few lines: which payment each key names, and what each payment is of."""

    own: str  # the reference that is made from the one key
    named: str | None = None
    made: dict[str, str] = field(default_factory=dict)

    def pay(self, key: str | None, ref: str | None, amount: str) -> tuple[str, str]:
        """Return what should come of a request, and the payment's reference."""
        bound = None
        if key is not None:
            bound = self.named or (self.own if self.own in self.made else None)
        target = ref or bound or self.own
        if bound not in (None, target) or self.made.get(target, amount) != amount:
            return "conflict", ""
        if key is not None:
            self.named = target
        if target in self.made:
            return "replayed", target
        self.made[target] = amount
        return "made", target


ORDERS = ("order-a", "order-b", "own")
REQUESTS = [
    (with_key, ref, amount)
    for with_key, ref, amount in product((False, True), (None, *ORDERS), ("10000.00", "20000.00"))
    if with_key or ref
]


@pytest.mark.long
@pytest.mark.parametrize("earlier", [False, True], ids=["now", "the first by an earlier release"])
@pytest.mark.parametrize("first", REQUESTS)
def test_every_order_of_three_requests(first: tuple[bool, str | None, str], earlier: bool) -> None:
    if earlier and first[0] and first[1] is not None:
        return  # of a key beside a reference an earlier release kept nothing: there is nothing to hold to
    merchant = linked(World())
    world = merchant.world
    world.settings = replace(world.settings, max_open_payments=10_000, max_payments_per_day=0)
    for case, (second, third) in enumerate(product(REQUESTS, REQUESTS)):
        key = f"basket-{case}"
        names = {"order-a": f"A{case}", "order-b": f"B{case}", "own": own_reference(key), None: None}
        model = Model(names["own"] or "")
        at_start = requests(world, "payment")
        for number, (with_key, order, amount) in enumerate((first, second, third)):
            before = written(world), requests(world, "payment")
            expected = model.pay(key if with_key else None, names[order], amount)
            try:
                result = pay(merchant, key if with_key else None, names[order], amount)
            except Conflict:
                assert expected[0] == "conflict", (first, second, third, number)
                assert (written(world), requests(world, "payment")) == before
            else:
                assert expected == ("replayed" if result.replayed else "made", result.payment.ref)
            if number == 0 and earlier:
                forget_keys(world)
                model.named = None
        assert requests(world, "payment") - at_start == len(model.made)


# --- what the caller is told -----------------------------------------------------------------------------------------


def test_a_key_with_another_reference_is_told_what_to_do_and_of_which_payment() -> None:
    merchant = linked()
    pay(merchant, KEY, "ORDER1-TRY1")
    with pytest.raises(Conflict, match="names the payment ORDER1-TRY1") as refused:
        pay(merchant, KEY, "ORDER1-TRY2")
    assert "send a new key" in refused.value.detail
    assert KEY not in refused.value.detail
    assert requests(merchant.world, "payment") == 1


def test_the_key_is_nowhere_in_the_clear() -> None:
    merchant = linked()
    pay(merchant, KEY, "ORDER1")
    stored = [one for one in merchant.world.store.items(TRANSACTIONS) if one["sk"] == {"S": "KEY"}]
    assert [one["ref"] for one in stored] == [{"S": "ORDER1"}]
    assert KEY not in repr(list(merchant.world.store.items(TRANSACTIONS)))


def test_a_payment_by_key_alone_reads_no_more_than_before() -> None:
    merchant = linked()
    merchant.pay("WARM")
    merchant.world.weather = watch = Strike("nothing", Fault.NONE)
    pay(merchant, None, "ORDER1")
    by_reference, watch.names = watch.names, []
    pay(merchant, KEY, None)
    assert watch.names == by_reference


# --- in trouble ------------------------------------------------------------------------------------------------------


def test_a_repeat_by_the_key_alone_needs_no_usable_link() -> None:
    merchant = linked()
    made = pay(merchant, KEY, "ORDER1").payment
    binding = merchant.binding()
    ports = merchant.world.process()
    ports.bindings.save(binding, replace(binding.noted(binding.updated_at), state=BindingState.RELINK_REQUIRED))
    again = pay(merchant, KEY, None)
    assert (again.payment, again.replayed) == (made, True)
    with pytest.raises(Conflict, match="ORDER1"):
        pay(merchant, KEY, "ORDER2")
    with pytest.raises(Conflict, match="link the account again"):
        pay(merchant, "another", None)


def test_a_repeat_by_the_key_alone_needs_no_closed_circuit() -> None:
    merchant = linked()
    world = merchant.world
    pay(merchant, KEY, "ORDER1")
    world.simulator.dials.add(Dial("payment", "drop", count=10))
    for number in range(world.settings.circuit_failures):
        merchant.pay(f"LOST{number}")
    assert pay(merchant, KEY, None).payment.ref == "ORDER1"
    with pytest.raises(CircuitOpen):
        pay(merchant, "another", None)


def test_a_key_holds_for_a_payment_that_was_not_sent_yet() -> None:
    merchant = linked()
    merchant.world.weather = Strike("doku.payment", Fault.FAIL)
    with pytest.raises(NotDone):
        pay(merchant, KEY, "ORDER1")
    with pytest.raises(Conflict):
        pay(merchant, KEY, "ORDER2")
    result = pay(merchant, KEY, None)
    assert (result.payment.ref, result.payment.state) == ("ORDER1", PaymentState.OTP_PENDING)
    assert requests(merchant.world, "payment") == 1


def test_a_key_that_was_not_recorded_is_not_used_up() -> None:
    merchant = linked()
    merchant.world.weather = Strike("store.transact", Fault.FAIL)
    with pytest.raises(NotDone):
        pay(merchant, KEY, "ORDER1")
    assert pay(merchant, KEY, "ORDER2").payment.ref == "ORDER2"


def test_a_repeat_is_not_answered_before_its_key_is_recorded() -> None:
    merchant = linked()
    pay(merchant, None, "ORDER1")
    merchant.world.weather = Strike("store.transact", Fault.FAIL)
    with pytest.raises(NotDone):
        pay(merchant, KEY, "ORDER1")
    assert pay(merchant, KEY, "ORDER1").replayed
    with pytest.raises(Conflict):
        pay(merchant, KEY, "ORDER2")


# --- at once ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rival", ["ORDER2", None], ids=["another reference", "the key alone"])
@pytest.mark.parametrize(("moment", "skip"), [("store.get_item", 0), ("store.get_item", 1), ("store.transact", 0)])
def test_of_two_at_once_with_one_key_exactly_one_pays(rival: str | None, moment: str, skip: int) -> None:
    merchant = linked()
    world = merchant.world
    world.weather = Meanwhile(moment, lambda: pay(merchant, KEY, rival), skip=skip)
    with pytest.raises(Conflict):
        pay(merchant, KEY, "ORDER1")
    assert isinstance(world.weather, Meanwhile)
    assert world.weather.done
    world.weather = Strike("nothing", Fault.NONE)
    assert requests(world, "payment") == 1
    assert pay(merchant, KEY, None).payment.ref == (rival or own_reference(KEY))
    come_to_rest(world)
    assert check_at_rest(world) == []


@pytest.mark.parametrize("skip", [0, 1])
def test_the_key_alone_follows_a_rival_that_gave_it_a_reference(skip: int) -> None:
    merchant = linked()
    world = merchant.world
    world.weather = Meanwhile("store.", lambda: pay(merchant, KEY, "ORDER1"), skip=skip)
    result = pay(merchant, KEY, None)
    assert (result.payment.ref, result.replayed) == ("ORDER1", True)
    assert requests(world, "payment") == 1


def test_of_two_repeats_at_once_one_gets_the_new_key() -> None:
    merchant = linked()
    world = merchant.world
    pay(merchant, None, "ORDER1")
    pay(merchant, None, "ORDER2")
    world.weather = Meanwhile("store.transact", lambda: pay(merchant, KEY, "ORDER2"))
    with pytest.raises(Conflict, match="ORDER2"):
        pay(merchant, KEY, "ORDER1")
    assert requests(world, "payment") == 2
