"""A terminal in front of the system `keyed`: it runs the operator's commands and keeps what they told."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tools.ops.__main__ import main
from tools.ops.system import System


@dataclass
class Terminal:
    """`system` finds the deployed system anew for each command; `seen` is all that was ever printed."""

    capsys: pytest.CaptureFixture[str]
    system: Callable[[], System]
    seen: list[str] = field(default_factory=list)

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run a command for eyes; returns its status and what it told."""
        status, out, told = self._run(arguments)
        return status, out + told

    def ask(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """Run a command for a program; returns its status and its document."""
        status, out, told = self._run((*arguments, "--json"))
        return status, json.loads(out or told)

    def _run(self, arguments: tuple[str, ...]) -> tuple[int, str, str]:
        self.capsys.readouterr()
        status = main([*arguments, "--stack", "keyed"], find=lambda *_, **__: self.system())
        told = self.capsys.readouterr()
        self.seen.append(told.out + told.err)
        return status, told.out, told.err
