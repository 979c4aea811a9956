"""What the tests of the transport share."""

from collections.abc import Iterator

import pytest

from doku_snap.transport import RequestsTransport


@pytest.fixture
def transport() -> Iterator[RequestsTransport]:
    made = RequestsTransport()
    yield made
    made.close()
