"""The part of the fuzzing that every test run does, the same each time; and that the fuzzing finds what is wrong."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from subprocess import CompletedProcess

import pytest

from tests.fuzz import __main__ as program
from tests.fuzz.mutation import mutate
from tests.fuzz.openssl import compare_with_openssl
from tests.fuzz.readers import fuzz_readers
from tests.fuzz.scene import OTP, Request, Scene, change
from tests.fuzz.shrink import shrink
from tests.fuzz.state import State
from tests.fuzz.target import Target, find_fault
from tests.fuzz.targets import TARGETS
from tests.fuzz.unguided import LONGEST, run_unguided
from tools.make_events import make_events, vector_signer
from tools.operations import ROUTES

SEED = 14
INPUTS = 60  # per reader; `make fuzz` tries 20,000 and more
REQUESTS = 6  # per operation


@pytest.mark.parametrize("target", TARGETS.values(), ids=lambda target: target.name)
def test_no_reader_breaks_its_promise(target: Target) -> None:
    tried, finding = run_unguided(target, INPUTS, SEED)
    assert finding is None
    assert tried == INPUTS


def test_requests_that_are_changed_are_answered_as_documented() -> None:
    chance = Random(SEED)  # noqa: S311 - requests have to repeat
    answered: set[int] = set()
    with Scene.open() as scene:
        for _, request in sorted(read_requests().items()):
            living = scene.revive(request, chance)
            answered.add(scene.try_request(scene.sign(living, chance)))
            for _ in range(REQUESTS):
                answered.add(scene.try_request(scene.sign(change(living, chance), chance)))
    assert {200, 400, 422} <= answered


def read_requests() -> Mapping[str, Request]:
    """The example requests of events/, one of each operation that has a route."""
    names = {route.name for route in ROUTES} | {
        "issue_token",
        "receive_payment_notification",
        "receive_binding_notification",
        "explain_problem",
    }
    return {
        name: Request(
            operation=name,
            method=str(event["httpMethod"]),
            resource=str(event["resource"]),
            path=texts(event["pathParameters"]),
            query=texts(event["queryStringParameters"]),
            headers=texts(event["headers"]),
            body=str(event["body"]).encode() if event["body"] is not None else None,
        )
        for name, event in make_events(vector_signer()).items()
        if name in names
    }


def texts(members: object) -> dict[str, str]:
    return {str(name): str(value) for name, value in members.items()} if isinstance(members, dict) else {}


# --- that it finds -------------------------------------------------------------------------------------------------


def refuse_surrogates(data: bytes) -> None:
    """A reader with a bug: the escape of a lone surrogate, anywhere."""
    if b"\\ud800" in data:
        raise KeyError("found")


BUGGY = Target("buggy", "takes anything", refuse_surrogates, [b'{"a": "b", "c": [1, 2, 3]}'])


def test_a_bug_is_found_and_made_small(tmp_path: Path) -> None:
    tried, finding = run_unguided(BUGGY, 5_000, SEED)
    assert finding is not None
    assert finding.data == b"\\ud800"
    assert finding.error == "KeyError: 'found'"
    assert 1 < tried < 5_000
    assert run_unguided(BUGGY, 5_000, SEED) == (tried, finding), "the same seed finds the same"
    assert run_unguided(BUGGY, 5_000, SEED + 1) != (tried, finding)
    state = State(tmp_path)
    assert state.next_seed("buggy", SEED) == SEED
    assert state.add("buggy", tried) == tried
    assert State(tmp_path).next_seed("buggy", SEED) == SEED + 1, "a run goes on where the one before ended"
    assert State(tmp_path).add("buggy", 1) == tried + 1


def test_shrinking_keeps_what_is_needed() -> None:
    assert shrink(b"x" * 300 + b"ab" + b"y" * 200 + b"c" + b"z", lambda data: b"a" in data and b"c" in data) == b"ac"
    assert shrink(b"abc", lambda data: len(data) > 0, most=0) == b"abc"


def test_inputs_are_bounded_and_many() -> None:
    chance = Random(SEED)  # noqa: S311 - inputs have to repeat
    made = {mutate(b'head\n{"a": {"b": [1, "2"]}}', chance, 64) for _ in range(500)}
    assert max(map(len, made)) <= 64
    assert len(made) > 400
    assert LONGEST > 64


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("signature", b'{"a":1}\0{"a":2}'),
        ("minify", b'{"a" : "b c"}'),
    ],
)
def test_the_oracles_hear(name: str, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a product that accepts everything, or drops too much, the promise is broken."""
    assert find_fault(TARGETS[name], data) is None
    monkeypatch.setattr("tests.fuzz.targets.bodies.find_body_form", lambda *_, **__: "raw")
    monkeypatch.setattr("tests.fuzz.targets.bodies.minify", lambda raw: raw.replace(b" ", b""))
    assert find_fault(TARGETS[name], data) is not None


def test_a_canary_in_a_log_line_is_heard() -> None:
    with Scene.open() as scene:
        request = read_requests()["verify_payment_otp"]
        told = replace(request, path={"ref": scene.references[0]}, body=f'{{"otp": "{OTP}"}}'.encode())
        scene.try_request(told)
        scene.house.log.write(f"the code is {OTP}\n")
        with pytest.raises(AssertionError, match="no log line holds"):
            scene.try_request(told)


def test_the_program_ends_with_1_on_a_finding_and_shows_how_to_see_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "TARGETS", {"buggy": BUGGY})
    monkeypatch.setattr("tests.fuzz.readers.find_spec", lambda _: None)  # without guidance, in this process
    monkeypatch.setattr("sys.argv", ["fuzz", "--only", "buggy", "--state", str(tmp_path), "--seed", str(SEED)])
    assert program.main() == 1
    said = capsys.readouterr().out
    again = f"buggy:{base64.b64encode(b'\\ud800').decode()}"
    assert f"make fuzz REPLAY={again}" in said
    assert "the smallest input: b'\\\\ud800'" in said
    monkeypatch.setattr("sys.argv", ["fuzz", "--replay", again])
    with pytest.raises(KeyError, match="found"):
        program.main()


def test_a_run_without_findings_ends_with_0(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tests.fuzz.readers.find_spec", lambda _: None)
    monkeypatch.setattr(
        "sys.argv", ["fuzz", "--only", "key-item", "--scale", "0.01", "--state", str(tmp_path), "--jobs", "1"]
    )
    assert program.main() == 0
    assert "key-item" in capsys.readouterr().out
    assert [(name, count.cases, count.runs) for name, count in State(tmp_path)] == [("key-item", 200, 1)]


@pytest.mark.parametrize(("said", "is_found"), [("libFuzzer: run interrupted; exiting", False), ("timeout", True)])
def test_an_interrupted_run_is_no_finding(
    said: str, is_found: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = f"{said}\nstat::number_of_executed_units: 12\n"
    monkeypatch.setattr("tests.fuzz.readers.find_spec", lambda _: True)
    monkeypatch.setattr("subprocess.run", lambda *_, **__: CompletedProcess([], 72, "", told))
    (tried,) = fuzz_readers([BUGGY], 50, SEED, State(tmp_path), 1)
    assert tried.cases == 12
    assert (tried.finding is not None) is is_found


@pytest.mark.skipif(shutil.which("openssl") is None, reason="compares with the program openssl: there is none here")
def test_signatures_agree_with_openssl() -> None:
    compared = compare_with_openssl(20, SEED)
    assert compared.finding is None
    assert (compared.bodies, compared.rsa, compared.keys) == (20, 10, 1)
