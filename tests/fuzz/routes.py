"""Requests to every route, made by schemathesis of docs/openapi.json, and changed further by our own means.

schemathesis makes good requests and bad ones; each goes to the real handlers over the fakes of AWS and the simulator's
bank, and then again, several times, with something in it changed. DOKU's calls are signed as DOKU does it. What API
Gateway itself does (SigV4, throttling) is not there: tests/e2e has it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from random import Random
from urllib.parse import unquote

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.core import NotSet

from tests.fuzz.readers import Tried
from tests.fuzz.scene import Request, Scene, change
from tests.fuzz.shrink import shrink
from tests.fuzz.state import State
from tests.fuzz.target import Finding
from tests.integration.handlers.conformity import read_document

REQUESTS = 200  # to each operation, for N=1
_CHANGED = 24  # of 25 requests: schemathesis takes longer to make one than the handlers to answer ten
_PER_SCENE = 400  # requests; then everything begins anew


def list_operations() -> list[str]:
    """Return the operations of the document."""
    return [one["operationId"] for path in read_document()["paths"].values() for one in path.values()]


def fuzz_routes(operations: list[str], requests: int, first: int, state: State, jobs: int) -> Iterator[Tried]:
    """Fuzz each operation and yield what it came to, as it ends."""
    with ProcessPoolExecutor(jobs) as pool:
        runs = [pool.submit(fuzz_operation, name, requests, state.next_seed(name, first)) for name in operations]
        for done in as_completed(runs):
            yield done.result()


@dataclass(frozen=True, slots=True)
class _Found:
    """A request that something goes wrong with."""

    request: Request
    error: str


def fuzz_operation(name: str, requests: int, number: int) -> Tried:
    """Send so many requests to an operation; stop at the first that something goes wrong with."""
    chance = Random(f"{name} {number}")  # noqa: S311 - requests have to repeat
    sender = _Sender(chance)
    examples = -(-requests // (2 * (1 + _CHANGED)))
    try:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            _generate(name, mode, examples, number, sender.send)
        found = sender.found
        return Tried(name, sender.sent, None if found is None else _make_small(found, name))
    finally:
        sender.close()


class _Sender:
    """Sends requests, to a new scene every so often, until something goes wrong with one.

    It does not raise: Hypothesis would try the same again, and here it is not the same again.
    """

    def __init__(self, chance: Random) -> None:
        self.sent = 0
        self.found: _Found | None = None
        self._chance = chance
        self._opened = Scene.open()
        self._scene = self._opened.__enter__()

    def send(self, request: Request) -> None:
        """Send a request, and others that it is changed into."""
        if self.found is not None:
            return
        if self.sent and self.sent % _PER_SCENE < 1 + _CHANGED:
            self.close()
            self._opened = Scene.open()
            self._scene = self._opened.__enter__()
        living = self._scene.revive(request, self._chance)
        self._try(request)
        for _ in range(_CHANGED):
            self._try(change(living, self._chance))

    def close(self) -> None:
        """Leave the scene."""
        self._opened.__exit__(None, None, None)

    def _try(self, request: Request) -> None:
        if self.found is not None:
            return
        signed = self._scene.sign(request, self._chance)
        self.sent += 1
        error = _find_error(self._scene, signed)
        if error is not None:
            self.found = _Found(signed, error)


def _find_error(scene: Scene, request: Request) -> str | None:
    try:
        scene.try_request(request)
    except Exception as error:  # noqa: BLE001 - whatever is raised is what is looked for
        return f"{type(error).__name__}: {error}"[:500]
    return None


def _make_small(found: _Found, name: str) -> Finding:
    """Return the finding with the smallest body that shows it in a new scene, if it shows there at all."""

    def fails(body: bytes) -> bool:
        with Scene.open() as scene:
            request = replace(found.request, body=body)
            return _find_error(scene, scene.sign(request, Random(1))) is not None  # noqa: S311 - a seed that signs

    body = found.request.body
    if body is not None and fails(body):
        body = shrink(body, fails, most=150)
    shown = replace(found.request, body=body)
    return Finding(name, repr(shown).encode(), found.error)


def _generate(name: str, mode: GenerationMode, examples: int, number: int, send: Callable[[Request], None]) -> None:
    """Let schemathesis make requests and send each."""
    document = read_document()
    operations = schemathesis.openapi.from_dict(document).get_all_operations()
    operation = next(one for one in (made.ok() for made in operations) if one.definition.raw["operationId"] == name)

    @seed(number)
    @settings(
        max_examples=max(1, examples),
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def search(case: schemathesis.Case) -> None:
        send(_to_request(name, case))

    search()


def _to_request(name: str, case: schemathesis.Case) -> Request:
    return Request(
        operation=name,
        method=case.method.upper(),
        resource=case.path,
        path={key: unquote(value) for key, value in _texts(case.path_parameters).items()},
        query=_texts(case.query),
        headers=_texts(case.headers),
        body=_to_bytes(case),
    )


def _texts(members: Mapping[str, object] | None) -> dict[str, str]:
    return {str(name): value if isinstance(value, str) else str(value) for name, value in (members or {}).items()}


def _to_bytes(case: schemathesis.Case) -> bytes | None:
    if isinstance(case.body, NotSet):
        return None
    if isinstance(case.body, bytes):
        return case.body
    return json.dumps(case.body).encode()
