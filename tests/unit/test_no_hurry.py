"""No test measures the machine: none reads a stopwatch, and none waits with a limit that a slow machine misses.

Speed belongs into `make bench`. What a test waits for is the event, with `PATIENCE_SECONDS` as the outer limit.
"""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
# Programs that measure or show progress; no tests.
PROGRAMS = ("benchmarks/", "simulation/", "mutation/", "fuzz/__main__.py")
_SUBJECT = "the time-out is what is tested"
_NOWHERE = "nothing goes out there"
# Where giving up is the subject.
EXCEPTIONS = {
    "integration/doku_snap/test_requests_transport.py": "the transport's own time-outs",
    "integration/doku_snap/test_deadline.py": "the same",
    "integration/doku_snap/faulty_server.py": "the same",
    "integration/doku_simulator/running.py": "a client gives up on a hanging answer, once its request was worked on",
    "unit/local_cloud/test_guard.py": "a server that never gets ready has to be given up, whatever the machine",
}
# The limits of a call, where they are short: the file, and the limits as they stand there.
SHORT_TIMEOUTS = {
    ("integration/adapters/aws/test_connections.py", "urllib3.Timeout(connect=PATIENCE_SECONDS, read=0.05)"): _SUBJECT,
    ("integration/doku_snap/calls.py", "Timeout(connect=PATIENCE_SECONDS, read=1)"): _SUBJECT,
    ("integration/doku_snap/test_deadline.py", "Timeout(connect=PATIENCE_SECONDS, read=1)"): _SUBJECT,
    ("integration/doku_snap/test_deadline.py", "Timeout(connect=PATIENCE_SECONDS, read=0.2 + number / 10)"): _SUBJECT,
    ("integration/doku_snap/test_deadline.py", "Timeout(connect=1, read=PATIENCE_SECONDS)"): _SUBJECT,
    ("integration/doku_snap/test_deadline.py", "Timeout(connect=0.3, read=PATIENCE_SECONDS)"): _SUBJECT,
    (
        "integration/doku_snap/test_deadline.py",
        "Timeout(connect=60, read=60)",
    ): "by a clock that moves with what is heard",
    ("unit/doku_snap/support.py", "Timeout(connect=1, read=2)"): _NOWHERE,
    ("unit/entrypoint/test_container.py", "Timeout(5, 20)"): _NOWHERE,
    ("unit/entrypoint/test_door_within_wire.py", "Timeout(1, 1)"): _NOWHERE,
}
STOPWATCHES = {"monotonic", "perf_counter", "process_time", "sleep"}
WAITS = {"wait", "join", "get", "acquire", "result", "settimeout", "communicate"}
LIMITS = {"timeout", "timeout_seconds", "patience", "patience_seconds"}
LEAST = 120  # seconds


def find_hurry(source: str) -> list[str]:
    """Name each stopwatch and each short limit in a test's source, with its line."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if isinstance(node.func, ast.Attribute) and name in STOPWATCHES and _is_module(node.func.value):
            found.append(f"line {node.lineno}: time.{name}")
        limits = [keyword.value for keyword in node.keywords if keyword.arg in LIMITS]
        if name in WAITS:
            limits += node.args[:1]
        short = [limit.value for limit in limits if isinstance(limit, ast.Constant) and _is_short(limit.value)]
        found += [f"line {node.lineno}: {name}({seconds!r})" for seconds in short]
    return found


def find_short_timeouts(source: str) -> list[str]:
    """Return the limits of calls (`Timeout(connect=..., read=...)`) in a test's source of which one is short."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    timeouts = [call for call in calls if ast.unparse(call.func).rpartition(".")[2] == "Timeout"]
    return [
        ast.unparse(call)
        for call in timeouts
        if any(_is_made_of_short(limit) for limit in (*call.args, *(keyword.value for keyword in call.keywords)))
    ]


def _is_made_of_short(limit: ast.expr) -> bool:
    return any(isinstance(node, ast.Constant) and _is_short(node.value) for node in ast.walk(limit))


def _is_short(value: object) -> bool:
    return isinstance(value, (int, float)) and value < LEAST


def _is_module(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "time"


def test_no_test_is_in_a_hurry() -> None:
    found = {}
    for path in TESTS.rglob("*.py"):
        name = path.relative_to(TESTS).as_posix()
        if not name.startswith(PROGRAMS) and name not in EXCEPTIONS and path != Path(__file__):
            found[name] = find_hurry(path.read_text())
    assert len(found) > 100
    assert {name: hurry for name, hurry in found.items() if hurry} == {}


def test_a_call_has_a_short_limit_only_where_that_is_meant() -> None:
    found = set()
    for path in TESTS.rglob("*.py"):
        name = path.relative_to(TESTS).as_posix()
        if not name.startswith(PROGRAMS) and path != Path(__file__):
            found |= {(name, limits) for limits in find_short_timeouts(path.read_text())}
    assert found == SHORT_TIMEOUTS.keys()


@pytest.mark.parametrize(
    ("source", "short"),
    [
        ("send(Timeout(connect=PATIENCE_SECONDS, read=5))", ["Timeout(connect=PATIENCE_SECONDS, read=5)"]),
        ("http.Timeout(connect=4, read=PATIENCE_SECONDS)", ["http.Timeout(connect=4, read=PATIENCE_SECONDS)"]),
        ("Timeout(5, 600)", ["Timeout(5, 600)"]),
        ("Timeout(connect=600, read=0.2 + number)", ["Timeout(connect=600, read=0.2 + number)"]),
        ("Timeout(connect=PATIENCE_SECONDS, read=600)", []),
        ("requests.Timeout", []),
        ("send(connect=1)", []),
    ],
)
def test_the_check_sees_limits_of_calls(source: str, short: list[str]) -> None:
    assert find_short_timeouts(source) == short


@pytest.mark.parametrize(
    ("source", "hurry"),
    [
        ("import time\nbegun = time.monotonic()", ["line 2: time.monotonic"]),
        ("import time\ntime.sleep(1)", ["line 2: time.sleep"]),
        ("thread.join(5)", ["line 1: join(5)"]),
        ("queue.get(timeout=10)", ["line 1: get(10)"]),
        ("subprocess.run([], timeout=20.0)", ["line 1: run(20.0)"]),
        ("poll_until('it', done, patience_seconds=2)", ["line 1: poll_until(2)"]),
        ("subprocess.run([], timeout=PATIENCE_SECONDS)", []),
        ("thread.join()", []),
        ("clock.sleep(0.0)", []),
        ("', '.join(names)", []),
        ("table.get('a', 5)", []),
        ("event.wait(timeout=600)", []),
    ],
)
def test_the_check_sees(source: str, hurry: list[str]) -> None:
    assert find_hurry(source) == hurry
