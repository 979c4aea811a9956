"""The run as a whole, on a small part: what tests notice is found, what nobody notices is named, and nothing hangs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutation.mutants import ROOT
from tests.mutation.state import State
from tests.mutation.trial import FOUND, SURVIVED, Verdict

_ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join([".", "layers/doku_snap/python", "layers/direct_debit/python"]),
}
_MONEY = ["--only", "domain/money.py Amount.parse", "--seeds", "0"]


def run(*arguments: str) -> tuple[int, str]:
    answer = subprocess.run(
        [sys.executable, "-m", "tests.mutation", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=_ENVIRONMENT,
    )
    return answer.returncode, answer.stdout + answer.stderr


def test_every_mutant_of_an_amount_is_found_by_its_tests() -> None:
    status, told = run(*_MONEY, "--tests", "tests/unit/domain/test_money.py")
    assert (status, "0 to be looked at" in told) == (0, True), told


def test_what_no_test_checks_or_runs_is_named_with_its_place(tmp_path: Path) -> None:
    careless = tmp_path / "test_careless.py"
    careless.write_text(
        "from direct_debit.domain.money import Amount\n\ndef test_it_runs():\n    Amount.parse('10.00')\n"
    )
    status, told = run(*_MONEY, "--tests", str(careless))
    assert status == 1
    assert "nobody notices: layers/direct_debit/python/direct_debit/domain/money.py:" in told
    assert "nobody runs it: layers/direct_debit/python/direct_debit/domain/money.py:" in told


@pytest.mark.parametrize("source", ["def test_fails():\n    assert False\n", "import nothing_of_this_name\n"])
def test_a_test_that_fails_anyway_is_no_finding(tmp_path: Path, source: str) -> None:
    failing = tmp_path / "test_failing.py"
    failing.write_text(source)
    status, told = run(*_MONEY, "--tests", str(failing))
    assert (status, "without any mutant" in told) == (2, True), told


_ENDLESS = """
from tests.mutation import trial
from tests.mutation.mutants import enumerate_mutants
import os, sys

def endless():
    while True:
        pass

trial._AT_LEAST = 0
mutant = next(iter(enumerate_mutants()))
trial.plant = lambda _: None
running = trial.start(mutant, [trial.Step("first", 0.0, lambda: False), trial.Step("second", 0.0, endless)])
while said := os.read(running.pipe, 1000):
    running.said += said.decode()
verdict = running.wait()
print(verdict.outcome, verdict.by)
"""


def test_what_never_ends_is_found_by_the_time_of_the_processor() -> None:
    answer = subprocess.run(
        [sys.executable, "-c", _ENDLESS], capture_output=True, text=True, check=True, cwd=ROOT, env=_ENVIRONMENT
    )
    assert answer.stdout == "found takes for ever: second\n"


def test_a_run_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "state"
    one, two = Verdict("one", FOUND, "a::test", 0.5), Verdict("two", SURVIVED, "", 2.0)
    State(path, "abc").add(one)
    State(path, "abc").add(two)
    assert State(path, "abc").verdicts == {"one": one, "two": two}
    assert json.loads(path.read_text().splitlines()[0]) == {"sources": "abc"}


def test_verdicts_about_other_sources_are_refused(tmp_path: Path) -> None:
    State(tmp_path / "state", "abc")
    with pytest.raises(SystemExit, match="other sources"):
        State(tmp_path / "state", "def")
