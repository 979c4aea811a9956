"""Waiting executions that only remember."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from direct_debit.application.ports.messages import Workflows


class RecordingWorkflows:
    """Implements `Workflows`. `completed` are the tasks in order, repetitions included."""

    def __init__(self) -> None:
        self.completed: list[tuple[str, Mapping[str, str | None]]] = []

    def succeed(self, task_token: str, output: Mapping[str, str | None]) -> None:
        """Note the outcome."""
        self.completed.append((task_token, dict(output)))


_: Workflows = RecordingWorkflows()
