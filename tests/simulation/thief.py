"""Somebody with the keys that were replaced: tells us of payments that nobody made, while the overlap lasts and after.

He has a source of chance of his own: what the histories live through without him does not change.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from direct_debit.application.notifications.accept_notification import accept_notification
from direct_debit.application.notifications.inbound_ports import InboundCall
from direct_debit.application.ports.inbox import InboxKind
from direct_debit.domain.payment import FINAL_STATES
from doku_snap import inbound
from doku_snap.signing import format_timestamp
from tests.fakes.processes import TRANSACTIONS
from tests.simulation.facts import API_SECONDS, CLIENT_ID, PUBLIC_URL
from tools.doku_simulator.signing import body_hash, transaction_signature

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from direct_debit.application.deadline import Deadline
    from direct_debit.domain.payment import Payment
    from tests.simulation.kernel import Outcome
    from tests.simulation.universe import Environment, Universe

HEARD_WITHIN = 60.0
"""Seconds after which every function knows a new version of the secret."""

_PATH = "/v1/doku/v1.0/debit/notify"
_LATE = 600.0  # clocks differ by minutes


def draw_overlap(seed: int) -> int | None:
    """Return the overlap of replaced keys in a history with a thief, in seconds; None where there is none."""
    rng = Random(f"thief {seed}")  # noqa: S311 - to be repeated
    return rng.choice((86_400, 3_600, 600, 0)) if rng.random() < 0.5 else None


def find_thief(u: Universe, rng: Random) -> Thief | None:
    """Return the thief of a history, if it has one: he has the first version of the secret."""
    overlap = u.plan.key_overlap
    return None if overlap is None else Thief(u, rng, overlap, u.secrets.fields)


@dataclass(slots=True)
class Thief:
    """Has one version of the secret, and uses it once it is replaced."""

    u: Universe
    rng: Random
    overlap: int
    stolen: Mapping[str, object]

    def learn_of(self, fresh: Mapping[str, object]) -> None:
        """Hear that there is a new version of the secret, and plan what to do."""
        if all(fresh[name] == self.stolen[name] for name in ("secretKey", "issuedTokenKey")):
            return  # what he has is in use still: nobody can tell him from DOKU
        put = self.u.kernel.t
        for wait in (HEARD_WITHIN, 0.7 * self.overlap, self.overlap + _LATE):
            after = HEARD_WITHIN + wait * self.rng.random() if wait != self.overlap + _LATE else wait + HEARD_WITHIN
            self.u.kernel.after(after, lambda: self._strike(put))

    def _strike(self, put: int) -> None:
        payment = self._choose()
        if payment is None:
            return
        self.u.happens("notification forged with a replaced key")
        is_over = self.u.kernel.t - put > (self.overlap + _LATE) * 1_000_000

        heard: list[bool] = []  # whether the secret had just been read

        def receive(environment: Environment, _: Deadline) -> None:
            call = self._forge(payment, self.u.kernel.now())
            command = environment.inbound.read_notification(InboxKind.PAYMENT, call)
            heard.append(environment.credentials.is_confirmed())
            accept_notification(command, environment.ports)

        def judge(outcome: Outcome) -> None:
            # Who can not read the secret knows no newer key: what he hears is a question, and moves nothing.
            if is_over and any(heard) and outcome.error is None and not outcome.crashed:
                self.u.blame("N3", f"a replaced key was heard after its overlap, about {payment.ref}")

        actor = self.u.invoke("receive_payment_notification", receive, API_SECONDS, subject=payment.ref)
        actor.ended.append(judge)

    def _choose(self) -> Payment | None:
        stored = [self.u.images.payment(item) for item in self.u.store.items(TRANSACTIONS) if _is_payment(item)]  # type: ignore[arg-type]  # items are plain dictionaries
        unpaid = [one for one in stored if one.state not in FINAL_STATES]
        return self.rng.choice(unpaid) if unpaid else None

    def _forge(self, payment: Payment, now: datetime) -> InboundCall:
        key = b64decode(str(self.stolen["issuedTokenKey"]))
        token = inbound.issue_token(
            key_id=hashlib.sha256(b"issued-token-key:" + key).hexdigest()[:12],
            key=key,
            issuer=PUBLIC_URL,
            audience=CLIENT_ID,
            client_id=CLIENT_ID,
            now=now,
        ).token
        content = {
            "originalPartnerReferenceNo": payment.ref,
            "latestTransactionStatus": "00",
            "amount": {"value": str(payment.amount), "currency": "IDR"},
            "additionalInfo": {"custIdMerchant": payment.customer_id},
        }
        body = json.dumps(content).encode()
        timestamp = format_timestamp(now)
        signature = transaction_signature(
            str(self.stolen["secretKey"]).encode(),
            method="POST",
            path=_PATH,
            token=token,
            hashed_body=body_hash(body),
            timestamp=timestamp,
        )
        headers = {
            "Authorization": f"Bearer {token}",
            "X-TIMESTAMP": timestamp,
            "X-SIGNATURE": signature,
            "X-PARTNER-ID": CLIENT_ID,
            "X-EXTERNAL-ID": str(self.rng.randrange(10**17)),
            "CHANNEL-ID": "95221",
        }
        return InboundCall(path=_PATH, headers=headers, body=body)


def _is_payment(item: Mapping[str, object]) -> bool:
    return item["sk"] == {"S": "PAYMENT"}
