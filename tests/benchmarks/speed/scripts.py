"""The floor's scripts, made from the recording of what a function did: one for each of its invocations."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from direct_debit.adapters.credentials import FixedCredentials
from direct_debit.adapters.dynamodb.keys import record_id
from direct_debit.adapters.ids import SystemIds
from direct_debit.adapters.vault import AesGcmVault
from direct_debit.application.calls.obtain_b2b_token import OWNER
from direct_debit.application.ports.vault import SealedField, UnsealFailed
from tests.benchmarks.speed.events import Event
from tests.benchmarks.speed.recording import Call
from tests.benchmarks.speed.runs import Report
from tests.benchmarks.speed.secret import CONTENT

type Script = Mapping[str, Any]

_SERVICES = {
    "DynamoDB_20120810": ("dynamodb", "application/x-amz-json-1.0"),
    "secretsmanager": ("secretsmanager", "application/x-amz-json-1.1"),
    "AmazonSQS": ("sqs", "application/x-amz-json-1.0"),
    "AWSEvents": ("events", "application/x-amz-json-1.1"),
    "AWSStepFunctions": ("states", "application/x-amz-json-1.0"),
}
_VERIFIES = {
    "AuthoriseCall": "access token",
    "IssueToken": "token",
    "ReceivePaymentNotification": "notification",
    "ReceiveBindingNotification": "notification",
}
_SEALED = re.compile(rf"2\.{CONTENT.active_token_key}\.[A-Za-z0-9_-]{{16}}\.[A-Za-z0-9_-]+")
_OPENED = frozenset({"accessToken", "token", "body"})  # sealed attributes that whoever reads their item opens
_VAULT = AesGcmVault(FixedCredentials(CONTENT), SystemIds())


def write_scripts(function: str, events: Sequence[Event], report: Report, calls: Sequence[Call]) -> list[Script]:
    """Return one script for each invocation: its event, its calls (by their times), its answer."""
    ends = [*report.began[1:], float("inf")]
    groups: list[list[tuple[int, Call]]] = [[] for _ in events]
    for number, call in enumerate(calls):
        groups[next(n for n, end in enumerate(ends) if call.at < end)].append((number, call))
    opens = any(call.letter == "S" for call in calls)  # whoever never reads the secret can open nothing
    return [
        {
            "event": event,
            "calls": list(_write_calls(group)),
            "opens": list(_find_opened(group)) if opens else [],
            "verifies": _VERIFIES.get(function),
            "answer": answer,
            "answer_body": _read_body(answer),
        }
        for event, group, answer in zip(events, groups, report.answers, strict=True)
    ]


def _read_body(answer: Mapping[str, Any]) -> object:
    """Return what the floor writes as JSON; a page is handed out as it is."""
    is_page = answer.get("headers", {}).get("Content-Type", "").startswith("text/html")
    return json.loads(answer["body"]) if answer.get("body") and not is_page else None


def _write_calls(calls: Sequence[tuple[int, Call]]) -> Iterator[dict[str, Any]]:
    known: set[str] = set()  # sealed texts that are only handed on
    for number, call in calls:
        body, answer = json.loads(call.body), json.loads(call.answer)
        owners = [OWNER, *_record_ids(body), *_record_ids(answer)]
        written = {sealed for _, sealed in _sealed(body)}
        read = list(_sealed(answer))
        yield {
            **_address(call),
            "target": call.target,
            "body": body,
            "replay": str(number),
            "seals": [_open(sealed, owners) for sealed in written - known],
        }
        known |= written | {sealed for _, sealed in read}


def _find_opened(calls: Sequence[tuple[int, Call]]) -> Iterator[tuple[str, str]]:
    """The sealed texts that an invocation has read and opens, with what they are bound to."""
    for _, call in calls:
        answer = json.loads(call.answer)
        owners = [OWNER, *_record_ids(json.loads(call.body)), *_record_ids(answer)]
        for name, sealed in _sealed(answer):
            if name in _OPENED:
                yield sealed, _open(sealed, owners)[1]


def _address(call: Call) -> dict[str, Any]:
    if call.side == "aws":
        service, content_type = _SERVICES[call.target.partition(".")[0]]
        return {"service": service, "content_type": content_type}
    if call.side == "merchant":
        return {"service": "merchant", "headers": call.headers}
    bearer = call.headers.get("authorization")
    headers = {name: value for name, value in call.headers.items() if name != "authorization"}
    return {"service": "doku", "headers": headers, "token": bearer and bearer.removeprefix("Bearer ")}


def _open(sealed: str, owners: Sequence[str]) -> tuple[str, str]:
    """Return the text and what it is bound to. Raises ValueError when it is nobody's of these."""
    for field, owner in product(SealedField, owners):
        try:
            return _VAULT.unseal(sealed, field, owner), f"2|{field}|{owner}"
        except UnsealFailed:
            continue
    raise ValueError("a sealed text of an unknown owner")


def _sealed(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Find the sealed texts in a body, with the names of their attributes."""
    if isinstance(value, str) and _SEALED.fullmatch(value):
        yield name, value
    elif isinstance(value, dict):
        for key, member in value.items():
            yield from _sealed(member, name if key == "S" else key)
    elif isinstance(value, list):
        for member in value:
            yield from _sealed(member, name)


def _record_ids(value: object) -> Iterator[str]:
    """Find the ids of the records that a body names."""
    if isinstance(value, dict):
        for key, member in value.items():
            if key == "pk":
                yield record_id(member["S"])
            else:
                yield from _record_ids(member)
    elif isinstance(value, list):
        for member in value:
            yield from _record_ids(member)
