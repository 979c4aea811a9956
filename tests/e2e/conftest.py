"""One deployed local stack for all end-to-end tests of a run; the tests keep apart by customers and references."""

from collections.abc import Iterator

import pytest

from tools.local_cloud.progress import Progress
from tools.local_cloud.stack import LocalStack, local_stack


@pytest.fixture(scope="session")
def stack() -> Iterator[LocalStack]:
    """The template, deployed, beside a simulator."""
    with local_stack(Progress()) as deployed:
        yield deployed


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let a test that waits for a minute to be over come last in its file: it waits for what is left of it."""
    first = {item.path: place for place, item in reversed(list(enumerate(items)))}
    items.sort(key=lambda item: (first[item.path], item.get_closest_marker("minute") is not None))
