"""What the tests share."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clients.python.tests.stage import DOCUMENT, Stage


@pytest.fixture(params=["blocking", "asynchronous"])
def stage(request: pytest.FixtureRequest) -> Stage:
    """A stage for each of the two clients."""
    return Stage(is_async=request.param == "asynchronous")


@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    """docs/openapi.json."""
    loaded: dict[str, Any] = json.loads(DOCUMENT.read_text("utf-8"))
    return loaded
