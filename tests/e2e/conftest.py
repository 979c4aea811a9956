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
