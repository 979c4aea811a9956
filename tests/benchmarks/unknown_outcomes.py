"""How long a lost answer stays unknown, measured on the deployed local stack.

python -m tests.benchmarks.unknown_outcomes [--payments 1000] [--callers 16] [--throttle 2000] [--workers 5] [--write]

Every payment is debited at the bank, its answer is lost, and no notification comes. Measured is the time from the
record written just before the debit to the record of the true state. The schedule is the default one (61 s).
`--write` appends the result to docs/measurements.md.
"""

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from direct_debit.application.ports.payments import Payments
from direct_debit.domain.payment import Payment, PaymentState
from tests.e2e.shop import ANSWER_LOST, Shop, all_at_once, new_ref, wait_for
from tools.local_cloud.progress import Progress
from tools.local_cloud.stack import LocalStack, local_stack
from tools.ops.system import find_system

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "measurements.md"
MEDIAN_GOAL, P99_GOAL = 65.0, 95.0  # seconds
PATIENCE_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Result:
    """Seconds from debit to true state, ascending, and how the run went."""

    seconds: Sequence[float]
    sending: float  # seconds that it took to make all payments
    debits: int
    wrong: int

    def percentile(self, share: float) -> float:
        """The value below which this share of the payments lies."""
        return self.seconds[min(len(self.seconds) - 1, int(len(self.seconds) * share))]


def main() -> int:
    """Measure, print, and say by the exit status whether the goals were met and the ledger is right."""
    parser = argparse.ArgumentParser(description="How long a lost answer stays unknown.")
    parser.add_argument("--payments", type=int, default=1000)
    parser.add_argument("--callers", type=int, default=16, help="how many of them call at once")
    parser.add_argument("--throttle", type=int, default=2000, help="requests per second that the API lets through")
    parser.add_argument("--workers", type=int, default=5, help="WorkerConcurrency")
    parser.add_argument("--write", action="store_true", help="append the result to docs/measurements.md")
    given = parser.parse_args()
    parameters = {
        "ThrottleRate": str(given.throttle),
        "ThrottleBurst": str(given.throttle),
        "WorkerConcurrency": str(given.workers),
        "MaxOpenPayments": str(given.payments),
        "MaxPaymentsPerDay": "0",
        # A thousand lost answers would open the circuit, which is right and not the subject here.
        "CircuitFailures": str(10 * given.payments),
    }
    progress = Progress()
    with local_stack(progress, parameters) as stack:
        result = measure(stack, given.payments, given.callers, given.workers, progress)
    text = describe(result, f"{given.callers} callers, throttle {given.throttle}/s, {given.workers} workers")
    sys.stdout.write(text)
    if given.write:
        with RESULTS.open("a") as document:
            document.write(text)
    good = result.percentile(0.5) <= MEDIAN_GOAL and result.percentile(0.99) <= P99_GOAL
    return 0 if good and result.wrong == 0 and result.debits == given.payments else 1


def start_workers(stack: LocalStack, count: int) -> None:
    """Start the inquiry's processes: their cold start on a busy machine is not the subject."""
    functions, name = stack.cloud.functions(), stack.function_name("inquire_status")
    no_messages = b'{"Records": []}'
    all_at_once([lambda: functions.invoke(FunctionName=name, Payload=no_messages)] * count)


def measure(stack: LocalStack, count: int, callers: int, workers: int, progress: Progress) -> Result:
    """Lose `count` answers and wait until the truth about all of them is known."""
    shop = Shop(stack)
    binding = shop.link()
    shop.warm_up("POST", "/payments", callers)
    start_workers(stack, workers)
    shop.lose_notifications(count)
    refs = [new_ref() for _ in range(count)]
    progress.say(f"losing {count} answers")
    started = time.monotonic()
    with ThreadPoolExecutor(callers) as pool:
        statuses = list(pool.map(lambda ref: shop.pay(binding, ref, ANSWER_LOST).status, refs))
    sending = time.monotonic() - started
    progress.say(f"{statuses.count(202)} of {count} are unknown, after {sending:.0f} s")
    payments = _payments(stack)
    unknown = list(refs)

    def all_known() -> bool:
        # The last one first: looking at all of them keeps the emulator busier than settling them does.
        while unknown and _get(payments, unknown[-1]).is_final:
            unknown.pop()
        return not unknown

    wait_for("the truth about every payment", all_known, PATIENCE_SECONDS)
    ended = [_get(payments, ref) for ref in refs]
    seconds = sorted((one.evidence.at - one.created_at) / timedelta(seconds=1) for one in ended)
    ledger = stack.simulator.control("ledger")["entries"]
    return Result(
        seconds=seconds,
        sending=sending,
        debits=len({entry["reference"] for entry in ledger if entry["kind"] == "debit"} & set(refs)),
        wrong=sum(one.state is not PaymentState.PAID for one in ended) + len(ledger) - count,
    )


def describe(result: Result, setting: str) -> str:
    """The result as a section of docs/measurements.md."""
    share = result.percentile
    rows = [
        ("median", share(0.5), f"{MEDIAN_GOAL:.0f}"),
        ("p90", share(0.9), ""),
        ("p99", share(0.99), f"{P99_GOAL:.0f}"),
        ("longest", result.seconds[-1], ""),
        ("shortest", result.seconds[0], ""),
        ("mean", statistics.fmean(result.seconds), ""),
    ]
    machine = f"{os.cpu_count()} cores {platform.machine()}, Python {platform.python_version()}"
    lines = [
        "",
        f"### {datetime.now(UTC):%Y-%m-%d %H:%M} UTC: {len(result.seconds)} lost answers",
        "",
        f"{setting}; {machine}, load {os.getloadavg()[0]:.1f} at the end. All sent within {result.sending:.0f} s.",
        f"Debits in the bank's ledger: {result.debits}; wrong states or debits: {result.wrong}.",
        "",
        "| from debit to true state | seconds | goal |",
        "|---|---|---|",
        *(f"| {name} | {value:.1f} | {goal and '≤ ' + goal} |" for name, value, goal in rows),
        "",
    ]
    return "\n".join(lines)


def _payments(stack: LocalStack) -> Payments:
    os.environ.update(stack.cloud.environment())
    return find_system(stack.name, endpoint=stack.cloud.endpoint, region=stack.cloud.region).ports.payments


def _get(payments: Payments, ref: str) -> Payment:
    payment = payments.get(ref)
    if payment is None:
        raise LookupError(ref)
    return payment


if __name__ == "__main__":
    sys.exit(main())
