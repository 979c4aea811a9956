"""A finding is told as a history that a person can read."""

import re
from pathlib import Path

import pytest

from tests.simulation import __main__ as command
from tests.simulation.mutants import MUTANTS, planted, try_mutant
from tests.simulation.search import Finding


def test_a_found_history_is_written_and_what_it_blames_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "TOLD", tmp_path)
    verdict = try_mutant("unknown-is-failed", seeds=100)
    assert verdict.seed is not None
    (mutant,) = [one for one in MUTANTS if one.name == verdict.name]
    with planted(mutant):
        command.tell(Finding(verdict.seed, [verdict.violation]))
    shown = capsys.readouterr().out
    written = (tmp_path / f"seed-{verdict.seed}.txt").read_text()
    assert verdict.violation in shown
    assert verdict.violation in written
    assert f"make simulate REPLAY={verdict.seed}" in shown
    blamed = next(word.rstrip(":") for word in verdict.violation.split() if re.match(r"ORDER\d|[A-Z0-9]{12}|C\d", word))
    header = next(line for line in shown.splitlines() if "what concerns" in line)
    concerned = header.split("what concerns ")[1].rstrip(":").split(", ")
    assert blamed in concerned
    lines = [line for line in shown.splitlines() if re.match(r"\d+d \d\d:", line)]
    assert lines
    assert all(any(name in line for name in concerned) for line in lines)
    assert "the faults stop" in written
