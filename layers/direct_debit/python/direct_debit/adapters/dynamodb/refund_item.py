"""A refund as the `refund...` attributes of its payment's item: flat, so that attributes of newer code survive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from direct_debit.adapters.dynamodb.evidence_item import read_evidence, write_evidence
from direct_debit.adapters.dynamodb.items import (
    flag,
    instant,
    number,
    read_choice,
    read_flag,
    read_instant,
    read_instant_or_none,
    read_number,
    read_text,
    read_text_or_none,
    text,
)
from direct_debit.domain.refund import Refund, RefundState

if TYPE_CHECKING:
    from direct_debit.adapters.dynamodb.items import AttributeValue, Item


def write_refund(refund: Refund) -> dict[str, AttributeValue]:
    """Return the attributes of a refund."""
    attributes = {
        "refundNumber": text(refund.number),
        "refundReason": text(refund.reason),
        "refundRequestHash": text(refund.request_hash),
        "refundState": text(refund.state.value),
        "refundRequestedAt": instant(refund.requested_at),
        "refundAttempts": number(refund.attempts),
        "refundAutomatic": flag(refund.automatic),
        **write_evidence(refund.evidence, "refundEvidence"),
    }
    for name, value in (
        ("refundReasonSealed", refund.sealed_reason),
        ("refundAttempt", refund.attempt),
        ("refundExternalId", refund.external_id),
        ("refundNo", refund.refund_no),
        ("refundResponseCode", refund.response_code),
        ("refundRequestedBy", refund.requested_by),
    ):
        if value is not None:
            attributes[name] = text(value)
    for name, moment in (
        ("refundSentAt", refund.sent_at),
        ("refundDueAt", refund.due_at),
        ("refundRefundedAt", refund.refunded_at),
    ):
        if moment is not None:
            attributes[name] = instant(moment)
    return attributes


def read_refund(item: Item) -> Refund | None:
    """Return the refund of a payment's item; None when there is none. Raises MalformedItem."""
    if "refundNumber" not in item:
        return None
    return Refund(
        number=read_text(item, "refundNumber"),
        reason=read_text(item, "refundReason"),
        sealed_reason=read_text_or_none(item, "refundReasonSealed"),
        request_hash=read_text(item, "refundRequestHash"),
        state=read_choice(item, "refundState", RefundState),
        requested_at=read_instant(item, "refundRequestedAt"),
        requested_by=read_text_or_none(item, "refundRequestedBy"),
        attempt=read_text_or_none(item, "refundAttempt"),
        attempts=read_number(item, "refundAttempts", 0),
        external_id=read_text_or_none(item, "refundExternalId"),
        sent_at=read_instant_or_none(item, "refundSentAt"),
        due_at=read_instant_or_none(item, "refundDueAt"),
        refund_no=read_text_or_none(item, "refundNo"),
        refunded_at=read_instant_or_none(item, "refundRefundedAt"),
        response_code=read_text_or_none(item, "refundResponseCode"),
        automatic=read_flag(item, "refundAutomatic"),
        evidence=read_evidence(item, "refundEvidence"),
    )
