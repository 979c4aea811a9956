"""What is fuzzed: a reader of foreign bytes, what it promises for all of them, and inputs to begin with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

CANARY = "CANARY7Q"
"""Stands in the seeds for what is secret or personal: it may be in no error, log line or repr."""


class Broken(AssertionError):
    """A promise was broken."""


@dataclass(frozen=True, slots=True)
class Target:
    """A reader under test. `check` tries it on any bytes; whatever it raises is a finding."""

    name: str
    promise: str
    check: Callable[[bytes], None]
    seeds: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Finding:
    """An input that breaks a promise, as small as it could be made."""

    target: str
    data: bytes
    error: str


def require(held: bool, promise: str) -> None:
    """Raise Broken, naming the promise, unless it held."""
    if not held:
        raise Broken(promise)


def keep_secret(texts: Iterable[str]) -> None:
    """Raise Broken if a canary shows."""
    for text in texts:
        require(CANARY not in text, "a secret or personal value shows in a text for people")


def find_fault(target: Target, data: bytes) -> str | None:
    """Return what goes wrong with an input; None if nothing does."""
    try:
        target.check(data)
    except Exception as error:  # noqa: BLE001 - whatever is raised is what is looked for
        return f"{type(error).__name__}: {error}"[:500]
    return None
