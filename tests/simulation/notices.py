"""What DOKU tells us, over a network that loses, repeats and delays it, and among forgeries."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from direct_debit.application.errors import InvalidSignature
from direct_debit.application.notifications.accept_notification import accept_notification
from direct_debit.application.notifications.inbound_ports import InboundCall
from direct_debit.application.ports.inbox import InboxKind
from doku_snap import inbound
from tests.simulation.facts import API_SECONDS, CLIENT_ID, PUBLIC_URL
from tests.simulation.kernel import SECOND
from tests.simulation.looks import dress
from tools.doku_simulator.notifications import FORGERIES, Delivery, Forgery, NoticeDial

if TYPE_CHECKING:
    from direct_debit.application.deadline import Deadline
    from tests.simulation.kernel import Outcome
    from tests.simulation.universe import Environment, Universe


class Notices:
    """Takes DOKU's deliveries to the function that receives them."""

    def __init__(self, universe: Universe) -> None:
        self._u = universe
        self.refused: list[str] = []  # what authentic notifications spoke of that were refused
        self._held: tuple[str, int] | None = None  # the token that DOKU holds, and until when

    def deliver(self) -> None:
        """Bring what is due now, with the trouble that the plan draws."""
        notices = self._u.simulator.notifications
        if self._u.in_window(self._u.plan.blackout) and not self._u.plan.old_news:
            # DOKU is gone altogether, or else its notifications come from elsewhere and go on: what it has to say comes
            # when it is back.
            wait = self._u.plan.blackout[0][1] - self._u.kernel.t / SECOND + 600.0 * self._u.rng.random()
            notices.dials.append(NoticeDial("delay", count=1_000, seconds=wait))
        elif self._u.plan.lose_all_notifications and not self._u.calm:
            notices.dials.append(NoticeDial("drop"))
            self._u.happens("notification lost")
        elif self._u.plan.old_news and self._u.chance(0.4):
            self._u.happens("notification forged: old_status")
            notices.dials.append(NoticeDial("forge", forgery="old_status", kind="payment"))
        elif self._u.chance(self._u.plan.notification_trouble):
            notices.dials.append(self._draw_dial())
        for delivery in self._u.simulator.due_deliveries():
            self._bring(delivery)
        notices.dials.clear()

    def _draw_dial(self) -> NoticeDial:
        rng = self._u.rng
        kind = rng.choice(("fail", "drop", "duplicate", "delay", "delay", "forge"))
        if kind == "fail":
            self._u.happens("notification failed")
            return NoticeDial("fail")
        if kind == "drop":
            self._u.happens("notification lost")
            return NoticeDial("drop")
        if kind == "duplicate":
            self._u.happens("notification duplicated")
            return NoticeDial("duplicate")
        if kind == "delay":
            self._u.happens("notification delayed")
            return NoticeDial("delay", seconds=rng.choice((2.0, 300.0, 3_600.0, 86_400.0)) * rng.random())
        # A false status under a true signature is no forgery but a lie of DOKU's: see `contradict`.
        forgery = cast("Forgery", rng.choice([one for one in FORGERIES if one != "status"]))
        self._u.happens(f"notification forged: {forgery}")
        return NoticeDial("forge", forgery=forgery)

    def _bring(self, delivery: Delivery) -> None:
        simulator = self._u.simulator
        if self._u.plan.cancelled_as_05 and delivery.body.get("latestTransactionStatus") == "06":
            delivery.body["latestTransactionStatus"] = "05"
        delivery.due = simulator.now + timedelta(days=30)  # on its way; `record_result` says what follows
        kind = InboxKind(delivery.kind)

        def receive(environment: Environment, _: Deadline) -> None:
            request = simulator.build_notification(delivery, self._token(environment))
            if delivery.forgery is None:
                request, look = dress(request, simulator.world.config.secret_key)
                if look is not None:
                    self._u.happens(f"notification with {look}")
            call = InboundCall(path=request.path, headers=request.headers, body=request.body)
            accept_notification(environment.inbound.read_notification(kind, call), environment.ports)

        actor = self._u.invoke(f"receive_{kind}_notification", receive, API_SECONDS, subject=delivery.reference)
        actor.ended.append(lambda outcome: simulator.record_result(delivery, self._judge(delivery, outcome)))

    def _judge(self, delivery: Delivery, outcome: Outcome) -> int | None:
        """Return the status with which DOKU takes a delivery for answered; None where our answer was lost."""
        if isinstance(outcome.error, InvalidSignature):
            if delivery.forgery is None:
                self.refused.append(delivery.reference)
            self._held = None  # DOKU asks for another token
            return outcome.error.status
        if outcome.error is not None:
            return 500
        lost = self._u.chance(self._u.plan.notification_trouble / 3)  # DOKU comes again
        if self._is_odd(delivery):
            self._u.questioned[delivery.reference] = self._u.rng.randint(1, 4)
        return None if lost else 200

    def _is_odd(self, delivery: Delivery) -> bool:
        """Whether a delivery is authentic, but may not be believed as it is."""
        aged = delivery.attempt > 1 and not self._u.plan.resigned
        return delivery.kind == "payment" and (delivery.forgery in ("stale", "amount", "old_status") or aged)

    def _token(self, environment: Environment) -> str:
        """Return the token that DOKU holds, or a new one as the function that issues them makes it.

        DOKU's request for it is not played: it is signed by RSA, which takes a millisecond (tests/integration).
        """
        now = self._u.kernel.t
        if self._held is None or now >= self._held[1]:
            key = environment.credentials.current().issued_token_key
            issued = inbound.issue_token(
                key_id=hashlib.sha256(b"issued-token-key:" + key).hexdigest()[:12],
                key=key,
                issuer=PUBLIC_URL,
                audience=CLIENT_ID,
                client_id=CLIENT_ID,
                now=environment.clock.now(),
            )
            self._held = issued.token, now + (inbound.TOKEN_LIFETIME_SECONDS - 60) * SECOND
        return self._held[0]
