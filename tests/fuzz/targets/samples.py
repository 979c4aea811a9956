"""Inputs to begin with: the wire samples and keys of tests/vectors."""

from __future__ import annotations

import json
from pathlib import Path

_VECTORS = Path(__file__).parents[2] / "vectors"
_OPERATIONS = json.loads((_VECTORS / "doku-cimb-samples.json").read_text("utf-8"))["operations"]
KEYS: dict[str, str] = json.loads((_VECTORS / "signature-vectors.json").read_text("utf-8"))["keys"]


def read_bodies(operation: str, part: str) -> list[bytes]:
    """Return the bodies of an operation's samples; `part` is `request` or `response`."""
    return [_dump(sample[part]["body"]) for sample in _OPERATIONS[operation]["samples"] if "body" in sample[part]]


def read_answers(operation: str) -> list[bytes]:
    """Return the answers of an operation's samples, as the targets take them: status, line break, body."""
    return [
        f"{sample['response'].get('httpStatus', sample['response'].get('status', 200))}\n".encode()
        + _dump(sample["response"]["body"])
        for sample in _OPERATIONS[operation]["samples"]
        if "body" in sample["response"]
    ]


def _dump(body: object) -> bytes:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
