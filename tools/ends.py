"""Who ends what: for each unfinished state who moves it next and by when, for each other one what can still be done.

Data beside the transition tables (invariant 12: no dead ends). A state that is missing here, a command or a route that
does not exist, and a bound that does not hold fail a test (tests/unit/test_ends.py). Durations are computed from the
standard settings.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from direct_debit.adapters.dynamodb.binding_item import ASKED_AT_LEAST
from direct_debit.application.settings import Settings
from direct_debit.domain.binding import BindingState
from direct_debit.domain.payment import PaymentSituation
from direct_debit.domain.refund import RefundState

_SETTINGS = Settings(public_base_url="")
_MINUTES_FROM = 120
NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Waits:
    """An unfinished state. `mover` is who ends it in the ordinary case; `net` is what happens when nobody does.

    `bound` is after how long it ends whatever happens, as `then`; None where it goes on until DOKU answers.
    """

    mover: str
    net: str
    bound: timedelta | None
    then: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rests:
    """A state in which nothing happens by itself: what each may still do. What DOKU may still say is in the table."""

    customer: str = NOBODY
    merchant: str = NOBODY
    operator: str = NOBODY


def tell(count: timedelta | int) -> str:
    """Return a duration (or a number of seconds) in words: `61 s`, `6 min`, `24 h`, `24 h 30 min`."""
    seconds = count if isinstance(count, int) else round(count / timedelta(seconds=1))
    if seconds < _MINUTES_FROM:
        return f"{seconds} s"
    hours, minutes = divmod(seconds // 60, 60)
    return " ".join([*([f"{hours} h"] if hours else []), *([f"{minutes} min"] if minutes else [])])


def _seconds(count: int) -> timedelta:
    return timedelta(seconds=count)


_ASKED = _seconds(_SETTINGS.inquiry_schedule[-1])
_FIRST = tell(_SETTINGS.inquiry_schedule[0])
_NOT_FOUND = (
    f"`FAILED(not_found)` from {tell(_SETTINGS.not_found_final)} on, when DOKU says twice, minutes apart, that it does "
    "not know it"
)
_STATUS = f"the status is asked from {_FIRST} after the sending on; {_NOT_FOUND}"

_P = PaymentSituation
PAYMENT_ENDS: Mapping[PaymentSituation, Waits | Rests] = {
    _P.REQUESTED: Waits(
        "whoever sends it, within its 28 s; where it is proved that nothing was sent, the merchant by the same request",
        _STATUS,
        _ASKED,
        "`NEEDS_REVIEW(exhausted)`",
    ),
    _P.OTP_PENDING: Waits(
        "the customer's code (`POST /payments/{ref}/otp`), DOKU's notification",
        f"the status is asked from {tell(_SETTINGS.otp_schedule[0])} on; `FAILED(otp_abandoned)` from "
        f"{tell(_SETTINGS.abandoned_otp)} on, when no code was passed on and DOKU still waits for one (once one "
        f"was, only DOKU's final word); {_NOT_FOUND}",
        _seconds(_SETTINGS.otp_schedule[-1]),
        "`NEEDS_REVIEW(exhausted)`",
    ),
    _P.OTP_SUBMITTED: Waits(
        "whoever verifies the code, within its 28 s; a code that was surely not sent may be given again",
        _STATUS,
        _ASKED,
        "`NEEDS_REVIEW(exhausted)`",
    ),
    _P.PROCESSING: Waits("DOKU's notification", _STATUS, _ASKED, "`NEEDS_REVIEW(exhausted)`"),
    _P.UNKNOWN: Waits("DOKU's notification or status", _STATUS, _ASKED, "`NEEDS_REVIEW(exhausted)`"),
    _P.PAID: Rests(
        merchant="refund it (`POST /payments/{ref}/refund`); one late success is refunded by itself (`LateSuccess`)",
        operator="when DOKU reversed it: settle it, then `close-reversal`",
    ),
    _P.FAILED: Rests(
        customer="pay again",
        merchant="pay again, under a new reference",
        operator="`resolve` asks DOKU again",
    ),
    _P.FAILED_NOT_FOUND: Rests(
        customer="pay again",
        merchant="pay again, under a new reference; with `RepostAfterNotFound` by the same request",
        operator=f"`resolve` asks DOKU again; by itself it is asked for {tell(_SETTINGS.inquiry_schedule[-1])}",
    ),
    _P.REFUNDED: Rests(),
    _P.NEEDS_REVIEW: Rests(
        operator="the money moved after a refusal: settle it with the customer and DOKU, outside of this system; then "
        "`close-review`"
    ),
    _P.NEEDS_REVIEW_EXHAUSTED: Rests(
        operator="DOKU's back office, then `resolve`, whose answer ends it; settled otherwise, `close-review`"
    ),
}

_HISTORY = "DOKU's refund history is asked before anything is sent again"
_REFUND_BOUND = _seconds(_SETTINGS.refund_schedule[-1])
_R = RefundState
REFUND_ENDS: Mapping[RefundState, Waits | Rests] = {
    _R.REQUESTED: Waits(
        "its worker, at once", "the sweep of each minute queues it again", _REFUND_BOUND, "`NEEDS_REVIEW`"
    ),
    _R.SENDING: Waits(
        "its sender, within its 60 s",
        f"after {tell(_SETTINGS.claim_lease)} (`ClaimLeaseSeconds`) it counts as `UNKNOWN`; {_HISTORY}",
        _REFUND_BOUND,
        "`NEEDS_REVIEW`",
    ),
    _R.RETRYING: Waits(
        "its worker, at the schedule's next step (at once after a redrive)",
        f"{_HISTORY}; what DOKU postpones is tried each hour at least",
        _REFUND_BOUND,
        "`NEEDS_REVIEW`",
    ),
    _R.UNKNOWN: Waits(
        f"DOKU's refund history, from {tell(_SETTINGS.refund_schedule[0])} after the sending on",
        _HISTORY,
        _REFUND_BOUND,
        "`NEEDS_REVIEW`",
    ),
    _R.REFUNDED: Rests(),
    _R.FAILED: Rests(
        merchant="the same number shows it, another one is refused; settle it otherwise",
        operator="mend what the code says, then `redrive-refund`",
    ),
    _R.NEEDS_REVIEW: Rests(
        merchant="the same number shows it, another one is refused",
        operator="DOKU's back office, then `redrive-refund`",
    ),
}

_B = BindingState
BINDING_ENDS: Mapping[BindingState, Waits | Rests] = {
    _B.REQUESTED: Waits(
        "whoever starts it, within its 28 s; the merchant by the same request (`POST /bindings`), which is sent again, "
        "or by giving it up (`DELETE /bindings/{id}`)",
        "nothing is asked: without the bank's page the customer can not have finished",
        _seconds(_SETTINGS.link_lease),
        "`FAILED`",
    ),
    _B.PENDING: Waits(
        "the customer at the bank's pages: the browser's return, DOKU's notification, or the same request proves it; "
        "the merchant by giving it up (`DELETE /bindings/{id}`)",
        f"after {tell(_SETTINGS.link_lease)} (`LinkLeaseSeconds`) it is tried once more, and on while DOKU is silent",
        _seconds(_SETTINGS.link_lease) + ASKED_AT_LEAST,
        "`FAILED`",
    ),
    _B.ACTIVE: Rests(
        customer="unlink at the bank: the next call shows it",
        merchant="pay; ask the balance; unlink (`DELETE /bindings/{id}`)",
    ),
    _B.RELINK_REQUIRED: Rests(
        customer="link again at the bank's pages",
        merchant="link again with the same customer and phone (`POST /bindings`; a try that is not finished ends with "
        "its lease); unlink (`DELETE /bindings/{id}`)",
    ),
    _B.UNBIND_OTP_PENDING: Waits(
        "the customer's code (`POST /bindings/{id}/otp`)",
        f"a balance inquiry from {tell(_SETTINGS.binding_schedule[0])} on shows whether the link stands; after a day "
        "it is in `review`",
        None,
        "asked each day until DOKU answers clearly",
    ),
    _B.UNBOUND: Rests(customer="link again", merchant="link again (`POST /bindings`): a new link"),
    _B.FAILED: Rests(customer="link again", merchant="link again (`POST /bindings`): a new link"),
}
