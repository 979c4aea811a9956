"""What the tests of the use cases share: a linked merchant, a fault at a named effect, counting calls."""

from collections.abc import Callable
from dataclasses import dataclass, field

from direct_debit.domain.binding import Binding
from direct_debit.domain.payment import Payment
from direct_debit.domain.refund import Refund
from tests.fakes.journey import Merchant
from tests.fakes.records import with_fields
from tests.fakes.weather import Fault, Weather
from tests.fakes.world import World


@dataclass(slots=True)
class Strike(Weather):
    """`fault` at the effects whose name begins with `name`: the first `count` of them after `skip`."""

    name: str
    fault: Fault
    count: int = 1
    skip: int = 0
    names: list[str] = field(default_factory=list)

    def draw(self, name: str) -> Fault:
        self.names.append(name)
        if not name.startswith(self.name) or self.count == 0:
            return Fault.NONE
        if self.skip:
            self.skip -= 1
            return Fault.NONE
        self.count -= 1
        return self.fault


@dataclass(slots=True)
class Meanwhile(Weather):
    """Fair weather, but `act` happens right before the first effect whose name begins with `name`."""

    name: str
    act: Callable[[], object]
    skip: int = 0
    done: bool = False

    def draw(self, name: str) -> Fault:
        if not self.done and name.startswith(self.name):
            if self.skip:
                self.skip -= 1
            else:
                self.done = True
                self.act()
        return Fault.NONE


@dataclass(slots=True)
class Rivals(Weather):
    """Fair weather, but `act` happens before each effect whose name begins with `name`: somebody is always faster."""

    name: str
    act: Callable[[], object]
    count: int = 0
    acting: bool = False

    def draw(self, name: str) -> Fault:
        if name.startswith(self.name) and not self.acting:
            self.count += 1
            self.acting = True
            self.act()
            self.acting = False
        return Fault.NONE


def requests(world: World, operation: str) -> int:
    """How many requests of an operation reached DOKU."""
    return sum(1 for one in world.simulator.requests if one.operation == operation)


def linked(world: World | None = None) -> Merchant:
    """Return a merchant whose customer is linked."""
    merchant = Merchant(world or World())
    merchant.link()
    return merchant


def lose_notifications(world: World) -> None:
    """Lose every notification that is on its way."""
    world.simulator.notifications._waiting.clear()


def touch_payment(merchant: Merchant, **changes: object) -> Payment:
    """Write the payment as it is, or with these changes: as if somebody else had."""
    payments, payment = merchant.world.process().payments, merchant.payment()
    return payments.save(payment, with_fields(payment.noted(merchant.world.clock.now()), **changes))


def touch_binding(merchant: Merchant, **changes: object) -> Binding:
    """Write the link as it is, or with these changes: as if somebody else had."""
    bindings, binding = merchant.world.process().bindings, merchant.binding()
    return bindings.save(binding, with_fields(binding.noted(merchant.world.clock.now()), **changes))


def paid_untold() -> Merchant:
    """Return a merchant with a payment that is PAID, of which the stream has not told the outbox yet."""
    merchant = linked()
    merchant.pay()
    merchant.enter_otp()
    merchant.world.clock.tick(2)
    merchant.world.notify()
    merchant.world.work()
    return merchant


def paid(world: World | None = None) -> Merchant:
    """Return a merchant whose customer has paid."""
    merchant = linked(world)
    merchant.pay_to_the_end()
    return merchant


def refund_of(merchant: Merchant) -> Refund:
    """Return the refund of the merchant's payment, which has to have one."""
    refund = merchant.payment().refund
    assert refund is not None
    return refund
