"""Whether rotations refuse anything: each key is replaced again and again while orders come, in virtual time.

python -m tests.benchmarks.rotations [--orders 2000] [--rotations 10] [--write]

With the credentials in three secrets, as new stacks have them, and in one. The commands are the operator's own
(tools/ops), the functions six warm environments that each keep a copy of the secret, and DOKU signs, verifies and keeps
tokens (tests/fakes/keyed_world.py). Most orders come in the minutes in which a key changes. `--write` puts the table
into docs/measurements.md in place of the one before.
"""

import argparse
import heapq
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from itertools import count
from pathlib import Path
from random import Random
from typing import Literal

from direct_debit.application.errors import NotDone
from direct_debit.application.payments.make_payment import MakePayment, make_payment
from direct_debit.application.payments.verify_payment_otp import VerifyPaymentOtp, verify_payment_otp
from direct_debit.application.ports.telemetry import Metric
from direct_debit.domain.binding import BindingState
from direct_debit.domain.money import Amount
from direct_debit.domain.payment import PaymentState
from direct_debit.entrypoint.settings import KEY_OVERLAP
from doku_snap.keys import load_private_key
from tests.benchmarks.outages import RESULTS
from tests.fakes.journey import Merchant
from tests.fakes.keyed_world import SECRET_KEY, KeyedWorld
from tools.doku_simulator.magic_values import RIGHT_OTP
from tools.new_keys import new_private_key, public_half
from tools.ops.onboard import FromDoku, onboard
from tools.ops.report import Report
from tools.ops.rotate import How, rotate
from tools.ops.secret_content import Key

type Layout = Literal["one", "three"]

AT_ONCE = "secretKey, DOKU switches at once"
PAIR = "merchantPrivateKey"
NOTICES = "noticeKeys"
SCENES: dict[str, Key] = {
    "issuedTokenKey": "issuedTokenKey",
    "tokenKeys": "tokenKeys",
    PAIR: "merchantPrivateKey",
    "dokuPublicKey": "dokuPublicKey",
    "secretKey, DOKU takes both for 5 min": "secretKey",
    AT_ONCE: "secretKey",
    NOTICES: "noticeKeys",
}


def scenes_of(layout: Layout) -> list[str]:
    """The scenes that a layout has: one secret has no keys for notifications only."""
    return [scene for scene in SCENES if layout == "three" or scene != NOTICES]


_COLUMNS = (
    "key",
    "secrets",
    "rotations",
    "orders",
    "paid",
    "debits",
    "linked",
    "DOKU's calls refused",
    "ours refused",
    "repeated",
    "proved by the replaced key: DOKU asked",
)
_HEADING = "## Rotations under load"
_APART = timedelta(minutes=25)
_DOKU_TAKES = timedelta(minutes=5)  # to switch
_REGISTERED_AFTER = timedelta(minutes=2)
_PUT_AFTER = timedelta(seconds=10)  # from the registration of a public key to the second call of the command
_BUSY = timedelta(minutes=6)  # from a minute before the rotation
_MOST = 0.8  # of the orders come then
_REPEATED_AFTER = timedelta(seconds=5)
_LINK_EVERY = 20  # orders
_PAIRS = 4


@dataclass(slots=True)
class Result:
    """What became of the orders of one scene."""

    scene: str
    layout: Layout
    rotations: int
    orders: int
    paid: int = 0
    repeated: int = 0  # requests of the merchant's that got "not done, repeat"
    links: int = 0
    linked: int = 0
    by_replaced_key: int = 0
    debits: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    @property
    def is_good(self) -> bool:
        """Whether every order was paid once, and nobody was refused, unless DOKU gave no time to switch.

        Between the registration of a public key and its use, a customer's token may be asked for in vain: by us, again.
        """
        is_whole = (self.paid, self.debits, self.linked) == (self.orders, self.orders, self.links)
        if self.scene == AT_ONCE:
            return is_whole
        of_ours = self.scene != PAIR and self.refused["a call of ours"]
        return is_whole and not (self.refused["a call of DOKU's"] or self.repeated or of_ours)


class Shop:
    """A merchant with orders, and an operator who rotates one key, on one clock."""

    def __init__(
        self,
        scene: str,
        rotations: int,
        orders: int,
        seed: int = 0,
        overlap: int = KEY_OVERLAP,
        *,
        layout: Layout = "three",
    ) -> None:
        self.result = Result(scene, layout, rotations, orders)
        self._world = KeyedWorld(seed=seed, overlap=overlap, layout=layout)
        self._world.settings = replace(self._world.settings, max_payments_per_day=0)
        self._chance = Random(seed)  # noqa: S311 - a measurement has to repeat
        self._order = count()
        self._due: list[tuple[datetime, int, Callable[[], None]]] = []
        self._bindings: list[str] = []
        self._active: set[str] = set()
        self._pairs = (_make_pair(number % _PAIRS) for number in count())
        self._secret_keys = (f"SK-{number}" for number in count(2))
        self._folder = tempfile.TemporaryDirectory()
        self._system = self._world.system()

    def run(self) -> Result:
        """Play it to the end."""
        self._begin()
        start = self._world.clock.now()
        for number in range(self.result.rotations):
            self._at(start + number * _APART + timedelta(minutes=1), self._rotate)
        for number in range(self.result.orders):
            self._at(self._draw(start, number), partial(self._pay, f"R{number:07}"))
            if number % _LINK_EVERY == 0:
                self._at(self._draw(start, number), partial(self._link, f"CUST-{number}", f"62812{number:07}"))
        self._live(start + self.result.rotations * _APART + timedelta(hours=1))
        self._judge()
        self._folder.cleanup()
        return self.result

    # --- what happens when -------------------------------------------------------------------------------------------

    def _at(self, moment: datetime, action: Callable[[], None]) -> None:
        heapq.heappush(self._due, (moment, next(self._order), action))

    def _later(self, wait: timedelta, action: Callable[[], None]) -> None:
        self._at(self._world.clock.now() + wait, action)

    def _draw(self, start: datetime, number: int) -> datetime:
        rotation = start + number * self.result.rotations // self.result.orders * _APART
        return rotation + self._chance.random() * (_BUSY if self._chance.random() < _MOST else _APART)

    def _live(self, end: datetime) -> None:
        """Let all of it happen, with a sweep each minute."""
        world = self._world
        swept = world.clock.now()
        while world.clock.now() < end:
            moments = [swept + timedelta(minutes=1), end]
            moments += [self._due[0][0]] if self._due else []
            moments += [at for at in (world.simulator.next_event_at(),) if at is not None]
            moments += [world.queues.waiting[0][0]] if world.queues.waiting else []
            world.clock.set(max(min(moments), world.clock.now()))
            while self._due and self._due[0][0] <= world.clock.now():
                heapq.heappop(self._due)[2]()
            world.pump()
            if world.clock.now() - swept >= timedelta(minutes=1):
                swept = world.clock.now()
                world.tick()
                world.pump()

    def _begin(self) -> None:
        world = self._world
        given = FromDoku(
            client_id=world.client_id,
            secret_key=self._file(SECRET_KEY),
            public_key=self._file(world.doku_public_key, "doku.pem"),
        )
        world.register(merchant_public_key=str(onboard(given, self._system).facts["merchantPublicKey"]))
        merchant = Merchant(world)
        merchant.link()
        self._bindings.append(merchant.binding().id)
        world.clock.tick(3600)

    def _judge(self) -> None:
        result, world = self.result, self._world
        payments = world.process().payments
        for number in range(result.orders):
            found = payments.get(f"R{number:07}")
            result.paid += found is not None and found.state is PaymentState.PAID
        result.debits = sum(1 for entry in world.simulator.bank.ledger if entry.kind == "debit")
        result.linked = sum(self._is_linked(one) for one in self._bindings[1:])
        result.links = len(self._bindings) - 1
        result.refused = world.refused
        result.by_replaced_key = world.telemetry.counts[Metric.NOTIFICATION_BY_REPLACED_KEY]

    # --- orders ------------------------------------------------------------------------------------------------------

    def _pay(self, ref: str) -> None:
        self._active.update(one for one in self._bindings if one not in self._active and self._is_linked(one))
        command = MakePayment(
            binding_id=self._chance.choice(sorted(self._active)),
            amount=Amount.parse("10000.00"),
            remarks="Order",
            partner_reference_no=ref,
        )
        world = self._world

        def pay() -> None:
            make_payment(command, world.process(), world.deadline())
            self._later(timedelta(seconds=self._chance.uniform(2, 20)), partial(self._insist, verify))

        def verify() -> None:
            verify_payment_otp(VerifyPaymentOtp(ref=ref, otp=RIGHT_OTP), world.process(), world.deadline())

        self._insist(pay)

    def _link(self, customer: str, phone: str) -> None:
        merchant = Merchant(self._world, customer=customer, phone=phone)

        def bind() -> None:
            merchant.bind()
            self._bindings.append(merchant.binding().id)
            self._later(timedelta(seconds=20), finish)

        def finish() -> None:
            merchant.come_back(merchant.walk_through_pages())

        self._insist(bind)

    def _is_linked(self, binding_id: str) -> bool:
        found = self._world.process().bindings.get(binding_id)
        return found is not None and found.state is BindingState.ACTIVE

    def _insist(self, call: Callable[[], None]) -> None:
        """Do as a good client does: what was surely not done is asked for again."""
        try:
            call()
        except NotDone:
            self.result.repeated += 1
            self._later(_REPEATED_AFTER, partial(self._insist, call))

    # --- the operator, and DOKU's back office ------------------------------------------------------------------------

    def _rotate(self) -> None:
        key, world = SCENES[self.result.scene], self._world
        if key == "secretKey":
            self._rotate_secret_key()
        elif key == "dokuPublicKey":
            private = next(self._pairs)
            self._run(key, self._file(public_half(load_private_key(private))))
            self._later(_DOKU_TAKES, partial(world.sign_with, private))
        elif key == "merchantPrivateKey":
            # Kept in a file here only because making a pair takes long.
            kept = self._run(key, self._file(next(self._pairs)))
            public = str(kept.facts["merchantPublicKey"])
            self._later(_REGISTERED_AFTER, partial(world.register, merchant_public_key=public))
            self._later(_REGISTERED_AFTER + _PUT_AFTER, partial(self._end, key))
        else:
            self._run(key)

    def _rotate_secret_key(self) -> None:
        world, fresh = self._world, next(self._secret_keys)

        def put() -> None:
            self._run("secretKey", self._file(fresh))

        if self.result.scene == AT_ONCE:
            world.register(secret_key=fresh)
            self._later(_PUT_AFTER, put)
            return

        def switch() -> None:
            world.register(secret_key=fresh)
            world.also_takes = None

        world.also_takes = fresh
        put()
        self._later(_DOKU_TAKES, switch)

    def _end(self, key: Key) -> None:
        if not self._run(key).facts["rotated"]:
            raise AssertionError("DOKU did not take the new key")

    def _run(self, key: Key, source: str | None = None) -> Report:
        return rotate(key, self._system, How(source=source))

    def _file(self, text: str, name: str = "value") -> str:
        path = Path(self._folder.name) / name
        path.write_text(text)
        return str(path)


@cache
def _make_pair(number: int) -> str:
    """Return one of a few pairs, by its number: making one takes long."""
    return new_private_key()


def measure(rotations: int, orders: int) -> list[Result]:
    """Play each scene with each layout, and so many orders in each."""
    layouts: tuple[Layout, ...] = ("three", "one")
    return [
        Shop(scene, rotations, orders, seed, layout=layout).run()
        for layout in layouts
        for seed, scene in enumerate(scenes_of(layout))
    ]


def describe(results: Sequence[Result]) -> str:
    """The result as a section of docs/measurements.md."""
    rows = [
        f"| {one.scene} | {one.layout} | {one.rotations} | {one.orders:,} | {one.paid:,} | {one.debits:,} "
        f"| {one.linked} of {one.links} | {one.refused["a call of DOKU's"]} | {one.refused['a call of ours']} "
        f"| {one.repeated} | {one.by_replaced_key} |"
        for one in results
    ]
    lines = [
        _HEADING,
        "",
        "`make bench-rotations` (virtual time: no machine is measured): the operator's own `rotate`, six warm",
        "environments of the functions with the credentials in three secrets or in one, a DOKU that signs and",
        "verifies and uses a token of ours for 1 to 14 of its 15 minutes. Four of five orders come within the six",
        "minutes around a rotation. Repeated: requests of the merchant's that got a 503, nothing done. Goal:",
        "nothing refused, every order paid once. Two exceptions, both before any effect: a customer's token that",
        "is asked for while DOKU has the new public key and not every function does (asked again by ourselves,",
        "nobody notices), and all that is signed while DOKU has switched its secret key, without a time for both,",
        "ten seconds before we know it (repeated by callers, and by DOKU).",
        "",
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC:",
        "",
        f"| {' | '.join(_COLUMNS)} |",
        "|---" * len(_COLUMNS) + "|",
        *rows,
        "",
    ]
    return "\n".join(lines)


def put_section(document: str, section: str) -> str:
    """Return the document with the section in the place of the one before, or before its last section."""
    start = document.find(_HEADING)
    if start < 0:
        start = end = document.rindex("\n## ") + 1
    else:
        end = document.find("\n## ", start) + 1
    return f"{document[:start]}{section}\n{document[end:]}"


def main() -> int:
    """Measure, print, and say by the exit status whether the goal was met."""
    parser = argparse.ArgumentParser(description="Whether rotations under load refuse anything.")
    parser.add_argument("--orders", type=int, default=2000, help="per key")
    parser.add_argument("--rotations", type=int, default=10, help="per key")
    parser.add_argument("--write", action="store_true", help="put the result into docs/measurements.md")
    given = parser.parse_args()
    results = measure(given.rotations, given.orders)
    text = describe(results)
    sys.stdout.write(text)
    if given.write:
        RESULTS.write_text(put_section(RESULTS.read_text(), text))
    return 0 if all(one.is_good for one in results) else 1


if __name__ == "__main__":
    sys.exit(main())
