"""DOKU behind the weather: HTTP that loses requests and answers, and a DOKU that says odd things."""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from doku_snap.errors import AnswerLost, ConnectionNotMade
from doku_snap.transport import MAX_BODY_BYTES, HttpAnswer
from tests.fakes.weather import Crash
from tests.simulation.kernel import SECOND
from tests.simulation.mixups import bend_history, mix_up
from tools.doku_simulator.dials import Dial

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doku_snap.transport import HttpRequest, Timeout
    from tests.simulation.kernel import Actor
    from tests.simulation.universe import Universe
    from tools.doku_simulator.dials import Fault, Garbage
    from tools.doku_simulator.records import SimulatedResponse

# Where DOKU's status names the code of the OTP call as the original one.
_OTP_CODES = (
    (b'"originalResponseCode":"4035400"', b'"originalResponseCode":"4030412"'),
    (b'"originalResponseCode":"4035411"', b'"originalResponseCode":"4030411"'),
)
# Texts that are all digits, and amounts: a DOKU that writes numbers (contract 12.1).
_DIGITS = re.compile(rb'"(value|originalExternalId|originalReferenceNo|referenceNo)":"([1-9][0-9]*(?:\.[0-9]+)?)"')
_OF_WHICH_NUMBERS = 4
_UNLINKING = "the unlinking"
_REFUSALS = ("40404", "40300", "40311", "40314")
_MORE_BEFORE = {"payment": _REFUSALS, "otp": _REFUSALS, "refund": ("42900", "42900", "40320")}
_CODES_BEFORE = ("50000", "50001", "50002", "50400", "42900", "40316", "99999")
_CODES_AFTER = ("50000", "50001", "50002", "50400", "20200", "40901", "99999")
_TURNED_AWAY = ("42900", "40100", "40306", "40400", "40401", "50000")
_PASSING = ("40314", "40314", "40400", "40401", "40501", "40320", "42900")
_POOR_FOR = 3 * 3_600 * SECOND
_GARBAGE: tuple[Garbage, ...] = (
    "empty", "html", "truncated", "half", "wrong_type", "wrong_reference", "missing_fields", "unknown_fields",
    "duplicate_keys",
)  # fmt: skip
_OPERATIONS = {
    "b2b": "b2b",
    "b2b2c": "b2b2c",
    "registration-account-binding": "binding",
    "otp-verification": "otp",
    "balance-inquiry": "balance",
    "payment-host-to-host": "payment",
    "status": "status",
    "refund": "refund",
    "registration-account-unbinding": "unbinding",
}


@dataclass(slots=True)
class Arrival:
    """A request as it came to DOKU: the judge's evidence."""

    t: int
    operation: str
    reference: str
    external_id: str
    fields: Mapping[str, object]
    token_owner: str | None
    written: int  # how many writes there were before it
    sender: Actor
    done_at: int | None = None  # when its sender had an answer, or gave up
    answer: str = ""  # the code that DOKU meant to give
    reached: bool = False  # whether an answer came back whole
    clear: bool = False  # whether it was the true answer, unspoilt
    bent: bool = False  # whether the answer says something untrue besides
    shown: bytes = b""  # the status that came back whole
    refused: bool = False  # whether it was answered with a response code only, without any effect
    misfit: bool = False  # whether it was signed with a key that DOKU does not take

    @property
    def died(self) -> bool:
        """Whether its sender died, perhaps with the answer in hand."""
        return self.sender.outcome is not None and self.sender.outcome.crashed

    @property
    def heard(self) -> bool:
        """Whether its sender got the true answer and lived on: what a process heard is gone when it dies."""
        outcome = self.sender.outcome
        return self.clear and not (outcome is not None and outcome.crashed)


class Transport:
    """HTTP to the bank in process: takes time, loses requests and answers, and bends what DOKU says."""

    def __init__(self, universe: Universe) -> None:
        self._u = universe

    def send(self, request: HttpRequest, timeout: Timeout) -> HttpAnswer:
        """Send once; note when its sender is done with it."""
        arrived = len(self._u.arrivals)
        try:
            return self._send(request, timeout)
        finally:
            actor = self._u.kernel.current
            for arrival in self._u.arrivals[arrived:]:
                if arrival.sender is actor:
                    arrival.done_at = self._u.kernel.t

    def _send(self, request: HttpRequest, timeout: Timeout) -> HttpAnswer:
        u, kernel = self._u, self._u.kernel
        path = request.url.split("/", 3)[3]
        operation = _OPERATIONS[path.rsplit("/", 1)[1]]
        name = f"doku.{operation}"
        actor = kernel.current
        if actor is None:
            raise RuntimeError("only actors call DOKU")
        point = f"{actor.kind} {name}"
        u.coverage.visits[point] += 1
        u.coverage.totals["effects"] += 1
        kernel.pause(self._travel())
        fault = self._draw(name)
        if fault == "crash_before":
            u.coverage.crash_points[f"{point} before"] += 1
            raise Crash
        if fault == "fail":
            raise ConnectionNotMade("refused")
        if fault == "vanish":
            kernel.pause(timeout.read)
            raise AnswerLost("timeout")
        if fault == "slow":
            kernel.pause(timeout.read * u.rng.random())
        arrival = self._arrive(request, operation, actor)
        dial = self._refuse_signature(request, arrival)
        if dial is None and u.chance(u.plan.mixups * _weight(name)):
            return self._mix_up(request, path, arrival, timeout)
        dial = dial or self._draw_dial(operation, arrival)
        response = u.simulator.handle(request.method, "/" + path, request.headers, request.body)
        arrival.answer = u.simulator.requests[-1].code if dial is None else response.code
        kernel.note(f"{name} {arrival.reference} {arrival.external_id} answered {response.code} {dial or ''}")
        if response.notify_first:
            u.notices.deliver()
            kernel.pause(0.0)
        if fault == "crash_after":
            u.coverage.crash_points[f"{point} after"] += 1
            raise Crash
        wait = self._travel() + response.delay_seconds + (timeout.read * u.rng.random() if fault == "slow" else 0.0)
        if fault == "lose" or response.hang or wait > timeout.read:
            kernel.pause(timeout.read)
            raise AnswerLost("timeout")
        kernel.pause(wait)
        answer = self._answer(response, arrival, whole=dial in (None, "delay"))
        arrival.refused = dial == "code before"
        arrival.clear = dial in (None, "delay") and answer.status in (200, 404) and not arrival.bent
        return answer

    def _mix_up(self, request: HttpRequest, path: str, arrival: Arrival, timeout: Timeout) -> HttpAnswer:
        """Give an answer that belongs to another question; whether this one was dealt with is not said."""
        u = self._u
        kind, body = mix_up(u.rng, arrival.operation, arrival.fields, sent_twice=u.plan.repost)
        u.happens(f"answered with the {kind}")
        if u.rng.random() < 0.5:
            u.simulator.handle(request.method, "/" + path, request.headers, request.body)
        arrival.answer = "of another"
        u.kernel.pause(min(self._travel(), timeout.read / 2))
        return HttpAnswer(200, {"content-type": "application/json"}, body)

    def _answer(self, response: SimulatedResponse, arrival: Arrival, *, whole: bool) -> HttpAnswer:
        if response.dropped:
            raise AnswerLost("reset")
        if response.cut_after is not None:
            raise AnswerLost("truncated", response.status)
        if len(response.body) > MAX_BODY_BYTES:
            raise AnswerLost("too_large", response.status)
        arrival.reached = True
        headers = {name.lower(): value for name, value in response.headers.items()}
        body = response.body
        if arrival.operation == "status" and self._u.plan.cancelled_as_05:
            body = body.replace(b'"latestTransactionStatus":"06"', b'"latestTransactionStatus":"05"')
        is_status = arrival.operation == "status" and response.code == "2005500" and whole
        if is_status and self._u.chance(self._u.plan.mixups):
            number = (self._u.payment_item(arrival.reference) or {}).get("refundNumber", {}).get("S")
            if number is not None:
                self._u.happens("answered with a row of another amount")
                arrival.bent = True
                body = bend_history(body, number)
        if arrival.operation == "status" and self._u.plan.otp_code_in_status:
            for payment_code, otp_code in _OTP_CODES:
                body = body.replace(payment_code, otp_code)
        if is_status:
            arrival.shown = body
        return HttpAnswer(response.status, headers, self._write_numbers(body))

    def _write_numbers(self, body: bytes) -> bytes:
        """Write digits without quotation marks, in some answers; which ones follows from them, and uses up no draw."""
        if zlib.crc32(body) % _OF_WHICH_NUMBERS:
            return body
        written, changed = _DIGITS.subn(rb'"\1":\2', body)
        if changed:
            self._u.happens("answered with numbers")
        return written

    def _travel(self) -> float:
        rng = self._u.rng
        if self._u.calm or self._u.plan.latency == "none":
            return 0.0
        return 0.02 + (rng.random() * 0.2 if rng.random() < 0.9 else rng.random() * 4.0)

    def _draw(self, name: str) -> str | None:
        u = self._u
        if u.in_window(u.plan.blackout):
            return u.rng.choice(("fail", "vanish"))
        if u.in_window(u.plan.outages) and u.rng.random() < 0.9:
            return u.rng.choice(("fail", "vanish"))
        if name in ("doku.payment", "doku.otp") and u.chance(u.plan.dead_senders):
            return self._strike(name, "crash_after")
        if name in ("doku.status", "doku.balance") and u.chance(u.plan.dead_looks):
            return self._strike(name, u.rng.choice(("crash_before", "crash_after")))
        if not u.chance(u.plan.doku_faults * _weight(name)):
            return None
        return self._strike(
            name, u.rng.choice(("crash_before", "crash_after", "fail", "lose", "lose", "vanish", "slow"))
        )

    def _strike(self, name: str, fault: str) -> str:
        u = self._u
        u.coverage.faults[f"{name} {fault}"] += 1
        u.coverage.totals["faults"] += 1
        u.kernel.note(f"{name}: {fault}")
        return fault

    def _refuse_signature(self, request: HttpRequest, arrival: Arrival) -> str | None:
        """Refuse a request for tokens that is signed with a key that DOKU does not take (yet, or any more)."""
        u = self._u
        if arrival.operation not in ("b2b", "b2b2c") or request.headers["X-SIGNATURE"] == u.secrets.registered:
            return None
        u.happens("token request refused for its signature")
        arrival.misfit = True
        u.simulator.add_dial(Dial("*", "code", "before", code="40100"))
        return "signature refused"

    def _draw_dial(self, operation: str, arrival: Arrival) -> str | None:
        u = self._u
        planned = self._play_mood(operation)
        if planned is not None:
            return planned
        if operation == "otp" and u.chance(u.plan.late_codes):
            return self._dial_code(arrival.reference or _UNLINKING)
        if operation == "status" and arrival.reference in u.questioned and u.chance(u.plan.sour):
            return self._turn_away(arrival.reference)
        if operation == "refund" and u.plan.poor_merchant and u.kernel.t < _POOR_FOR and u.chance(0.9):
            u.happens("refund refused for a reason that passes")
            u.simulator.add_dial(Dial("*", "code", "before", code=u.rng.choice(_PASSING)))
            return "code before"
        if not u.chance(u.plan.dials * _weight(f"doku.{operation}")):
            return self._dial_lie(operation, arrival.reference)
        return self._dial_trouble(operation)

    def _play_mood(self, operation: str) -> str | None:
        """Do to a request what a scene of somebody's wants of DOKU."""
        u = self._u
        scenes = {"binding": u.moods.pages, "b2b2c": u.moods.exchanges}.get(operation)
        said = scenes.pop(0) if scenes else ""
        if not said:
            return None
        u.simulator.add_dial(Dial("*", "drop", "before") if said == "drop" else Dial("*", "code", "before", code=said))
        return f"{'drop' if said == 'drop' else 'code'} before"

    def _dial_trouble(self, operation: str) -> str:
        u, rng = self._u, self._u.rng
        kinds: list[Fault] = ["drop", "hang", "delay", "status", "code", "garbage", "garbage"]
        if u.plan.late_effects and operation not in ("b2b", "b2b2c", "balance", "status"):
            kinds += ["late", "late"]
        kind = rng.choice(kinds)
        when: Literal["before", "after"] = rng.choice(("before", "after"))
        match kind:
            case "late":
                dial = Dial("*", "late", delay_seconds=rng.choice((5.0, 120.0, 1_200.0, 3_600.0)) * rng.random())
                u.late_unlinking |= operation == "unbinding"
            case "delay":
                dial = Dial("*", "delay", delay_seconds=rng.uniform(0.5, 40.0))
            case "status":
                dial = Dial("*", "status", when, status=rng.choice((500, 502, 503, 504, 429, 301)))
            case "code":
                codes: tuple[str, ...] = _CODES_BEFORE if when == "before" else _CODES_AFTER
                codes += _MORE_BEFORE.get(operation, ()) if when == "before" else ()
                dial = Dial("*", "code", when, code=rng.choice(codes))
            case "garbage":
                dial = Dial("*", "garbage", when, garbage=rng.choice(_GARBAGE))
            case _:
                dial = Dial("*", kind, when)
        u.simulator.add_dial(dial)
        name = kind if kind in ("late", "delay") else f"{kind} {when}"
        u.coverage.faults[f"dial {name}"] += 1
        u.coverage.totals["faults"] += 1
        return name

    def _dial_lie(self, operation: str, reference: str) -> str | None:
        """Let a lying DOKU say that it refused what it has done. Only a later fact can show that."""
        u = self._u
        if not u.plan.liar or operation not in ("payment", "otp", "refund") or not reference or not u.chance(0.3):
            return None
        u.simulator.add_dial(Dial("*", "code", "after", code="40305"))
        u.lied.add(reference)
        u.happens("liar")
        return "lies"

    def _turn_away(self, reference: str) -> str:
        """Refuse to answer a question about something odd, a few times."""
        u = self._u
        u.questioned[reference] -= 1
        if u.questioned[reference] <= 0:
            del u.questioned[reference]
        u.happens("question turned away")
        # A DOKU that comes back after a long time finds its payments again one by one.
        codes = _TURNED_AWAY + ("40401",) * 6 if u.plan.blackout else _TURNED_AWAY
        u.simulator.add_dial(Dial("*", "code", "before", code=u.rng.choice(codes)))
        return "code before"

    def _dial_code(self, subject: str) -> str:
        """Let the answer to a first code be lost, and refuse the next one, which has no effect.

        A payment's code takes effect later, while DOKU still waits for one; an unlinking's at once.
        """
        u, rng = self._u, self._u.rng
        if subject in u.late_codes:
            u.happens("code refused while another takes effect")
            u.simulator.add_dial(Dial("*", "code", "before", code=rng.choice(_REFUSALS)))
            return "code before"
        u.late_codes.add(subject)
        if subject == _UNLINKING:
            u.simulator.add_dial(Dial("*", "drop", "after"))
            return "drop after"
        u.simulator.add_dial(Dial("*", "late", delay_seconds=rng.uniform(120.0, 230.0)))
        return "late"

    def _arrive(self, request: HttpRequest, operation: str, sender: Actor) -> Arrival:
        u = self._u
        fields: Mapping[str, object] = json.loads(request.body)
        reference = fields.get("partnerReferenceNo") or fields.get("originalPartnerReferenceNo") or ""
        token = request.headers.get("Authorization-Customer", "").removeprefix("Bearer ")
        known = u.simulator.world.access_tokens.get(token) if token else None
        arrival = Arrival(
            u.kernel.t,
            operation,
            str(reference),
            request.headers.get("X-EXTERNAL-ID", ""),
            fields,
            None if known is None else known.binding.customer,
            len(u.journal),
            sender,
        )
        u.arrivals.append(arrival)
        return arrival


def _weight(name: str) -> float:
    """How much more often than others a call to DOKU goes wrong that is made seldom and moves money."""
    return {"doku.refund": 4.0, "doku.unbinding": 2.0, "doku.otp": 1.5}.get(name, 1.0)
