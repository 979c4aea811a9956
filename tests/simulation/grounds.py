"""What moves rest on: each move that DOKU's word made, against the word that its writer had heard.

The ledger shows late, or never, that an answer was misread: a later truth repairs it. These look at the moment itself.
"""

from __future__ import annotations

import json
from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, TypedDict, cast

from direct_debit.adapters.dynamodb.keys import record_id
from direct_debit.adapters.dynamodb.payment_item import write_filing
from direct_debit.domain.evidence import EvidenceSource
from direct_debit.domain.payment import FailureReason, Payment, PaymentState
from direct_debit.domain.refund import RefundState
from tests.simulation.kernel import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterator

    from direct_debit.adapters.dynamodb.items import Item
    from direct_debit.domain.refund import Refund
    from tests.simulation.doku import Arrival
    from tests.simulation.universe import Journal, Universe

_WRITES = ("payment", "otp", "refund")


_FINAL = frozenset({"00", "04", "05", "06"})
_WORDS = frozenset({"2005500", "4045501"})
_APART = 60  # seconds between what a worker's clock says and the time


class _Row(TypedDict):
    partnerRefundNo: str
    refundStatus: str


class _Status(TypedDict, total=False):
    latestTransactionStatus: str
    refundHistory: list[_Row] | None


def _is_filed_in_time(item: Item, payment: Payment) -> bool:
    """Whether an item is found in the index when its payment is due: filed earlier costs a visit, later a promise."""
    wanted = write_filing(payment)
    if item.get("dueShard") != wanted.get("dueShard"):
        return False
    if payment.first_due is None:  # it waits for a person since then, or for nobody
        return item.get("dueAt") == wanted.get("dueAt")
    return "dueAt" in item and item["dueAt"]["S"] <= wanted["dueAt"]["S"]


def check_grounds(u: Universe) -> Iterator[str]:
    """Yield each move that its writer had no ground for."""
    arrivals: defaultdict[str, list[Arrival]] = defaultdict(list)
    for arrival in u.arrivals:
        arrivals[arrival.reference].append(arrival)
    writes: defaultdict[str, list[Journal]] = defaultdict(list)
    for entry in u.journal:
        if entry.record.keys["sk"]["S"] == "PAYMENT" and entry.record.new is not None:
            writes[record_id(str(entry.record.new["pk"]["S"]))].append(entry)
    for ref, entries in writes.items():
        yield from _check_payment(u, entries, arrivals[ref])
        yield from _check_questions(u, entries, arrivals[ref])
        yield from _check_sendings(ref, arrivals[ref])


def _check_payment(u: Universe, entries: list[Journal], arrivals: list[Arrival]) -> Iterator[str]:
    for entry in entries:
        if entry.record.old is None:
            continue
        before, after = (u.images.payment(cast("Item", one)) for one in (entry.record.old, entry.record.new))
        if not _is_filed_in_time(cast("Item", entry.record.new), after):
            yield f"M6: the index does not say when {after.ref} is due"
        if after.otp_attempts > before.otp_attempts and (after.not_found_count or after.not_found_since):
            yield f"M5: {after.ref}: a 'not found' of before its code was sent goes on counting"
        moved = after.situation is not before.situation and after.sent_at == before.sent_at
        if moved and before.questioned_at is not None and before.due_at is not None and _puts_off(before, after):
            yield f"M6: a move of {after.ref} put off a question that was to be repeated"
        if before.otp_accepted and after.otp_accepted and _begins(before, after, PaymentState.OTP_PENDING):
            yield f"M5: {after.ref}: another code is asked for although one was accepted"
        abandoned = after.failure is not None and after.failure.reason is FailureReason.OTP_ABANDONED
        if abandoned and after.otp_attempts and _begins(before, after, PaymentState.FAILED):
            yield f"M5: {after.ref} counts as abandoned although a code was sent"
        heard = [one for one in arrivals if one.sender.name == entry.actor and one.t <= entry.t]
        yield from _check_answer(before, after, heard)
        if after.refund is not None and before.refund is not None and after.refund.state is RefundState.FAILED:
            yield from _check_refusal(after.ref, before.refund, after.refund, heard, arrivals)


def _puts_off(before: Payment, after: Payment) -> bool:
    planned = max(before.due_at or after.updated_at, after.updated_at)
    return after.questioned_at is not None and after.due_at is not None and after.due_at > planned


def _begins(before: Payment, after: Payment, state: PaymentState) -> bool:
    return after.state is state and before.state is not state


def _check_answer(before: Payment, after: Payment, heard: list[Arrival]) -> Iterator[str]:
    """An answer about something else moves nothing."""
    rests = after.evidence != before.evidence and after.evidence.source is EvidenceSource.ANSWER
    if after.refund is not None and before.refund is not None and after.refund.evidence != before.refund.evidence:
        rests = rests or after.refund.evidence.source is EvidenceSource.ANSWER
    said = [one for one in heard if one.operation in _WRITES]
    if rests and said and said[-1].answer == "of another":
        yield f"M4: {after.ref} moved on an answer about something else"


def _check_questions(u: Universe, entries: list[Journal], arrivals: list[Arrival]) -> Iterator[str]:
    """A question about a final payment ends with a final status, or when DOKU has given none as long as it is asked."""
    raised = 0
    for entry in entries:
        if entry.record.old is None:
            continue
        before, after = (u.images.payment(cast("Item", one)) for one in (entry.record.old, entry.record.new))
        if after.questioned_at not in (None, before.questioned_at):
            raised = entry.t
        if before.questioned_at is not None and after.questioned_at is None and before.is_final:
            yield from _check_end_of_question(u, entry, raised, arrivals)


def _check_end_of_question(u: Universe, entry: Journal, raised: int, arrivals: list[Arrival]) -> Iterator[str]:
    said = [one for one in arrivals if one.operation == "status" and one.reached and one.t <= entry.t]
    asked = [one for one in said if one.sender.name == entry.actor]
    spoilt = bool(asked) and asked[-1].answer == "2005500" and not asked[-1].clear  # what of it was read is not known
    if not asked or spoilt or _fields(asked[-1]).get("latestTransactionStatus") in _FINAL:
        return
    first, last = u.settings.inquiry_schedule[0], u.settings.inquiry_schedule[-1]
    since = entry.t - (last - first - _APART - 2 * u.plan.skew) * SECOND
    if not any(raised <= one.t <= since and one.answer in _WORDS for one in said):
        yield f"N5: a question about {asked[-1].reference} was ended by {asked[-1].answer}, a first word"


def _check_refusal(
    ref: str, before: Refund, after: Refund, heard: list[Arrival], arrivals: list[Arrival]
) -> Iterator[str]:
    """A refund is refused by the answer to its only sending, or by a status that does not show it as done."""
    if before.state is RefundState.FAILED:
        return
    if after.evidence.source is EvidenceSource.ANSWER:
        sent = [one for one in arrivals if one.operation == "refund" and one.written <= heard[-1].written]
        if sum(one.answer[:3] != "401" for one in sent) > 1:
            yield f"M2: the refusal of a repetition ended the refund of {ref}"
    elif after.evidence.source is EvidenceSource.STATUS:
        asked = [one for one in heard if one.operation == "status"]
        if asked and "00" in _rows(asked[-1], ours=after.number) | _gone_back(asked[-1]):
            yield f"M4: the refund of {ref} was called FAILED although DOKU said that it was done"


def _check_sendings(ref: str, arrivals: list[Arrival]) -> Iterator[str]:
    """Nobody sends a refund who has just heard of another one of the same payment."""
    by_sender: defaultdict[str, list[Arrival]] = defaultdict(list)
    for arrival in arrivals:
        by_sender[arrival.sender.name].append(arrival)
    for made in by_sender.values():
        for asked, sent in pairwise(made):
            number = str(sent.fields.get("partnerRefundNo"))
            after_look = (asked.operation, sent.operation) == ("status", "refund")
            if after_look and {"00", "03"} & _rows(asked, besides=number):
                yield f"M3: the refund of {ref} was sent beside another one"


def _rows(asked: Arrival, *, ours: str | None = None, besides: str | None = None) -> set[str]:
    """Return the states of the rows of refundHistory in an answer: ours, or those of other numbers."""
    rows = _fields(asked).get("refundHistory") or ()
    return {
        row["refundStatus"]
        for row in rows
        if (row["partnerRefundNo"] == ours if ours is not None else row["partnerRefundNo"] != besides)
    }


def _gone_back(asked: Arrival) -> set[str]:
    return {"00"} if _fields(asked).get("latestTransactionStatus") == "04" else set()


def _fields(asked: Arrival) -> _Status:
    """Return what a status said; nothing when its answer was spoilt, or untrue on purpose."""
    return cast("_Status", json.loads(asked.shown)) if asked.shown and not asked.bent else {}
