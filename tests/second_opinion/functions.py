"""The built functions, each under AWS's runtime interface emulator, kept ready from its first event on."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

import requests

from tests.patience import PATIENCE_SECONDS
from tools.invoke.functions import Function
from tools.invoke.without_docker import running

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LAYERS = ("DokuSnapLayer", "DirectDebitLayer")
_LONGEST = 60  # seconds; the template gives workers as many, and the API's functions half of it


@dataclass(slots=True)
class BuiltFunctions:
    """What `sam build` made, with the variables of a deployment."""

    build: Path
    variables: Mapping[str, str]
    logs: Path
    resources: ExitStack
    _urls: dict[str, str] = field(default_factory=dict)
    _locks: dict[str, Lock] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def invoke(self, name: str, event: Mapping[str, object]) -> Mapping[str, Any]:
        """Hand a function an event and return its answer; one event at a time, as an environment of Lambda has it."""
        with self._lock:
            lock = self._locks.setdefault(name, Lock())
        with lock, requests.Session() as session:
            session.trust_env = False
            url = self._urls.get(name) or self._start(name)
            answer: dict[str, Any] = session.post(url, json=event, timeout=PATIENCE_SECONDS).json() or {}
        assert "errorType" not in answer, (name, answer)
        return answer

    def _start(self, name: str) -> str:
        layers = tuple(self.build / layer / "python" for layer in _LAYERS)
        function = Function(name, self.build / name, layers, "handler.handler", _LONGEST)
        packages = self.build / "DependenciesLayer" / "python"
        url = self.resources.enter_context(running(function, packages, self.variables, self.logs / f"{name}.log"))
        self._urls[name] = url
        return url
