"""How a call is carried out, without a network: which request goes out next, how long to pause, what it ends with.

Written once for both clients: a generator that asks for one step after the other, and is given what became of it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from itertools import count
from typing import TypeAlias, TypeVar

from pydantic import ValidationError

from direct_debit_client.calls import Call, NoReply, Reply, V
from direct_debit_client.errors import AnswerLost, Conflict, DirectDebitError, UnexpectedAnswer
from direct_debit_client.models import View
from direct_debit_client.problems import find_slug_of, read_problem, read_retry_after
from direct_debit_client.retries import MAYBE_DONE, RetryPolicy, Try, decide_retry

T = TypeVar("T")


@dataclass(frozen=True)
class Send:
    """Send this, once; the answer is a Reply or NoReply."""

    call: Call[View]


@dataclass(frozen=True)
class Pause:
    """Wait so many seconds; the answer is None."""

    seconds: float


Steps: TypeAlias = Generator[Send | Pause, Reply | NoReply | None, T]

_OK, _REDIRECTS = 200, 300
_NO_ANSWER = frozenset({502, 504})  # what gateways say when they got none


def exchange(call: Call[V], policy: RetryPolicy, chance: Callable[[], float]) -> Steps[V]:
    """Carry out a call, with repeats; return what was answered.

    Raises ProblemError (its classes say what to do), AnswerLost, UnexpectedAnswer; `maybe_done` is True where any try
    may have been carried out.
    """
    maybe_done = False
    for number in count(1):
        reply = yield Send(call)
        last = _judge(number, reply)
        maybe_done = maybe_done or _is_maybe_done(reply)
        if isinstance(reply, Reply) and _OK <= reply.status < _REDIRECTS:
            return _read(call, reply)
        wait = decide_retry(policy, last, chance())
        if wait is not None:
            yield Pause(wait)
            continue
        error = _make_error(call, reply, number)
        if isinstance(error, Conflict) and maybe_done and call.settled_by is not None:
            record = yield from exchange(call.settled_by.read, policy, chance)
            if getattr(record, "state", None) != call.settled_by.unless:
                return record  # the first request went through; its answer was lost
        error.maybe_done = maybe_done or error.maybe_done
        error.idempotency_key = call.idempotency_key
        raise error
    raise AssertionError("unreachable")


def _judge(number: int, reply: Reply | NoReply | None) -> Try:
    if not isinstance(reply, Reply):
        return Try(number, None)
    slug = find_slug_of(reply) if reply.status >= _REDIRECTS else None
    return Try(number, reply.status, read_retry_after(reply), slug)


def _is_maybe_done(reply: Reply | NoReply | None) -> bool:
    return reply.status in MAYBE_DONE if isinstance(reply, Reply) else reply is not None and reply.sent


def _read(call: Call[V], reply: Reply) -> V:
    try:
        return call.answer.model_validate_json(reply.content)
    except ValidationError as error:
        wrong = UnexpectedAnswer(f"{call.method} {call.path}: HTTP {reply.status} with a body that is not the API's")
        wrong.maybe_done = call.method != "GET"
        wrong.idempotency_key = call.idempotency_key
        raise wrong from error


def _make_error(call: Call[View], reply: Reply | NoReply | None, tries: int) -> DirectDebitError:
    what = f"{call.method} {call.path}"
    if isinstance(reply, Reply):
        if reply.status in _NO_ANSWER:
            return AnswerLost(f"{what}: no answer in time (HTTP {reply.status}), at {tries} tries")
        if reply.status < _REDIRECTS or reply.status // 100 == 3:  # noqa: PLR2004 - redirects
            return UnexpectedAnswer(f"{what}: HTTP {reply.status}; is the base URL right?")
        return read_problem(reply)
    lost = AnswerLost(f"{what}: no answer, at {tries} tries")
    lost.__cause__ = reply.cause if reply is not None else None
    return lost
