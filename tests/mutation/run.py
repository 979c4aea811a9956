"""The run: collect once, learn who runs which line, then try one mutant after another in forked processes.

It is a plug-in of pytest: what would be the running of the tests is here the trying of the mutants.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import select
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.mutation.accepted import Accepted, read_accepted
from tests.mutation.mutants import ROOT, Mutant, enumerate_mutants, find_sources, sample
from tests.mutation.plant import live_functions
from tests.mutation.reach import LineRecorder, Reach
from tests.mutation.readers import lines_of, mentions
from tests.mutation.state import State, digest_sources
from tests.mutation.trial import (
    SURVIVED,
    UNFIT,
    UNREACHED,
    Running,
    Step,
    Verdict,
    run_item,
    run_seed,
    start,
)
from tests.simulation.search import calm_collector

_SILENT_SECONDS = 600  # a trial that says nothing for so long waits for something that does not come
_PROGRESS_SECONDS = 60
_LAST_WORDS = 10_000
_KEPT = ROOT / ".local" / "mutation"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a run shall do."""

    only: str = ""
    size: int | None = None
    seed: int = 0
    seeds: int = 300
    jobs: int = 2
    state: Path | None = None
    paths: Sequence[Path] | None = None


@dataclass(slots=True)
class Run:
    """The plug-in."""

    wish: Wish
    say: Callable[[str], object]
    verdicts: list[Verdict] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    _noticed: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self) -> None:
        """Let property tests say at once that they fail, without looking for the smallest example."""
        from hypothesis import Phase, settings  # noqa: PLC0415 - pytest wants to be there before it

        phases = [Phase.explicit, Phase.generate]
        settings.register_profile("mutation", settings.get_profile(settings.get_current_profile_name()), phases=phases)
        settings.load_profile("mutation")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Try the mutants instead of running the tests."""
        if session.testsfailed:
            raise pytest.UsageError("not all tests can be collected")
        self._run(session.items)
        return True

    def _run(self, items: Sequence[pytest.Item]) -> None:
        mutants = list(enumerate_mutants(self.wish.paths))
        accepted = read_accepted()
        if self.wish.paths is None:
            strangers = accepted.find_strangers(mutant.name for mutant in mutants)
            self.problems += [f"accepted, but there is no such mutant: {name}" for name in strangers]
        wanted = [mutant for mutant in mutants if self.wish.only in mutant.name]
        if self.wish.size is not None:
            # Of the accepted ones nothing is to be learnt in a short time; a whole run tries them too.
            wanted = sample([one for one in wanted if not accepted.accepts(one.name)], self.wish.size, self.wish.seed)
        digest = digest_sources()
        state = State(self.wish.state, digest)
        open_ = [mutant for mutant in wanted if mutant.name not in state.verdicts]
        self.say(f"{len(mutants)} mutants, {len(wanted)} wanted, {len(open_)} to try")
        if open_:
            live_functions()
            calm_collector()
            reach = self._learn(items, digest)
            begun = time.monotonic()
            for verdict in self._try_all(open_, items, reach):
                state.add(verdict)
            took = time.monotonic() - begun
            self.say(f"{len(open_)} tried in {took:.0f} s, {60 * len(open_) / took:.0f} a minute")
        self.verdicts = [state.verdicts[mutant.name] for mutant in wanted if mutant.name in state.verdicts]
        self._tell(wanted, state, accepted)

    # --- who runs what -----------------------------------------------------------------------------------------------

    def _learn(self, items: Sequence[pytest.Item], digest: str) -> Reach:
        names = "\0".join(item.nodeid for item in items)
        kept = (
            _KEPT
            / f"reach-{digest}-{self.wish.seeds}-{len(items)}-{hashlib.sha256(names.encode()).hexdigest()[:8]}.pickle"
        )
        if kept.exists():
            learnt: Reach = pickle.loads(kept.read_bytes())  # noqa: S301 - written by the run before
            return learnt
        begun = time.monotonic()
        parts = [
            (items[job :: self.wish.jobs], range(job, self.wish.seeds, self.wish.jobs)) for job in range(self.wish.jobs)
        ]
        reach = Reach()
        with TemporaryDirectory() as folder:
            pids = {}
            for number, (tests, seeds) in enumerate(parts):
                file = Path(folder) / str(number)
                pids[_fork(partial(_record, file, tests, seeds))] = file
            for pid, file in pids.items():
                _, status = os.waitpid(pid, 0)
                if status != 0:
                    raise pytest.UsageError(
                        "a test fails, or a seed finds something, without any mutant: see `make test`"
                    )
                tested, lived = pickle.loads(file.read_bytes())  # noqa: S301 - written a moment ago by our own process
                for one in tested:
                    reach.add_test(*one)
                for seed in lived:
                    reach.add_seed(*seed)
        _KEPT.mkdir(parents=True, exist_ok=True)
        for old in _KEPT.glob("reach-*"):
            if digest not in old.name:
                old.unlink()
        kept.write_bytes(pickle.dumps(reach))
        took = time.monotonic() - begun
        self.say(f"{len(reach.tests)} tests and {len(reach.seeds)} seeds run without a mutant, {took:.0f} s")
        return reach

    def _steps(self, mutant: Mutant, items: Sequence[pytest.Item], reach: Reach) -> list[Step]:
        """Return the tests that could notice, in the order of their promise, and then the seeds."""
        lines = lines_of(mutant)
        chosen = reach.tests_for(lines) | {item.nodeid for item in items if mentions(item.path, mutant)}
        noticed = self._noticed[f"{mutant.path} {mutant.place.function}"]
        tests = sorted(
            (item for item in items if item.nodeid in chosen),
            key=lambda item: (-noticed[item.nodeid], reach.tests[item.nodeid]),
        )
        steps = [Step(item.nodeid, reach.tests[item.nodeid], partial(run_item, item)) for item in tests]
        seeds = reach.seeds_for(lines)
        return steps + [Step(f"seed {seed}", reach.seeds[seed], partial(run_seed, seed)) for seed in seeds]

    # --- the trials --------------------------------------------------------------------------------------------------

    def _try_all(self, mutants: Sequence[Mutant], items: Sequence[pytest.Item], reach: Reach) -> Iterator[Verdict]:
        waiting = list(reversed(mutants))
        running: dict[int, Running] = {}
        done, last = 0, time.monotonic()
        try:
            while waiting or running:
                while waiting and len(running) < self.wish.jobs:
                    mutant = waiting.pop()
                    trial = start(mutant, self._steps(mutant, items, reach))
                    running[trial.pipe] = trial
                for trial in _listen(running):
                    del running[trial.pipe]
                    verdict = trial.wait()
                    self._remember(trial.mutant, verdict)
                    done += 1
                    yield verdict
                if time.monotonic() - last > _PROGRESS_SECONDS:
                    last = time.monotonic()
                    self.say(f"... {done} of {len(mutants)}")
        finally:
            for trial in running.values():
                os.kill(trial.pid, signal.SIGKILL)

    def _remember(self, mutant: Mutant, verdict: Verdict) -> None:
        if "::" in verdict.by:  # a test: it may notice other changes of the function too
            self._noticed[f"{mutant.path} {mutant.place.function}"][verdict.by] += 1
        if verdict.outcome in (SURVIVED, UNREACHED):
            self.say(f"{verdict.outcome:<9} {mutant.where} {verdict.name}")

    # --- the outcome -------------------------------------------------------------------------------------------------

    def _tell(self, wanted: Sequence[Mutant], state: State, accepted: Accepted) -> None:
        outcomes = Counter(verdict.outcome for verdict in self.verdicts)
        by_tests = sum("::" in verdict.by for verdict in self.verdicts)
        by_seeds = sum(verdict.by.startswith("seed ") for verdict in self.verdicts)
        for mutant in wanted:
            verdict = state.verdicts[mutant.name]
            if verdict.outcome == UNFIT:
                self.problems.append(f"could not be tried: {mutant.where} {mutant.name} ({verdict.by})")
            elif verdict.outcome in (SURVIVED, UNREACHED) and not accepted.accepts(mutant.name):
                why = "nobody notices" if verdict.outcome == SURVIVED else "nobody runs it"
                self.problems.append(f"{why}: {mutant.where} {mutant.name}")
            elif verdict.outcome not in (SURVIVED, UNREACHED) and mutant.name in accepted.names:
                self.say(f"accepted, but found by {verdict.by}: {mutant.name}")
        self.say(f"{dict(outcomes)}; {by_tests} found by tests, {by_seeds} by the simulation alone")
        for problem in self.problems:
            self.say(problem)
        self.say(f"{len(self.problems)} to be looked at")


def _note[T](failed: list[bool], run: Callable[[T], bool], subject: T) -> None:
    failed.append(run(subject))


def _record(file: Path, items: Sequence[pytest.Item], seeds: Sequence[int]) -> None:
    """Run tests and seeds, and write down what each runs."""
    tested, lived = [], []
    with LineRecorder(map(str, find_sources())) as recorder:
        for item in items:
            failed: list[bool] = []
            begun = time.process_time()
            lines = recorder.record(partial(_note, failed, run_item, item))
            if failed != [False]:
                raise RuntimeError(f"{item.nodeid} fails")
            tested.append((item.nodeid, time.process_time() - begun, lines))
        for seed in seeds:
            failed = []
            begun = time.process_time()
            lines = recorder.record(partial(_note, failed, run_seed, seed))
            if failed != [False]:
                raise RuntimeError(f"seed {seed} finds something")
            lived.append((seed, time.process_time() - begun, lines))
    file.write_bytes(pickle.dumps((tested, lived)))


def _listen(running: Mapping[int, Running]) -> list[Running]:
    """Hear what trials say; returns those that have ended. Who is silent for too long is ended."""
    ready, _, _ = select.select(list(running), [], [], _SILENT_SECONDS)
    ended = []
    for pipe, trial in running.items():
        if not ready:
            os.kill(trial.pid, signal.SIGKILL)
        elif pipe in ready and (said := os.read(pipe, 65_536)):
            trial.said = (trial.said + said.decode())[-_LAST_WORDS:]
        elif pipe in ready:
            ended.append(trial)
    return ended


def _fork(act: Callable[[], None]) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        act()
        status = 0
    finally:
        os._exit(status)
