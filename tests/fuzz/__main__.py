"""`python -m tests.fuzz` (`make fuzz`): readers, signatures and requests, as many as N says; prints what it finds."""

from __future__ import annotations

import argparse
import base64
import sys
import time
from importlib.util import find_spec
from pathlib import Path

from tests.fuzz import openssl, readers
from tests.fuzz.state import State
from tests.fuzz.target import Finding
from tests.fuzz.targets import TARGETS

_SHOWN = 2000  # bytes of an input
_INTERRUPTED = 130


def main() -> int:
    """Return 0 when nothing was found, 1 when something was, 130 when it was interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument(
        "--scale", type=float, default=1, help="N: 20,000 inputs per reader, 200 requests per operation"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the first run; each run after it adds one")
    parser.add_argument("--state", type=Path, default=Path(".local/fuzz"), help="a folder to go on from")
    parser.add_argument("--only", default="", help="what has this in its name")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--replay", metavar="TARGET:BASE64", help="try one input")
    arguments = parser.parse_args()
    if arguments.replay:
        return _replay(*arguments.replay.split(":", 1))
    try:
        return _fuzz(arguments.scale, arguments.seed, State(arguments.state), arguments.only, arguments.jobs)
    except KeyboardInterrupt:
        _say("interrupted; the same command goes on from what was finished")
        return _INTERRUPTED


def _replay(name: str, data: str) -> int:
    TARGETS[name].check(base64.b64decode(data))
    _say("nothing goes wrong")
    return 0


def _fuzz(scale: float, seed: int, state: State, only: str, jobs: int) -> int:
    findings = [
        *_fuzz_readers(scale, seed, state, only, jobs),
        *_compare_signatures(scale, seed, state, only),
        *_fuzz_requests(scale, seed, state, only, jobs),
    ]
    _say("", f"so far, in {state.folder}:")
    for name, count in state:
        _say(f"  {name:36} {count.cases:12,} in {count.runs} runs")
    _say(f"{len(findings)} findings" if findings else "nothing found")
    return 1 if findings else 0


def _fuzz_readers(scale: float, seed: int, state: State, only: str, jobs: int) -> list[Finding]:
    targets = [target for target in TARGETS.values() if only in target.name]
    if targets and not find_spec("atheris"):
        _say("atheris has no wheel for this machine: the inputs are made without guidance")
    findings = []
    begun = time.monotonic()
    for tried in readers.fuzz_readers(targets, round(scale * readers.CASES), seed, state, jobs):
        total = state.add(tried.name, tried.cases)
        seen = "" if tried.covered is None else f", {tried.covered} places of the code seen"
        _say(f"{tried.name:36} {tried.cases:10,} inputs, {total:12,} in all{seen} ({time.monotonic() - begun:.0f} s)")
        if tried.finding is not None:
            findings.append(tried.finding)
            _show(tried.finding)
    return findings


def _compare_signatures(scale: float, seed: int, state: State, only: str) -> list[Finding]:
    if only not in openssl.NAME:
        return []
    try:
        compared = openssl.compare_with_openssl(round(scale * openssl.BODIES), state.next_seed(openssl.NAME, seed))
    except openssl.NoOpenssl as missing:
        _say(f"{openssl.NAME:36} left out: {missing}")
        return []
    total = state.add(openssl.NAME, compared.bodies)
    _say(
        f"{openssl.NAME:36} {compared.bodies:10,} bodies, {total:12,} in all; "
        f"{compared.rsa:,} RSA signatures by {compared.keys:,} keys"
    )
    if compared.finding is None:
        return []
    _show(compared.finding)
    return [compared.finding]


def _fuzz_requests(scale: float, seed: int, state: State, only: str, jobs: int) -> list[Finding]:
    if not find_spec("schemathesis"):
        _say("requests                             left out: schemathesis is in .tools/fuzz, which `make fuzz` builds")
        return []
    from tests.fuzz import routes  # noqa: PLC0415 - .venv has no schemathesis

    operations = [name for name in routes.list_operations() if only in name]
    findings = []
    for tried in routes.fuzz_routes(operations, round(scale * routes.REQUESTS), seed, state, jobs):
        total = state.add(tried.name, tried.cases)
        _say(f"{tried.name:36} {tried.cases:10,} requests, {total:10,} in all")
        if tried.finding is not None:
            findings.append(tried.finding)
            _show(tried.finding)
    return findings


def _show(finding: Finding) -> None:
    _say(f"  FOUND {finding.error}", f"  the smallest input: {finding.data[:_SHOWN]!r}")
    if finding.target in TARGETS:
        _say(f"  again: make fuzz REPLAY={finding.target}:{base64.b64encode(finding.data).decode()}")


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
