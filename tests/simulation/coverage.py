"""What the search has really exercised. A silent gap would look like a proof, so gaps fail the run (`find_gaps`)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from direct_debit.domain.binding import BINDING_TRANSITIONS
from direct_debit.domain.payment import PAYMENT_TRANSITIONS
from direct_debit.domain.refund import REFUND_TRANSITIONS
from tests.simulation.looks import LOOKS
from tests.simulation.mixups import MIXUPS

TABLES = (PAYMENT_TRANSITIONS, REFUND_TRANSITIONS, BINDING_TRANSITIONS)

STORE_FAULTS = ("crash_before", "crash_after", "fail", "lose", "retry", "conflict")
DOKU_FAULTS = ("crash_before", "crash_after", "fail", "lose", "vanish", "slow")
PORT_FAULTS = ("crash_before", "crash_after", "fail", "lose")
READ_FAULTS = ("crash_before", "crash_after", "fail")

STORE_WRITES = ("store.put_item", "store.update_item", "store.transact_write_items")
READS = ("store.get_item", "store.query", "secrets.get_secret_value")
DOKU_CALLS = ("b2b", "b2b2c", "binding", "otp", "balance", "payment", "status", "refund", "unbinding")
PORTS = ("queue.send", "events.publish", "events.publish_together", "workflows.succeed")

DIALS = (
    "drop before", "drop after", "hang before", "hang after", "late", "delay", "status before", "status after",
    "code before", "code after", "garbage before", "garbage after",
)  # fmt: skip
HAPPENINGS = (
    "message duplicated", "message delayed", "message to the dead letters", "message let go", "dead letters redriven",
    "stream record given back", "events throttled one by one", "stream record repeated", "stream late",
    "stream record put aside", "tick skipped", "notification lost",
    "notification duplicated", "notification delayed", "notification failed", "notification forged: signature",
    "notification forged: token", "notification forged: amount", "notification forged: reference",
    "notification forged: stale", "notification forged: unsigned", "notification contradicts", "clock skewed",
    "function out of time", "store throttled for a while", "DOKU down for a while", "token key rotated",
    "secret key rotated", "issued token key rotated", "merchant key rotated", "token request refused for its signature",
    "B2B tokens expired", "customer tokens expired", "refresh tokens expired", "unlinked at the bank",
    "link abandoned", "link refused by the customer", "code wrong", "code too late", "code repeated",
    "payment abandoned", "request repeated", "request repeated with another body", "refund requested twice",
    "refund requested with another number", "account claimed twice", "unlinking abandoned", "linked again",
    "liar", "refunded from the back office", "refund started again",
    "code refused while another takes effect", *(f"notification with {look}" for look in LOOKS),
    "notification forged: old_status", "question turned away", "refund refused for a reason that passes",
    "notification forged with a replaced key",
    "function frozen", "stream records lost", "key repeated with another reference",
    "phone mistyped", "page called failed that is not", "page finished after all", "link given up",
    "link given up by two at once", "page asked for by two at once",
    "answered with a row of another amount", "answered with numbers", *(f"answered with the {kind}" for kind in MIXUPS),
)  # fmt: skip

# Moves of the tables that no history can make, and why. Checked: a pair that is met after all has to leave this list.
IMPOSSIBLE: dict[tuple[str, str, str], str] = {
    ("refund", "REQUESTED", "exhausted"): "a refund that was never sent is sent at its next step, not given up",
    ("refund", "SENDING", "exhausted"): "whoever finds a refund in SENDING makes it UNKNOWN first",
    ("payment", "UNKNOWN", "accepted"): "only the sender writes UNKNOWN, and it gets one answer",
    ("payment", "UNKNOWN", "otp_wrong"): "only the sender writes UNKNOWN, and it gets one answer",
    ("payment", "PROCESSING", "otp_wrong"): "the bank of the simulation says 03, not 02, while it refuses a code",
}

# Moves that need several rare things at once: demanded of long searches only.
RARE: dict[tuple[str, str, str], str] = {
    ("refund", "RETRYING", "refused"): "a lagging history, a repetition that is not sent, and a refund that fails late",
    ("payment", "OTP_PENDING", "refunded"): "a refund from the back office within the minute in which our record lags",
    ("payment", "OTP_PENDING", "otp_blocked"): "a third wrong code whose answer is lost, and a status that lags",
    ("payment", "OTP_PENDING", "accepted"): "a status that lags is asked for and written while a code is on its way",
    ("payment", "UNKNOWN", "otp_blocked"): "a third wrong code whose answer is lost",
    ("payment", "PROCESSING", "otp_blocked"): "a third wrong code that is answered as in progress",
    ("payment", "PROCESSING", "expired"): "a wrong code that is answered as in progress, and then no other",
    ("payment", "OTP_SUBMITTED", "exhausted"): "a code whose sender died, and a DOKU that is away until nobody asks",
    ("payment", "NEEDS_REVIEW(exhausted)", "expired"): "a status asked by hand after a review, of an expired code",
}
ENOUGH_FOR_RARE = 200_000  # histories

# From so many visits on, not to have crashed at a point is no accident: about five crashes are to be expected there.
# The store is visited so often that its faults are drawn more rarely.
VISITS_OF_THE_STORE = 1_500
VISITS_OF_OTHERS = 500


@dataclass(slots=True)
class Coverage:
    """Counters of one run; those of several workers are added."""

    faults: Counter[str] = field(default_factory=Counter)  # "<effect> <fault>"
    happenings: Counter[str] = field(default_factory=Counter)
    pairs: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # (machine, situation, event)
    crash_points: Counter[str] = field(default_factory=Counter)  # "<actor> <effect> before|after"
    visits: Counter[str] = field(default_factory=Counter)  # "<actor> <effect>"
    variants: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    totals: Counter[str] = field(default_factory=Counter)

    def add(self, other: Coverage) -> None:
        """Add another worker's counters."""
        for name in self.__slots__:
            getattr(self, name).update(getattr(other, name))


def required_faults() -> set[str]:
    """Return every pair of effect and fault that has to occur."""
    wanted = {f"{effect} {fault}" for effect in STORE_WRITES for fault in STORE_FAULTS}
    wanted |= {f"{effect} {fault}" for effect in READS for fault in READ_FAULTS}
    wanted |= {f"doku.{call} {fault}" for call in DOKU_CALLS for fault in DOKU_FAULTS}
    wanted |= {f"{effect} {fault}" for effect in PORTS for fault in PORT_FAULTS}
    return wanted | {f"dial {dial}" for dial in DIALS}


def required_pairs() -> set[tuple[str, str, str]]:
    """Return every move of the three tables."""
    return {(table.machine, str(situation), str(event)) for table in TABLES for situation, event, _ in table}


def find_gaps(coverage: Coverage) -> list[str]:
    """Return what has never happened although it should have; for runs of enough seeds."""
    gaps = [f"fault never injected: {name}" for name in sorted(required_faults()) if not coverage.faults[name]]
    gaps += [f"never happened: {name}" for name in HAPPENINGS if not coverage.happenings[name]]
    for pair in sorted(required_pairs()):
        demanded = pair not in IMPOSSIBLE and (pair not in RARE or coverage.totals["histories"] >= ENOUGH_FOR_RARE)
        if not coverage.pairs[pair] and demanded:
            gaps.append(f"move never made: {' '.join(pair)}")
        if coverage.pairs[pair] and pair in IMPOSSIBLE:
            gaps.append(f"move made although it is listed as impossible: {' '.join(pair)}")
    for point, visits in sorted(coverage.visits.items()):
        if visits >= (VISITS_OF_THE_STORE if " store." in point else VISITS_OF_OTHERS):
            gaps += [
                f"never crashed: {point} {side}"
                for side in ("before", "after")
                if not coverage.crash_points[f"{point} {side}"]
            ]
    return gaps
