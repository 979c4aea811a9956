"""What `make watch-events` prints; that it sees each event of a deployed stack is in e2e/test_events_told.py."""

from pathlib import Path

import pytest

from direct_debit.adapters.eventbridge import SOURCE
from direct_debit.application.outbox.event_types import EVENT_TYPES, EVENTS_BY_NAME
from tools import watch_events
from tools.event_catalogue import make_envelope
from tools.watch_events import write_line


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("payment.paid", "09:00:00  payment.paid             INV202603020  PAID  10000.00 IDR  v5"),
        (
            "payment.failed",
            "09:00:00  payment.failed           INV202603020  FAILED  10000.00 IDR  declined  4035414  v4",
        ),
        (
            "binding.activated",
            "09:00:00  binding.activated        6f1d2c3b4a5968778695a4b3c2d1e0f0  ACTIVE  v3",
        ),
    ],
)
def test_an_event_is_a_line(name: str, line: str) -> None:
    assert write_line(make_envelope(EVENTS_BY_NAME[name])) == line


@pytest.mark.parametrize("event", EVENT_TYPES, ids=lambda event: event.name)
def test_every_event_has_a_line(event: object) -> None:
    assert "\n" not in write_line(make_envelope(EVENTS_BY_NAME[getattr(event, "name", "")]))


def test_it_listens_to_the_source_that_the_application_publishes_as() -> None:
    assert watch_events.SOURCE == SOURCE


def test_without_a_running_stack_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["watch", "--env-file", str(tmp_path / "none.json")])
    monkeypatch.setattr("signal.signal", lambda *_: None)
    assert watch_events.main() == 1
    assert "make run" in capsys.readouterr().err
