"""One call of the API, and what became of it: plain values, no network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import quote

from pydantic_core import to_json

from direct_debit_client.models import OpenEnum, View

V = TypeVar("V", bound=View)
V_co = TypeVar("V_co", bound=View, covariant=True)


@dataclass(frozen=True)
class Call(Generic[V_co]):
    """One call, the same at each try. `settled_by`: where to look when its answer was lost and a repeat is refused."""

    method: str
    path: str
    answer: type[V_co]
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, object] | None = field(default=None, repr=False)
    idempotency_key: str | None = None
    settled_by: SettledBy[V_co] | None = None

    @property
    def content(self) -> bytes | None:
        """The body's bytes, the same at each try."""
        return None if self.body is None else to_json(self.body)


@dataclass(frozen=True)
class SettledBy(Generic[V_co]):
    """A code is taken once: its repeat is refused although it went through. The record that is read tells.

    `unless`: the state in which the code is still awaited, so that the refusal stands.
    """

    read: Call[V_co]
    unless: OpenEnum


@dataclass(frozen=True)
class Reply:
    """What the API answered. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class NoReply:
    """No answer came. `sent`: the request may have arrived."""

    sent: bool
    cause: Exception


def fill(template: str, *segments: str) -> str:
    """Return a path with its parameters filled in, in order. Raises ValueError for an empty or dotted one."""
    for segment in segments:
        if segment in ("", ".", ".."):
            raise ValueError("an identifier in a path can not be empty, nor . or ..")
        begin, end = template.index("{"), template.index("}")
        template = template[:begin] + quote(segment, safe="") + template[end + 1 :]
    return template
