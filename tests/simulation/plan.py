"""What kind of days a history has: drawn once, from its seed."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Literal

from direct_debit.application.settings import LateSuccess
from tools.doku_simulator.config import ProviderVariant

if TYPE_CHECKING:
    from collections.abc import Sequence

HOUR = 3_600.0
MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Choices:
    """What an operator may choose, within what the template allows (see application.settings)."""

    first_inquiry: int = 60
    not_found_final: int = 900
    claim_lease: int = 120
    max_open_payments: int = 20
    max_otp_attempts: int = 5
    circuit_failures: int = 5
    circuit_window: int = 60
    circuit_open: int = 30
    refresh_min: int = 60


@dataclass(frozen=True, slots=True)
class Plan:
    """All drawn properties of one history. Rates are per side effect, durations are seconds."""

    variant: ProviderVariant
    customers: int
    orders: int  # of each customer, at most
    pace: float  # how long people think, as a factor
    latency: Literal["none", "short", "mixed"]
    store_faults: float
    doku_faults: float
    port_faults: float
    dials: float
    late_effects: bool
    skew: float
    message_trouble: float
    notification_trouble: float
    lose_all_notifications: bool
    tick_skips: float
    throttling: tuple[tuple[float, float], ...]
    outages: tuple[tuple[float, float], ...]
    blackout: tuple[tuple[float, float], ...]
    short_schedules: bool  # asked for hours, not for a day, until a person is called
    bank_trouble: float
    cancelled_as_05: bool
    otp_code_in_status: bool
    rotate_key: bool
    liar: bool
    contradictions: bool
    hasty_refunds: bool  # DOKU's staff gives money back before we know that it was taken
    dead_senders: float  # how often who sends a payment or a code dies with the answer in hand
    wrong_codes: float
    late_codes: float  # how often a first code takes effect without a word, and the next one is refused
    repost: bool
    late_success: LateSuccess
    shared_phone: bool
    b2b_token_seconds: int
    customer_token_seconds: int
    resigned: bool
    new_external_id: bool
    notify_declines: bool
    notify_refunds: bool
    choices: Choices
    mixups: float  # how often an answer belongs to somebody else's question
    sour: float  # how often a question about something odd is refused at first
    freezes: float  # how often a function stands still between two side effects
    lost_records: float  # how often a batch of a stream is lost
    dead_looks: float  # how often who asks for a status dies with the question, or the answer, in hand
    poor_merchant: bool  # DOKU refuses refunds for hours, for a reason of the merchant's that passes
    old_news: bool  # DOKU repeats, much later, what it had said before
    slow_streams: bool  # the streams lag by minutes, so that many changes come together
    key_overlap: int | None = None  # of replaced keys, in seconds, where somebody has them
    fickle: float = 0.0  # how often customers change their minds while they link


def draw_plan(rng: Random) -> Plan:
    """Draw a history's properties.

    Two of them can not go together with everything, because no merchant could keep its promises then:
    - A bank that executes a repeated refund number (`refund_repeat="execute"`) doubles a refund that the status did not
      show when it was asked. So it is drawn only where no effect comes late, the status lags by less than the minute
      that is waited before asking (a setting), and clocks agree well enough for that minute to be one.
    - Posting a payment again after "not found" (a setting, off by default) is safe only if DOKU refuses a repeated
      reference; it is drawn only there.
    """
    calm = rng.random() < 0.1
    rate = 0.0 if calm else 1.0
    late_effects = rng.random() < 0.4
    repost = rng.random() < 0.08
    skew = 0.0 if rng.random() < 0.6 else rng.choice((5.0, 60.0, 240.0))
    # While DOKU is away everything that is open is asked about every few minutes: a few orders show all there is, and
    # what a day shows, two hours under shorter schedules show in a twelfth of the time.
    blackout, short_schedules = _draw_blackout(rng) if rng.random() < 0.03 * rate else ((), False)
    liar = not calm and rng.random() < 0.05
    late_codes = 0.9 if late_effects and rng.random() < 0.2 * rate else 0.0
    dead_senders = 0.5 if rng.random() < 0.04 * rate else 0.0
    choices = _draw_choices(rng)
    variant = _draw_variant(rng, late_effects=late_effects, repost=repost, skew=skew, choices=choices)
    return Plan(
        variant=variant,
        customers=1 if blackout else _weighted(rng, ((1, 11), (2, 6), (3, 2), (4, 1))),
        orders=1 if blackout else rng.choice((1, 2, 2, 3)),
        pace=rng.choice((0.1, 1.0, 1.0, 5.0, 40.0)),
        latency=rng.choice(("none", "short", "mixed", "mixed")),
        store_faults=rate * rng.choice((0.0, 0.004, 0.012, 0.03)),
        doku_faults=rate * rng.choice((0.0, 0.03, 0.08, 0.2)),
        port_faults=rate * rng.choice((0.0, 0.02, 0.06, 0.15)),
        dials=rate * rng.choice((0.0, 0.03, 0.1, 0.25)),
        late_effects=late_effects,
        skew=skew,
        message_trouble=rate * rng.choice((0.0, 0.05, 0.2, 0.4)),
        notification_trouble=rate * rng.choice((0.0, 0.1, 0.3, 0.6)),
        lose_all_notifications=not calm and rng.random() < (0.6 if dead_senders else 0.15),
        tick_skips=rate * rng.choice((0.0, 0.05, 0.5)),
        throttling=_draw_windows(rng, 0.1 * rate, 10.0, rng.choice((MINUTE, 10 * MINUTE, 2 * HOUR))),
        outages=_draw_windows(rng, 0.15 * rate, 30.0, 3 * HOUR),
        blackout=blackout,
        short_schedules=short_schedules,
        cancelled_as_05=rng.random() < (0.5 if blackout else 0.1),
        otp_code_in_status=rng.random() < 0.3,
        bank_trouble=rate * rng.choice((0.0, 0.0, 0.1, 0.3)),
        rotate_key=rng.random() < 0.4,
        liar=liar,
        contradictions=not calm and rng.random() < 0.1,
        hasty_refunds=rng.random() < (0.5 if blackout or liar or dead_senders else 0.08 * rate),
        dead_senders=dead_senders,
        wrong_codes=0.1 if late_codes else rng.choice((0.1, 0.1, 0.1, 0.1, 0.7)),
        late_codes=late_codes,
        repost=repost,
        late_success=LateSuccess.ACCEPT if rng.random() < 0.1 else LateSuccess.REFUND,
        shared_phone=rng.random() < 0.25,
        b2b_token_seconds=rng.choice((900, 900, 900, 120)),
        customer_token_seconds=rng.choice((15 * 86_400, 15 * 86_400, 1_800, 300)),
        resigned=rng.random() < 0.7,
        new_external_id=rng.random() < 0.4,
        notify_declines=rng.random() < 0.3,
        notify_refunds=rng.random() < 0.7,
        choices=choices,
        mixups=rate * (0.0 if rng.random() < 0.6 else rng.choice((0.02, 0.08, 0.2))),
        # After a long silence the first word may be one that is no answer.
        sour=rate * rng.choice((0.0, 0.7, 0.7) if blackout else (0.0, 0.0, 0.7)),
        freezes=rate * (0.002 if rng.random() < 0.15 else 0.0),
        lost_records=rate * (0.3 if rng.random() < 0.12 else 0.0),
        dead_looks=rate * (0.4 if rng.random() < 0.08 else 0.0),
        poor_merchant=rng.random() < 0.12 * rate,
        old_news=rng.random() < (0.6 if blackout else 0.15) * rate,
        slow_streams=rng.random() < 0.2 * rate,
    )


def _draw_choices(rng: Random) -> Choices:
    """Half of the merchants keep the defaults."""
    if rng.random() < 0.5:
        return Choices()
    return Choices(
        first_inquiry=rng.choice((60, 60, 0, 5, 120)),
        not_found_final=rng.choice((900, 900, 1, 300, 3_600)),
        claim_lease=rng.choice((120, 90, 300, 600)),
        max_open_payments=rng.choice((20, 1, 2, 50)),
        max_otp_attempts=rng.choice((5, 10, 1)),
        circuit_failures=rng.choice((5, 1, 2, 50)),
        circuit_window=rng.choice((60, 5, 600)),
        circuit_open=rng.choice((30, 1, 300)),
        refresh_min=rng.choice((60, 0, 600)),
    )


def _draw_variant(rng: Random, *, late_effects: bool, repost: bool, skew: float, choices: Choices) -> ProviderVariant:
    lag = 0.0 if repost else rng.choice((0.0, 0.0, 30.0, 600.0, 2_400.0))
    duplicates: Sequence[Literal["external_id", "reference", "both", "neither"]] = (
        ("reference", "both") if repost else ("external_id", "reference", "both", "neither")
    )
    repeats: Sequence[Literal["replay", "wrong_state", "inconsistent", "refused", "execute"]] = (
        ("replay", "wrong_state", "refused", "inconsistent")
        if late_effects or lag >= choices.first_inquiry or skew > 5.0
        else ("replay", "wrong_state", "refused", "inconsistent", "execute")
    )
    slow: tuple[float, float] = rng.choice(
        ((0.0, 0.0), (0.0, 0.0), (0.0, 0.0), (1.0, 30.0), (60.0, 600.0), (600.0, HOUR), (HOUR, 30 * HOUR))
    )
    return ProviderVariant(
        duplicate_refused_by=rng.choice(duplicates),
        status_lag=lag,
        notification_before_answer=rng.random() < 0.3,
        success_delay=slow,
        processing_delay=rng.choice(((2.0, 2.0), (30.0, 900.0), (900.0, HOUR))),
        not_found_as=rng.choice(("code", "status")),
        otp_required=rng.random() < 0.8,
        unbind_otp_required=rng.random() < 0.8,
        otp_expiry_final=rng.random() < 0.8,
        refund_outcome=rng.choice(("done", "done", "pending", "pending_then_failed", "accepted_then_failed")),
        refund_delay=rng.choice(((0.0, 0.0), (5.0, 300.0), (300.0, HOUR))),
        refund_repeat=rng.choice(repeats),
        refund_success_code=rng.choice(("2005800", "2005800", "2000700")),
        rebind_same_customer=rng.choice(("allow", "allow", "refuse")),
        newest_b2b_token_only=rng.random() < 0.4,
        newest_customer_token_only=rng.random() < 0.4,
        refresh_token_rotates=rng.random() < 0.7,
        otp_pending_as_200=rng.random() < 0.2,
        balance_as_201=rng.random() < 0.2,
        binding_status_field=rng.choice(("status", "accountStatus")),
        balance_shape=rng.choice(("available", "amount")),
        body_rule=rng.choice(("lexical", "lexical", "both")),
    )


def _draw_blackout(rng: Random) -> tuple[tuple[tuple[float, float], ...], bool]:
    """DOKU is away for longer than anybody asks: schedules end, and the truth comes afterwards."""
    begin = 30.0 + 900.0 * rng.random()
    if rng.random() < 0.1:
        return ((begin, begin + rng.uniform(25 * HOUR, 27 * HOUR)),), False
    return ((begin, begin + rng.uniform(2.5 * HOUR, 3.5 * HOUR)),), True


def _draw_windows(rng: Random, chance: float, shortest: float, longest: float) -> tuple[tuple[float, float], ...]:
    windows: list[tuple[float, float]] = []
    while len(windows) < 3 and rng.random() < chance:
        begin = rng.choice((0.0, 30.0, 300.0, HOUR, 6 * HOUR)) * rng.random()
        windows.append((begin, begin + rng.uniform(shortest, longest)))
    return tuple(windows)


def _weighted(rng: Random, choices: Sequence[tuple[int, int]]) -> int:
    return rng.choices([value for value, _ in choices], [weight for _, weight in choices])[0]
