"""Interleaved runs of a function and of the floor with the same calls: ours, floor, ours, floor, ..."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.benchmarks.speed.recording import Call, count_letters
from tests.benchmarks.speed.runs import Bench, Report
from tests.benchmarks.speed.scripts import Script, write_scripts

_SETTLING = 3  # requests until the connections are there and nothing is done for the first time


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured: pairs of runs, and events of a warm run."""

    cold_pairs: int = 9
    warm_pairs: int = 5
    events: int = 30


QUICK = Effort(cold_pairs=3, warm_pairs=1, events=25)


# What an invocation is there for, by the letters of recording.py: what answers well without it has not done its work.
CALLS = {
    "BindAccount": "Dw",
    "ConfirmUnbinding": "Dw",
    "DeliverWebhook": "Mw",
    "GetBalance": "D",
    "GetBinding": "r",
    "GetPayment": "q",
    "GetRefund": "r",
    "InquireStatus": "Dw",
    "ListBindings": "qr",
    "ListPayments": "qr",
    "MakePayment": "Dw",
    "ProcessNotification": "w",
    "ProcessRefund": "Dw",
    "PublishEvents": "Ew",
    "ReceiveBindingNotification": "wQ",
    "ReceivePaymentNotification": "wQ",
    "RefundPayment": "wQ",
    "ResolvePending": "q",
    "ReturnFromBinding": "Dw",
    "UnbindAccount": "Dw",
    "VerifyPaymentOtp": "Dw",
}


@dataclass(frozen=True, slots=True)
class Pair:
    """A run of ours and one of the floor's, right after each other."""

    ours: Report
    floor: Report
    calls: Sequence[Call]

    def letters(self, number: int) -> str:
        """Return the calls of an invocation, by kind."""
        return count_letters(calls_of(self.ours, self.calls, number))


def calls_of(report: Report, calls: Sequence[Call], number: int) -> Sequence[Call]:
    """Return the calls of one of a run's invocations."""
    return [call for call in calls if report.began[number] <= call.at <= report.ended[number]]


@dataclass(frozen=True, slots=True)
class Sample:
    """All pairs of one function. Values are CPU seconds, medians."""

    pairs: Sequence[Pair]

    @property
    def cold(self) -> tuple[float, float]:
        """From the interpreter's start to the first answer: ours and the floor's."""
        return _median(pair.ours.cold for pair in self.pairs), _median(pair.floor.cold for pair in self.pairs)

    @property
    def warm(self) -> tuple[float, float]:
        """A request to an environment that has had some: ours and the floor's."""
        return (
            _median(one for pair in self.pairs for one in pair.ours.requests[_SETTLING:]),
            _median(one for pair in self.pairs for one in pair.floor.requests[_SETTLING:]),
        )

    @property
    def warm_spread(self) -> str:
        """The least and the largest of the pairs' own ratios: what the machine adds."""
        return _spread(
            statistics.median(pair.ours.requests[_SETTLING:]) / statistics.median(pair.floor.requests[_SETTLING:])
            for pair in self.pairs
        )

    @property
    def cold_spread(self) -> str:
        """The same of the cold values."""
        return _spread(pair.ours.cold / pair.floor.cold for pair in self.pairs)

    @property
    def start(self) -> float:
        """The interpreter's own start, of which either cold value has the same share."""
        return _median(report.start for pair in self.pairs for report in (pair.ours, pair.floor))

    def letters(self) -> str:
        """Return the calls of the first and of the last invocation."""
        pair = self.pairs[-1]
        first, last = pair.letters(0), pair.letters(len(pair.ours.requests) - 1)
        return first if len(pair.ours.requests) == 1 else f"{last or '-'} (first: {first or '-'})"


@dataclass(slots=True)
class Samples:
    """Measures each function once, however many measures ask for it."""

    bench: Bench
    effort: Effort
    _warm: dict[str, Sample] = field(default_factory=dict)
    _cold: dict[str, Sample] = field(default_factory=dict)

    def cold(self, function: str) -> Sample:
        """Environments that get one event each."""
        if function not in self._cold:
            self._cold[function] = Sample([self._pair(function, 1) for _ in range(self.effort.cold_pairs)])
        return self._cold[function]

    def warm(self, function: str) -> Sample:
        """Environments that get many events one after the other."""
        if function not in self._warm:
            pairs = [self._pair(function, self.effort.events) for _ in range(self.effort.warm_pairs)]
            self._warm[function] = Sample(pairs)
        return self._warm[function]

    def _pair(self, function: str, count: int) -> Pair:
        ours, calls, scripts = record(self.bench, function, count)
        return Pair(ours, self.bench.run_floor(scripts), calls)


def record(bench: Bench, function: str, count: int) -> tuple[Report, Sequence[Call], Sequence[Script]]:
    """Run a function of the build in its scene; return what it took, its calls, and the floor's scripts for the same.

    Raises RuntimeError when it did not do what it is for: then nothing was measured.
    """
    events = bench.stage.prepare(function, count)
    ours = bench.run_ours(function, events)
    calls = bench.stage.recording()
    check_done(function, ours, calls)
    return ours, calls, write_scripts(function, events, ours, calls)


def check_done(function: str, report: Report, calls: Sequence[Call]) -> None:
    """Raise RuntimeError where a function has refused an event, or has not called what it is there to call."""
    for answer in report.answers:
        if int(answer.get("statusCode", 200)) >= 400 or answer.get("batchItemFailures") or answer.get("failed"):
            raise RuntimeError(f"{function} answered {answer}")
        if any(statement["Effect"] != "Allow" for statement in answer.get("policyDocument", {}).get("Statement", ())):
            raise RuntimeError(f"{function} allowed nothing: {answer}")
    for number in range(len(report.answers)):
        letters = {call.letter for call in calls_of(report, calls, number)}
        if missing := set(CALLS.get(function, "")) - letters:
            raise RuntimeError(f"{function} made no call of {sorted(missing)} for its event {number}")


def _median(values: Iterable[float]) -> float:
    return statistics.median(values)


def _spread(ratios: Iterable[float]) -> str:
    ordered = sorted(ratios)
    return f"pairs {ordered[0]:.2f} to {ordered[-1]:.2f}"
