"""Counts the cases of the exhaustive tests and tells their number at the end."""

from collections.abc import Callable

import pytest

_CASES = pytest.StashKey[int]()


@pytest.fixture
def count_cases(request: pytest.FixtureRequest) -> Callable[[int], None]:
    """Return a function that adds to the number of cases run."""

    def add(cases: int) -> None:
        request.config.stash[_CASES] = request.config.stash.get(_CASES, 0) + cases

    return add


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print how many cases of injected faults ran."""
    cases = config.stash.get(_CASES, 0)
    if cases:
        terminalreporter.write_line(f"{cases} cases of injected faults")
