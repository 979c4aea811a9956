"""Records without their customer: what remains of an item when somebody is forgotten (decision 0051).

What remains is listed, and all else goes: an attribute that a later release adds is removed until somebody lists it.
Money stays as it was: amounts, references, states, times, DOKU's codes. docs/data-map.md says the same, attribute by
attribute, and a test compares both.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from direct_debit.adapters.dynamodb.changes import WRITE_ID
from direct_debit.adapters.dynamodb.items import MalformedItem, number, read_number, read_text, text

if TYPE_CHECKING:
    from direct_debit.adapters.dynamodb.items import AttributeValue, Item

_KEYS = frozenset({"pk", "sk", "kind"})
_EVIDENCE = frozenset({"evidenceSource", "evidenceAt", "evidenceCode"})
_FILED = frozenset({"day", "dueAt", "dueShard"})

PAYMENT_REMAINS = (
    _KEYS
    | _EVIDENCE
    | _FILED
    | {"bindingId", "amount", "state", "createdAt", "updatedAt", "externalId", "attempt", "sentAt"}
    | {"dokuReference", "responseCode", "failureReason", "failureCode", "review", "reversedAt", "reviewClosedAt"}
    | {"released", "reposted", "lateSuccess", "otpAccepted", "otpUnclear", "otpAttempts"}
    | {"notFoundCount", "notFoundSince", "lastInquiryAt"}
    | {"refundNumber", "refundState", "refundRequestedAt", "refundAttempt", "refundAttempts", "refundAutomatic"}
    | {"refundExternalId", "refundSentAt", "refundNo", "refundRefundedAt", "refundResponseCode"}
    | {"refundEvidenceSource", "refundEvidenceAt", "refundEvidenceCode", "refundRequestedBy"}
)
"""Attributes of a payment that stay as they are; `version` counts the change."""

BINDING_REMAINS = (
    _KEYS
    | _EVIDENCE
    | _FILED
    | {"id", "state", "createdAt", "updatedAt", "leaseUntil", "externalId", "responseCode"}
    | {"unbindExternalId", "unbindRequestedAt", "unbindUnclear", "unbindRequestedBy", "otpAttempts"}
)
"""Attributes of a link that stay as they are; `version` counts the change."""

STEP_REMAINS = (
    _KEYS
    | {WRITE_ID, "version", "at", "state", "refundState", "source", "reason", "code", "responseCode"}
    | {"requestedBy"}
)
"""Attributes of a payment's step that stay as they are."""

# Readers, also those of the release before, take no record without these.
PAYMENT_EMPTIED = frozenset({"remarks", "successUrl", "failedUrl", "requestHash"})
REFUND_EMPTIED = frozenset({"refundReason", "refundRequestHash"})
BINDING_EMPTIED = frozenset({"account", "phoneHint", "successUrl", "failedUrl", "requestHash", "returnStateHash"})

# DOKU's codes are its own texts: what does not look like a code may be anything.
_CODES = frozenset(
    {"code", "responseCode", "failureCode", "evidenceCode", "refundResponseCode", "refundEvidenceCode"},
)
_CODE = re.compile(r"[A-Za-z0-9_]{1,16}")


def forget_payment(item: Item, token: str, write_id: str) -> Item:
    """Return a payment's item with `token` in the place of its customer. Raises MalformedItem."""
    emptied = PAYMENT_EMPTIED | (REFUND_EMPTIED if "refundNumber" in item else frozenset())
    return _forget(item, PAYMENT_REMAINS, emptied, token, write_id)


def forget_binding(item: Item, token: str, write_id: str) -> Item:
    """Return a link's item with `token` in the place of its customer. Raises MalformedItem."""
    return _forget(item, BINDING_REMAINS, BINDING_EMPTIED, token, write_id)


def forget_step(item: Item) -> Item:
    """Return a step's item with nothing but what it is known to need."""
    return _keep(item, STEP_REMAINS)


def forget_event(item: Item, token: str) -> Item:
    """Return a kept event of a link with `token` in the place of its customer. Raises MalformedItem."""
    try:
        detail = json.loads(read_text(item, "detail"))
    except ValueError:
        raise MalformedItem("detail is no JSON") from None
    if not isinstance(detail, dict):
        raise MalformedItem("detail is no object")
    return {**item, "detail": text(json.dumps({**detail, "customerId": token}, separators=(",", ":")))}


def _forget(item: Item, remains: frozenset[str], emptied: frozenset[str], token: str, write_id: str) -> Item:
    return {
        **_keep(item, remains),
        **{name: text("") for name in emptied},
        "customerId": text(token),
        "version": number(read_number(item, "version") + 1),
        WRITE_ID: text(write_id),
    }


def _keep(item: Item, remains: frozenset[str]) -> dict[str, AttributeValue]:
    return {name: value for name, value in item.items() if name in remains and _is_fit(name, value)}


def _is_fit(name: str, value: AttributeValue) -> bool:
    return name not in _CODES or _CODE.fullmatch(value.get("S", "")) is not None
