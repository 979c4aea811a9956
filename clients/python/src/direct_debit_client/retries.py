"""Whether a request is sent again, and when: one pure function.

Every request of this API may be repeated. A payment is named by its reference or its Idempotency-Key, which stay the
same at each try, so that a request that had arrived is found and not done twice; a refund is named by its payment, a
link by its customer and phone. A code may be repeated too: once it was taken, the repeat is refused and not sent on.
What is never a reason to send again is an answer: 202 with the state UNKNOWN is resolved by the service.
"""

from __future__ import annotations

from dataclasses import dataclass

THROTTLED = 429
SERVICE_UNAVAILABLE = 503
# The request may have been worked on: a fault, or a gateway that gave up waiting.
MAYBE_DONE = frozenset({500, 502, 504})
# Only a person can mend it; a repeat within seconds gets the same answer.
HOPELESS = frozenset({"not-configured"})


@dataclass(frozen=True)
class RetryPolicy:
    """How often a request is sent at most, and how long to wait in between, in seconds.

    The wait doubles from `first_wait` on. A `Retry-After` above `longest_wait` ends the tries: the caller gets the
    error with `retry_after`, and decides.
    """

    tries: int = 4
    first_wait: float = 0.5
    longest_wait: float = 20.0


USUAL_RETRIES = RetryPolicy()


@dataclass(frozen=True)
class Try:
    """What became of one try. `number` counts from 1, `status` is None where no answer came."""

    number: int
    status: int | None
    retry_after: float | None = None
    slug: str | None = None


def decide_retry(policy: RetryPolicy, last: Try, chance: float) -> float | None:
    """Return after how many seconds to send the same request again, or None: not again.

    `chance`: a number from 0 to 1, which spreads many clients over time (upwards only: never earlier than told).
    """
    if last.number >= policy.tries or last.slug in HOPELESS:
        return None
    repeatable = last.status is None or last.status in MAYBE_DONE | {THROTTLED, SERVICE_UNAVAILABLE}
    if not repeatable:
        return None
    wait = policy.first_wait * 2.0 ** (last.number - 1)
    if last.retry_after is not None:
        if last.retry_after > policy.longest_wait:
            return None
        wait = max(wait, last.retry_after)
    return min(wait, policy.longest_wait) * (1 + chance / 2)
