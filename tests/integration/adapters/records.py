"""Records as the tests want them, and a strategy for each: every field takes every kind of value it may have."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from direct_debit.application.ports.history import HistoryEntry
from direct_debit.application.ports.inbox import InboxItem, InboxKind, InboxState
from direct_debit.domain.binding import Binding, BindingEvent, BindingState, SealedTokens
from direct_debit.domain.evidence import Evidence, EvidenceSource
from direct_debit.domain.money import Amount
from direct_debit.domain.move import Move
from direct_debit.domain.payment import (
    FailureReason,
    Payment,
    PaymentEvent,
    PaymentFailure,
    PaymentState,
    ReviewReason,
)
from direct_debit.domain.refund import Refund, RefundState
from direct_debit.domain.values import DayCount
from tests.fakes.clock import START

BINDINGS = "bindings"
TRANSACTIONS = "transactions"
EVIDENCE = Evidence(EvidenceSource.CALLER, START)
LEASE = timedelta(minutes=30)


def a_binding(name: str = "b1", *, customer: str = "c1", account: str = "a1", state: str | None = None) -> Binding:
    """Return a fresh binding; `state` is its return state's hash."""
    return Binding(
        id=name,
        customer_id=customer,
        account=account,
        phone_hint="789",
        success_url="https://shop.example/ok",
        failed_url="https://shop.example/no",
        request_hash="hash",
        return_state_hash=state or f"state-of-{name}",
        created_at=START,
        updated_at=START,
        lease_until=START + LEASE,
        external_id="1",
        evidence=EVIDENCE,
        due_at=START + LEASE,
    )


def step(binding: Binding, event: BindingEvent) -> Binding:
    """Return the binding after an event that changes it."""
    after = binding.moved(event, EVIDENCE)
    assert after is not None
    return after


def a_payment(ref: str = "r1", *, binding: str = "b1", customer: str = "c1", amount: str = "10000.00") -> Payment:
    """Return a fresh payment."""
    return Payment(
        ref=ref,
        binding_id=binding,
        customer_id=customer,
        amount=Amount.parse(amount),
        remarks="Coffee",
        request_hash="hash",
        created_at=START,
        updated_at=START,
        external_id="1",
        attempt="attempt",
        sent_at=START,
        evidence=EVIDENCE,
        due_at=START + timedelta(seconds=61),
    )


def accepted(payment: Payment) -> Payment:
    """Return the payment after DOKU took it."""
    after = payment.moved(PaymentEvent.ACCEPTED, EVIDENCE)
    assert after is not None
    return after


def a_refund(due_at: datetime | None = None) -> Refund:
    """Return a fresh refund."""
    return Refund(number="n1", reason="r", request_hash="h", requested_at=START, evidence=EVIDENCE, due_at=due_at)


def a_notification(name: str = "i1") -> InboxItem:
    """Return an accepted notification."""
    return InboxItem(
        id=name,
        kind=InboxKind.PAYMENT,
        received_at=START,
        fresh=True,
        body="k.n.c",
        due_at=START + timedelta(minutes=1),
    )


def a_step(version: int) -> HistoryEntry:
    """Return a step of a history."""
    return HistoryEntry(version, START, "PAID", None, "status", "00")


# --- strategies ------------------------------------------------------------------------------------------------------

# Any text that UTF-8 can carry, the empty one too.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
ids = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=16)
moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - the zone is set
counts = st.integers(0, 10**12)
maps = st.dictionaries(
    st.text(st.characters(codec="ascii", categories=["L"]), min_size=1, max_size=8), texts, max_size=4
)
maybe_text = st.none() | texts
maybe_moment = st.none() | moments
evidences = st.builds(Evidence, st.sampled_from(EvidenceSource), moments, maybe_text)
amounts = st.integers(1, 10**18 - 1).map(lambda cents: Amount(Decimal(cents).scaleb(-2)))

refunds = st.builds(
    Refund,
    number=texts,
    reason=texts,
    sealed_reason=maybe_text,
    request_hash=texts,
    state=st.sampled_from(RefundState),
    requested_at=moments,
    requested_by=maybe_text,
    attempt=maybe_text,
    attempts=counts,
    external_id=maybe_text,
    sent_at=maybe_moment,
    due_at=maybe_moment,
    refund_no=maybe_text,
    refunded_at=maybe_moment,
    response_code=maybe_text,
    automatic=st.booleans(),
    evidence=evidences,
)

codes = st.none() | st.from_regex(r"[0-9]{2,7}", fullmatch=True)
payment_moves = st.builds(
    Move,
    version=st.integers(1, 10**9),
    at=moments,
    state=st.sampled_from(PaymentState).map(str),
    moved=st.booleans(),
    refund_state=st.none() | st.sampled_from(RefundState).map(str),
    refund_moved=st.booleans(),
    source=st.sampled_from(EvidenceSource).map(str),
    code=codes,
    reason=st.none() | st.sampled_from(FailureReason).map(str),
    response_code=codes,
)
binding_moves = st.builds(
    Move,
    version=st.integers(1, 10**9),
    at=moments,
    state=st.sampled_from(BindingState).map(str),
    moved=st.booleans(),
    source=st.sampled_from(EvidenceSource).map(str),
    code=codes,
    response_code=codes,
)

payments = st.builds(
    Payment,
    ref=ids,
    binding_id=ids,
    customer_id=ids,
    amount=amounts,
    remarks=texts,
    request_hash=texts,
    state=st.sampled_from(PaymentState),
    version=st.integers(1, 10**9),
    created_at=moments,
    updated_at=moments,
    external_id=texts,
    attempt=texts,
    sent_at=moments,
    released=st.booleans(),
    metadata=maps,
    doku_reference=st.none() | ids,  # an index's key, so never empty
    web_redirect_url=maybe_text,
    response_code=maybe_text,
    failure=st.none() | st.builds(PaymentFailure, st.sampled_from(FailureReason), maybe_text),
    review=st.none() | st.sampled_from(ReviewReason),
    otp_attempts=counts,
    otp_accepted=st.booleans(),
    otp_unclear=st.booleans(),
    reposted=st.booleans(),
    late_success=st.booleans(),
    not_found_count=counts,
    not_found_since=maybe_moment,
    questioned_at=maybe_moment,
    question_heard_at=maybe_moment,
    reversed_at=maybe_moment,
    review_closed_at=maybe_moment,
    last_inquiry_at=maybe_moment,
    due_at=maybe_moment,
    untold=st.lists(payment_moves, max_size=4).map(tuple),
    tell_by=maybe_moment,
    evidence=evidences,
    refund=st.none() | refunds,
    task_token=maybe_text,
)

day_counts = st.just(DayCount()) | st.builds(DayCount, texts, st.integers(1, 1_000))
bindings = st.builds(
    Binding,
    id=ids,
    customer_id=ids,
    account=ids,
    phone_hint=texts,
    success_url=texts,
    failed_url=texts,
    request_hash=texts,
    return_state_hash=ids,
    state=st.sampled_from(BindingState),
    version=st.integers(1, 10**9),
    created_at=moments,
    updated_at=moments,
    lease_until=moments,
    external_id=texts,
    metadata=maps,
    redirect_url=maybe_text,
    auth_code=maybe_text,
    tokens=st.none() | st.builds(SealedTokens, texts, maybe_moment, maybe_text, maybe_moment),
    attempt=maybe_text,
    attempt_until=maybe_moment,
    page_ended=st.booleans(),
    earlier_pages=st.dictionaries(texts, texts, max_size=3),
    unbind_external_id=maybe_text,
    unbind_requested_at=maybe_moment,
    unbind_requested_by=maybe_text,
    unbind_redirect_url=maybe_text,
    unbind_unclear=st.booleans(),
    pages=day_counts,
    unlinkings=day_counts,
    otp_attempts=counts,
    token_lease_until=maybe_moment,
    response_code=maybe_text,
    due_at=maybe_moment,
    untold=st.lists(binding_moves, max_size=4).map(tuple),
    tell_by=maybe_moment,
    evidence=evidences,
    task_token=maybe_text,
)

notifications = st.builds(
    InboxItem,
    id=ids,
    kind=st.sampled_from(InboxKind),
    subject=maybe_text,
    received_at=moments,
    fresh=st.booleans(),
    is_by_replaced_key=st.booleans(),
    body=texts,
    state=st.sampled_from(InboxState),
    reason=maybe_text,
    told=maybe_text,
    attempts=counts,
    due_at=maybe_moment,
)
