"""Why a record is in its state: every transition keeps what was seen, where and when (invariant M5)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class EvidenceSource(StrEnum):
    """Where a fact about a payment, a refund or a binding came from."""

    CALLER = "caller"  # the merchant asked for it
    ANSWER = "answer"  # DOKU's answer to our request
    STATUS = "status"  # DOKU's answer to a status inquiry
    NOTIFICATION = "notification"  # an authentic notification of DOKU
    PROBE = "probe"  # a harmless call whose answer tells the truth, for example a balance inquiry
    NOTHING_SENT = "nothing_sent"  # proof that no byte left this machine
    NO_ANSWER = "no_answer"  # the answer was lost or is ambiguous
    SCHEDULE = "schedule"  # the last step of a schedule passed without an answer


@dataclass(frozen=True, slots=True)
class Evidence:
    """One observed fact.

    `code` is DOKU's response code or transaction status ("4035413", "00"); `at` is when we saw it, in UTC.
    """

    source: EvidenceSource
    at: datetime
    code: str | None = None
