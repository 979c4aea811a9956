"""Metrics and log lines that only remember."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from direct_debit.application.ports.telemetry import Metric, Telemetry


class RecordingTelemetry:
    """Implements `Telemetry`."""

    def __init__(self) -> None:
        self.counts: Counter[Metric] = Counter()
        self.notes: list[tuple[str, dict[str, str]]] = []

    def count(self, metric: Metric, amount: int = 1) -> None:
        """Add to a metric."""
        self.counts[metric] += amount

    def note(
        self,
        message: str,
        *,
        ref: str | None = None,
        binding_id: str | None = None,
        state: str | None = None,
        code: str | None = None,
        reason: str | None = None,
        source_address: str | None = None,
    ) -> None:
        """Keep one log line with the fields that were given."""
        fields = {
            "ref": ref,
            "binding_id": binding_id,
            "state": state,
            "code": code,
            "reason": reason,
            "source_address": source_address,
        }
        self.notes.append((message, {name: value for name, value in fields.items() if value is not None}))


_: Telemetry = RecordingTelemetry()
