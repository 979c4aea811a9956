"""The recorded answers of the handlers, as examples: what tests/integration/handlers/recordings.py wrote."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tools.openapi.json_values import Json, as_object

FILE = Path(__file__).parent / "recordings.json"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One answer: its case's name, its status, and what it showed. `body` is None for an answer without one."""

    case: str
    status: int
    summary: str
    body: object
    headers: Mapping[str, str]

    def example(self) -> Json:
        """Return it as one of `examples`."""
        named: Json = {"summary": self.summary} if self.summary else {}
        return {**named, "value": self.body}


@cache
def read_recordings() -> Mapping[str, tuple[Recorded, ...]]:
    """Return all recorded answers, by operation."""
    document: Json = json.loads(FILE.read_text("utf-8"))
    return {
        operation: tuple(_read(case, as_object(entry)) for case, entry in as_object(cases).items())
        for operation, cases in document.items()
    }


def find_answers(operation: str, status: int) -> tuple[Recorded, ...]:
    """Return what an operation answered with a status."""
    return tuple(one for one in read_recordings().get(operation, ()) if one.status == status)


def find_problem(operation: str, slug: str) -> tuple[Recorded, bool]:
    """Return how a problem looked, and whether it was this operation that answered it.

    Raises LookupError where no operation did.
    """
    everywhere = read_recordings()
    for own, answers in ((True, everywhere.get(operation, ())), *((False, cases) for cases in everywhere.values())):
        for one in answers:
            if one.case == slug:
                return one, own
    raise LookupError(f"tests/integration/handlers/recordings.py: record an answer that is {slug}")


def _read(case: str, entry: Json) -> Recorded:
    headers = {name: str(value) for name, value in as_object(entry.get("headers", {})).items()}
    return Recorded(case, int(str(entry["status"])), str(entry["summary"]), entry.get("body"), headers)
