"""Waiting for a state, without a clock of its own: looks in growing intervals until it is there or the time is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from direct_debit_client.calls import Call, V
from direct_debit_client.errors import AnswerLost, InternalError, NotDone, StillOpen, StoreUnavailable
from direct_debit_client.exchange import Pause, Steps, exchange
from direct_debit_client.models import BindingState, BindingView, PaymentState, PaymentView, RefundState, RefundView
from direct_debit_client.retries import RetryPolicy

_FINAL_PAYMENT = frozenset({PaymentState.PAID, PaymentState.FAILED, PaymentState.REFUNDED, PaymentState.NEEDS_REVIEW})
_FINAL_REFUND = frozenset({RefundState.REFUNDED, RefundState.FAILED, RefundState.NEEDS_REVIEW})
_LINKING = frozenset({BindingState.REQUESTED, BindingState.PENDING})

_PASSING = (AnswerLost, NotDone, StoreUnavailable, InternalError)
_ONCE = RetryPolicy(tries=1)  # the next look is the repeat


@dataclass(frozen=True)
class Pace:
    """How long to wait between two looks, in seconds: from `first` on, each `factor` longer, `longest` at most."""

    first: float = 1.0
    factor: float = 1.5
    longest: float = 15.0

    def intervals(self) -> Iterator[float]:
        """Return the intervals, without an end."""
        interval = self.first
        while True:
            yield interval
            interval = min(interval * self.factor, self.longest)


USUAL_PACE = Pace()


def is_final_payment(payment: PaymentView) -> bool:
    """Whether a payment is at rest."""
    return payment.state in _FINAL_PAYMENT


def is_final_refund(refund: RefundView) -> bool:
    """Whether a refund is at rest."""
    return refund.state in _FINAL_REFUND


def is_no_longer_linking(binding: BindingView) -> bool:
    """Whether the customer's visit at the bank has ended, well or not."""
    return binding.state not in _LINKING


def wait_until(
    call: Call[V],
    is_there: Callable[[V], bool],
    timeout: float,
    now: Callable[[], float],
    pace: Pace,
) -> Steps[V]:
    """Look until `is_there`; return what was seen then. One more look is taken when `timeout` seconds have passed.

    Raises StillOpen; ProblemError for what does not pass (e.g. NotFound). An outage of the service is waited out.
    """
    end = now() + timeout
    seen: V | None = None
    for interval in pace.intervals():
        is_last, pause = now() >= end, interval
        try:
            seen = yield from exchange(call, _ONCE, lambda: 0.0)
        except _PASSING as error:
            if is_last:
                raise StillOpen(f"{call.path}: not final after {timeout:g} s; the last look failed", seen) from error
            pause = max(pause, getattr(error, "retry_after", None) or 0.0)
        else:
            if is_there(seen):
                return seen
            if is_last:
                state = getattr(seen, "state", "open")
                raise StillOpen(f"{call.path}: still {state} after {timeout:g} s", seen)
        yield Pause(max(0.0, min(pause, end - now())))
    raise AssertionError("unreachable")
