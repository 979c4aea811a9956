"""How DOKU may write one and the same notification (contract 12.1-12.3): other looks, same facts, a true signature."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tools.doku_simulator.signing import body_hash, transaction_signature

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tools.doku_simulator.notifications import SignedRequest

_DIGITS = re.compile(r'"(value|originalExternalId|originalReferenceNo)":"([1-9][0-9]*(?:\.[0-9]+)?)"')


@dataclass(frozen=True, slots=True)
class Draft:
    """A notification that is being written. `signed` is the body over which it is signed, where that is another."""

    content: Mapping[str, object]
    body: str
    timestamp: str
    external_id: str
    scheme: str = "Bearer"
    query: str = ""
    signed: str | None = None


def _write(draft: Draft, content: Mapping[str, object]) -> Draft:
    return replace(draft, content=content, body=json.dumps(content, separators=(",", ":"), ensure_ascii=False))


def _with_amount(draft: Draft, spell: Callable[[str], str]) -> Draft:
    amount = draft.content.get("amount")
    if not isinstance(amount, dict):
        return draft
    return replace(draft, body=draft.body.replace(f'"{amount["value"]}"', spell(str(amount["value"]))))


def _with_numbers(draft: Draft) -> Draft:
    """Names that are all digits, and amounts, without quotation marks."""
    return replace(draft, body=_DIGITS.sub(r'"\1":\2', draft.body))


def _without_external_id(draft: Draft) -> Draft:
    """Only a binding notification needs it."""
    if "latestTransactionStatus" not in draft.content:
        return draft
    return _write(draft, {name: value for name, value in draft.content.items() if name != "originalExternalId"})


def _with_account_status(draft: Draft) -> Draft:
    additional = draft.content.get("additionalInfo")
    if not isinstance(additional, dict) or "status" not in additional:
        return draft
    renamed = {"accountStatus" if name == "status" else name: value for name, value in additional.items()}
    renamed["accountStatus"] = str(renamed["accountStatus"]).lower()
    return _write(draft, {**draft.content, "additionalInfo": renamed})


def _with_url(draft: Draft, escape: Callable[[str], str]) -> Draft:
    """A new field, in which what was hashed was escaped (PHP, Gson)."""
    plain = _write(draft, {**draft.content, "newField": "https://doku.example/?a=1&b='<>'"})
    return replace(plain, signed=escape(plain.body))


def _as_html(text: str) -> str:
    return "".join(f"\\u{ord(character):04x}" if character in "<>&='" else character for character in text)


LOOKS: Mapping[str, Callable[[Draft], Draft]] = {
    "milliseconds": lambda draft: replace(draft, timestamp=draft.timestamp.replace("Z", ".000Z")),
    "an offset without colon": lambda draft: replace(draft, timestamp=draft.timestamp.replace("Z", "-0000")),
    "an amount as a number": lambda draft: _with_amount(draft, lambda value: value),
    "an amount with an exponent": lambda draft: _with_amount(draft, lambda value: f'"{value.replace(".", "")}E-2"'),
    "numbers for texts": _with_numbers,
    "no external id in the body": _without_external_id,
    "accountStatus in lower case": _with_account_status,
    "an external id with letters": lambda draft: replace(draft, external_id=f"id-{draft.external_id}"[:36]),
    "another case of the scheme": lambda draft: replace(draft, scheme="BEARER"),
    "a query that is signed": lambda draft: replace(draft, query="?source=doku"),
    "blanks that were not signed": lambda draft: replace(draft, signed=draft.body, body=draft.body.replace(",", ", ")),
    "escaped slashes that were signed": lambda draft: _with_url(draft, lambda text: text.replace("/", r"\/")),
    "escaped HTML that was signed": lambda draft: _with_url(draft, _as_html),
}


def dress(request: SignedRequest, secret_key: str) -> tuple[SignedRequest, str | None]:
    """Return the notification in one of DOKU's looks, signed again, and the look's name; every second stays as it is.

    The look follows from what is written, so that no draw of the plan is used up.
    """
    chosen = hashlib.sha256(request.body + request.headers["X-TIMESTAMP"].encode()).digest()[0]
    name = None if chosen % 2 else list(LOOKS)[chosen // 2 % len(LOOKS)]
    if name is None:
        return request, None
    plain = Draft(
        content=json.loads(request.body),
        body=request.body.decode(),
        timestamp=request.headers["X-TIMESTAMP"],
        external_id=request.headers["X-EXTERNAL-ID"],
    )
    draft = LOOKS[name](plain)
    if draft == plain:
        return request, None
    token = request.headers["Authorization"].removeprefix("Bearer ")
    path = request.path + draft.query
    signature = transaction_signature(
        secret_key.encode(),
        method="POST",
        path=path,
        token=token,
        hashed_body=body_hash((draft.signed or draft.body).encode()),
        timestamp=draft.timestamp,
    )
    headers = request.headers | {
        "Authorization": f"{draft.scheme} {token}",
        "X-TIMESTAMP": draft.timestamp,
        "X-EXTERNAL-ID": draft.external_id,
        "X-SIGNATURE": signature,
    }
    return replace(request, path=path, headers=headers, body=draft.body.encode()), name
