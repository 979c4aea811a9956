"""A house per test."""

from collections.abc import Iterator

import pytest

from tests.integration.handlers.house import House


@pytest.fixture
def house() -> Iterator[House]:
    """The application behind its doors, empty."""
    with House().open() as opened:
        yield opened
