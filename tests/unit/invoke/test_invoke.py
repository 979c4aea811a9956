import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS
from tools.invoke import __main__ as command_line
from tools.invoke import with_sam
from tools.invoke.running_stack import RunningStack, read_running_stack
from tools.local_cloud.executions import poll_until
from tools.local_cloud.failure import LocalCloudError


def test_without_a_running_stack_it_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(LocalCloudError, match="make run"):
        read_running_stack(tmp_path / "env.json")


def test_a_container_finds_emulator_and_simulator_and_browsers_what_they_found_before() -> None:
    stack = RunningStack(
        {
            "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
            "DOKU_BASE_URL": "http://127.0.0.1:8099",
            "PUBLIC_BASE_URL": "http://127.0.0.1:4566/v1",
        }
    )
    assert stack.ports == (4566, 8099)
    assert stack.seen_from("host.docker.internal").variables == {
        "AWS_ENDPOINT_URL": "http://host.docker.internal:4566",
        "DOKU_BASE_URL": "http://host.docker.internal:8099",
        "PUBLIC_BASE_URL": "http://127.0.0.1:4566/v1",
    }
    assert stack.published_at("http://127.0.0.1:3000").public_base_url == "http://127.0.0.1:3000"


def test_a_function_has_variables_of_its_own_beside_those_of_all(tmp_path: Path) -> None:
    path = tmp_path / "env.json"
    path.write_text('{"Parameters": {"DATA": "data", "OTHER": "x"}, "ReceivePaymentNotification": {"DATA": "inbound"}}')
    stack = read_running_stack(path)
    for seen in (stack, stack.published_at("http://127.0.0.1:3000")):
        assert seen.variables_of("ReceivePaymentNotification")["DATA"] == "inbound"
        assert seen.variables_of("ReceivePaymentNotification")["OTHER"] == "x"
        assert seen.variables_of("BindAccount")["DATA"] == seen.variables["DATA"] == "data"


def test_where_no_engine_answers_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    event = tmp_path / "event.json"
    event.write_text("{}")
    stack = RunningStack({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"})
    monkeypatch.setattr(command_line, "read_running_stack", lambda: stack)
    monkeypatch.setattr("signal.signal", lambda *_: None)  # pytest's own handlers stay
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    for arguments in (["--start-api"], ["BindAccount", str(event), "--docker", "yes"]):
        monkeypatch.setattr("sys.argv", ["invoke", *arguments])
        assert command_line.main() == 1
        told = capsys.readouterr().err
        assert "apt-get install docker.io" in told
        assert "DOCKER=no" in told


def test_sam_ends_with_us(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    note = tmp_path / "note"
    script = "\n".join(
        [
            "import pathlib, signal, sys",
            f"note = pathlib.Path({str(note)!r})",
            "signal.signal(signal.SIGINT, lambda *_: (note.write_text('removed'), sys.exit(0)))",
            "note.write_text('ready')",
            "signal.pause()",
        ]
    )

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    def tell_to_end() -> None:
        poll_until("the program", lambda: note.exists() and note.read_text() == "ready", PATIENCE_SECONDS)
        os.kill(os.getpid(), signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, interrupt)
    teller = threading.Thread(target=tell_to_end)
    monkeypatch.setattr(with_sam, "_GRACE_SECONDS", PATIENCE_SECONDS)
    try:
        teller.start()
        with pytest.raises(KeyboardInterrupt):
            with_sam._run([sys.executable, "-c", script], dict(os.environ))
    finally:
        teller.join()
        signal.signal(signal.SIGUSR1, before)
    assert note.read_text() == "removed"
