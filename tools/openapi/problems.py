"""What is told of each problem, by docs/errors.md and by the pages that its `type` opens."""

import json
from collections.abc import Mapping

from tools.openapi.recorded import find_problem

# The class of the error that a plain command gets.
CATCH_NAMES: Mapping[str, str] = {
    "malformed-request": "InvalidRequest",
    "missing-field": "InvalidRequest",
    "body-too-large": "InvalidRequest",
    "invalid-field": "InvalidRequest",
    "unknown-field": "InvalidRequest",
    "not-found": "NotFound",
    "conflict": "Conflict",
    "rejected": "Rejected",
    "customer-action-required": "CustomerActionRequired",
    "otp-wrong": "CustomerActionRequired",
    "otp-expired": "Rejected",
    "otp-blocked": "Rejected",
    "otp-not-awaited": "CustomerActionRequired",
    "relink-required": "RelinkRequired",
    "not-done": "NotDone",
    "circuit-open": "CircuitOpen",
    "not-configured": "NotDone",
    "store-unavailable": "StoreUnavailable",
    "record-unreadable": "StoreUnavailable",
    "internal-error": "InternalError",
}


def show_example(slug: str) -> str:
    """Return how an answer with this problem looked, as it goes over the wire, with lines broken."""
    recorded, _ = find_problem("make_payment", slug)
    headers = [f"{name}: {value}" for name, value in recorded.headers.items()]
    head = [f"HTTP/1.1 {recorded.status}", "Content-Type: application/problem+json", *headers]
    return "\n".join([*head, "", json.dumps(recorded.body, indent=2, ensure_ascii=False)])
