"""A binding as an item of the bindings table, and back; the stream's consumer reads its images with this too."""

from __future__ import annotations

from datetime import datetime, timedelta
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
    read_text_map,
    read_text_or_none,
    read_text_set,
    text,
    text_map,
)
from direct_debit.adapters.dynamodb.keys import REVIEW_KIND, binding_key, day_shard, due_shard, is_of_kind
from direct_debit.adapters.dynamodb.move_item import TELL_BY, UNTOLD, read_moves, write_moves
from direct_debit.domain.binding import Binding, BindingState, SealedTokens
from direct_debit.domain.evidence import EvidenceSource
from direct_debit.domain.values import DayCount

if TYPE_CHECKING:
    from direct_debit.adapters.dynamodb.items import AttributeValue, Item

BINDING_KIND = "binding"
OPEN_PAYMENTS = "openPayments"
CHARGES = "charges"
UNLINKINGS = "unlinkings"
PAGES = "pages"
_NEVER = DayCount()
ASKED_AT_LEAST = timedelta(days=1)  # after its lease, before a link is given up without DOKU's word


def write_binding(binding: Binding) -> dict[str, AttributeValue]:
    """Return the whole item of a binding but for `openPayments` and `charges`, which only their own updates touch.

    What is None has no attribute. `ownDueAt` is the due time and `tellBy` its news'; the index key `dueAt` is the
    earlier, or since when it waits for a person.
    """
    item: dict[str, AttributeValue] = {
        **binding_key(binding.id),
        "kind": text(BINDING_KIND),
        "id": text(binding.id),
        "customerId": text(binding.customer_id),
        "account": text(binding.account),
        "phoneHint": text(binding.phone_hint),
        "successUrl": text(binding.success_url),
        "failedUrl": text(binding.failed_url),
        "requestHash": text(binding.request_hash),
        "returnStateHash": text(binding.return_state_hash),
        "state": text(binding.state.value),
        "version": number(binding.version),
        "createdAt": instant(binding.created_at),
        "day": text(day_shard(binding.created_at, binding.id)),
        "updatedAt": instant(binding.updated_at),
        "leaseUntil": instant(binding.lease_until),
        "externalId": text(binding.external_id),
        "metadata": text_map(binding.metadata),
        "unbindUnclear": flag(binding.unbind_unclear),
        "otpAttempts": number(binding.otp_attempts),
        **_write_pages(binding),
        **write_count(PAGES, binding.pages),
        **write_count(UNLINKINGS, binding.unlinkings),
        **write_evidence(binding.evidence, "evidence"),
    }
    for name, value in (
        ("redirectUrl", binding.redirect_url),
        ("authCode", binding.auth_code),
        ("attempt", binding.attempt),
        ("unbindExternalId", binding.unbind_external_id),
        ("unbindRequestedBy", binding.unbind_requested_by),
        ("unbindRedirectUrl", binding.unbind_redirect_url),
        ("responseCode", binding.response_code),
        ("taskToken", binding.task_token),
    ):
        if value is not None:
            item[name] = text(value)
    if binding.untold:
        item[UNTOLD] = write_moves(binding.untold)
    dues = [due for due in (binding.due_at, binding.tell_by) if due is not None]
    for name, moment in (
        ("attemptUntil", binding.attempt_until),
        ("tokenLeaseUntil", binding.token_lease_until),
        ("unbindRequestedAt", binding.unbind_requested_at),
        ("ownDueAt", binding.due_at),
        (TELL_BY, binding.tell_by),
        ("dueAt", min(dues, default=None)),
    ):
        if moment is not None:
            item[name] = instant(moment)
    if binding.tokens is not None:
        item.update(_write_tokens(binding.tokens))
    given_up_at = was_given_up_at(binding)
    if dues:
        item["dueShard"] = text(due_shard(BINDING_KIND, binding.id))
    elif given_up_at is not None:
        item["dueAt"] = instant(given_up_at)
        item["dueShard"] = text(due_shard(REVIEW_KIND, binding.id))
    return item


def was_given_up_at(binding: Binding) -> datetime | None:
    """When a link was ended of which DOKU had not said for a day what became of it; None for any other end."""
    by_schedule = binding.state is BindingState.FAILED and binding.evidence.source is EvidenceSource.SCHEDULE
    asked_on = binding.evidence.at - binding.lease_until
    return binding.evidence.at if by_schedule and asked_on >= ASKED_AT_LEAST else None


def read_binding(item: Item) -> Binding:
    """Return the binding of an item. Raises MalformedItem, also for a state that this code does not know."""
    return Binding(
        id=read_text(item, "id"),
        customer_id=read_text(item, "customerId"),
        account=read_text(item, "account"),
        phone_hint=read_text(item, "phoneHint"),
        success_url=read_text(item, "successUrl"),
        failed_url=read_text(item, "failedUrl"),
        request_hash=read_text(item, "requestHash"),
        return_state_hash=read_text(item, "returnStateHash"),
        state=read_choice(item, "state", BindingState),
        version=read_number(item, "version"),
        created_at=read_instant(item, "createdAt"),
        updated_at=read_instant(item, "updatedAt"),
        lease_until=read_instant(item, "leaseUntil"),
        external_id=read_text(item, "externalId"),
        metadata=read_text_map(item, "metadata"),
        redirect_url=read_text_or_none(item, "redirectUrl"),
        auth_code=read_text_or_none(item, "authCode"),
        page_ended=read_flag(item, "pageEnded"),
        earlier_pages=read_text_map(item, "earlierPages") if "earlierPages" in item else {},
        tokens=_read_tokens(item),
        attempt=read_text_or_none(item, "attempt"),
        attempt_until=read_instant_or_none(item, "attemptUntil"),
        unbind_external_id=read_text_or_none(item, "unbindExternalId"),
        unbind_requested_at=read_instant_or_none(item, "unbindRequestedAt"),
        unbind_requested_by=read_text_or_none(item, "unbindRequestedBy"),
        unbind_redirect_url=read_text_or_none(item, "unbindRedirectUrl"),
        unbind_unclear=read_flag(item, "unbindUnclear"),
        otp_attempts=read_number(item, "otpAttempts", 0),
        token_lease_until=read_instant_or_none(item, "tokenLeaseUntil"),
        response_code=read_text_or_none(item, "responseCode"),
        due_at=_read_due(item),
        untold=read_moves(item, BindingState),
        tell_by=read_instant_or_none(item, TELL_BY),
        open_payments=read_text_set(item, OPEN_PAYMENTS),
        charges=read_count(item, CHARGES),
        pages=read_count(item, PAGES),
        unlinkings=read_count(item, UNLINKINGS),
        evidence=read_evidence(item, "evidence"),
        task_token=read_text_or_none(item, "taskToken"),
    )


def _read_due(item: Item) -> datetime | None:
    """Older code wrote the due time as the index key alone; that of a link which waits for a person is none."""
    if "ownDueAt" in item or TELL_BY in item or is_of_kind(read_text_or_none(item, "dueShard"), REVIEW_KIND):
        return read_instant_or_none(item, "ownDueAt")
    return read_instant_or_none(item, "dueAt")


def _write_pages(binding: Binding) -> dict[str, AttributeValue]:
    attributes: dict[str, AttributeValue] = {}
    if binding.page_ended:
        attributes["pageEnded"] = flag(binding.page_ended)
    if binding.earlier_pages:
        attributes["earlierPages"] = text_map(binding.earlier_pages)
    return attributes


def write_count(name: str, count: DayCount) -> dict[str, AttributeValue]:
    """Return a count of a day; none where nothing was counted."""
    return {name: number(count.count), name + "Day": text(count.day)} if count.count else {}


def read_count(item: Item, name: str) -> DayCount:
    """Return a count of a day. Raises MalformedItem."""
    return DayCount(read_text(item, name + "Day"), read_number(item, name)) if name in item else _NEVER


def _write_tokens(tokens: SealedTokens) -> dict[str, AttributeValue]:
    attributes = {"accessToken": text(tokens.access_token)}
    if tokens.access_expires_at is not None:
        attributes["accessExpiresAt"] = instant(tokens.access_expires_at)
    if tokens.refresh_token is not None:
        attributes["refreshToken"] = text(tokens.refresh_token)
    if tokens.refresh_expires_at is not None:
        attributes["refreshExpiresAt"] = instant(tokens.refresh_expires_at)
    return attributes


def _read_tokens(item: Item) -> SealedTokens | None:
    if "accessToken" not in item:
        return None
    return SealedTokens(
        access_token=read_text(item, "accessToken"),
        access_expires_at=read_instant_or_none(item, "accessExpiresAt"),
        refresh_token=read_text_or_none(item, "refreshToken"),
        refresh_expires_at=read_instant_or_none(item, "refreshExpiresAt"),
    )
