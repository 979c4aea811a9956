import json
import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS
from tools.invoke import __main__ as command_line
from tools.invoke import with_sam
from tools.invoke.built_template import BuiltTemplate
from tools.invoke.running_stack import RunningStack, read_running_stack
from tools.local_cloud.executions import poll_until
from tools.local_cloud.failure import LocalCloudError

CONTENT = {
    "Globals": {
        "Function": {
            "Handler": "handler.handler",
            "Timeout": 28,
            "Layers": [{"Ref": "OurLayer"}],
            "Environment": {"Variables": {"BINDINGS_TABLE": {"Ref": "Bindings"}}},
        }
    },
    "Resources": {
        "Bindings": {"Type": "AWS::DynamoDB::Table"},
        "OurLayer": {"Type": "AWS::Serverless::LayerVersion", "Properties": {"ContentUri": "OurLayer"}},
        "BindAccount": {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "BindAccount"}},
        "ProcessRefund": {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "Refund", "Timeout": 60}},
    },
}


@pytest.fixture
def built(tmp_path: Path) -> BuiltTemplate:
    return BuiltTemplate(tmp_path, json.loads(json.dumps(CONTENT)))


def test_a_function_has_its_own_folders_and_what_all_share(built: BuiltTemplate) -> None:
    function = built.function("BindAccount")
    assert (function.code, function.layers) == (built.folder / "BindAccount", (built.folder / "OurLayer",))
    assert (function.handler, function.timeout) == ("handler.handler", 28)
    assert built.function("ProcessRefund").timeout == 60


def test_a_wrong_name_is_answered_with_the_right_ones(built: BuiltTemplate) -> None:
    with pytest.raises(LocalCloudError, match="there are BindAccount, ProcessRefund"):
        built.function("bind_account")


def test_sam_gets_a_template_that_declares_the_way_to_the_emulator(built: BuiltTemplate) -> None:
    path = built.for_sam_local({"AWS_ENDPOINT_URL": "http://172.17.0.1:1", "BINDINGS_TABLE": "b"})
    declared = json.loads(path.read_text())["Globals"]["Function"]["Environment"]["Variables"]
    assert declared == {"BINDINGS_TABLE": {"Ref": "Bindings"}, "AWS_ENDPOINT_URL": ""}
    assert path.parent == built.folder
    assert built.content == CONTENT


def test_without_a_running_stack_it_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(LocalCloudError, match="make run"):
        read_running_stack(tmp_path / "env.json")


@pytest.mark.parametrize(("host", "reachable"), [("172.17.0.1", True), ("127.0.0.1", False)])
def test_a_stack_on_loopback_is_not_for_containers(
    tmp_path: Path, built: BuiltTemplate, host: str, reachable: bool
) -> None:
    file = tmp_path / "env.json"
    file.write_text(json.dumps({"Parameters": {"AWS_ENDPOINT_URL": f"http://{host}:4566"}}))
    stack = read_running_stack(file)
    assert stack.reachable_from_containers is reachable
    if not reachable:
        with pytest.raises(LocalCloudError, match="BIND=docker"):
            with_sam.start_api(built, stack, 3000)


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
            "signal.signal(signal.SIGTERM, lambda *_: (note.write_text('removed'), sys.exit(0)))",
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
