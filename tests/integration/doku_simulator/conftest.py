"""One running simulator per module, fresh for each test."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.integration.doku_simulator.running import HttpMerchant, Receiver, running_simulator


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpMerchant]:
    folder: Path = tmp_path_factory.mktemp("simulator")
    with running_simulator(folder) as merchant:
        yield merchant


@pytest.fixture
def merchant(server: HttpMerchant) -> HttpMerchant:
    server.control("reset", {})
    fresh = HttpMerchant(type(server.clock)(datetime.now(UTC)), url=server.url)
    fresh.login()
    return fresh


@pytest.fixture
def receiver(merchant: HttpMerchant) -> Iterator[Receiver]:
    made = Receiver()
    merchant.control("merchant", made.endpoints)
    yield made
    made.close()
