"""What the door parsed is what the worker reads, for every notification that DOKU may write."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from direct_debit.adapters.doku_inbound import read_verified
from direct_debit.application.notifications.accept_notification import AcceptNotification
from direct_debit.application.notifications.notices import BindingNotice, PaymentNotice, read_notice, write_notice
from direct_debit.application.ports.inbox import InboxKind
from doku_snap.errors import InboundRefused
from doku_snap.inbound import VerifiedNotification

PAYMENT: dict[str, Any] = {
    "originalPartnerReferenceNo": "CIMB20000001",
    "originalReferenceNo": "DOKU-1",
    "originalExternalId": "10052019",
    "latestTransactionStatus": "00",
    "amount": {"value": "10000.00", "currency": "IDR"},
    "additionalInfo": {"custIdMerchant": "CUST-000123"},
}
BINDING: dict[str, Any] = {
    "originalExternalId": "10052019",
    "additionalInfo": {"status": "SUCCESS", "authCode": "2238", "custIdMerchant": "CUST-000123"},
}


def read(kind: InboxKind, raw: str) -> AcceptNotification:
    service = "56" if kind is InboxKind.PAYMENT else "07"
    return read_verified(kind, VerifiedNotification(service, datetime.now(UTC), True, "1", raw.encode()))


def write(body: object, indent: int | None, *, ascii_only: bool) -> str:
    """JSON with numbers as they were spelt."""
    marked = json.dumps(body, indent=indent, ensure_ascii=ascii_only)
    return marked.replace('"<', "").replace('>"', "")


NUMBERS = st.sampled_from(["10000.00", "10000", "10000.0", "10000.5", "9999999999999999.99", "0.00", "1E+4", "1.5e5"])
SPELT = NUMBERS.map(lambda text: f"<{text}>") | NUMBERS  # a JSON number or a text
WHOLE = st.integers(0, 10**16).map(str).map(lambda text: f"<{text}>")
NAME = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="<>"), min_size=1, max_size=64)
MEMBERS = {
    "originalPartnerReferenceNo": NAME | WHOLE,
    "originalExternalId": NAME | WHOLE,
    "latestTransactionStatus": st.sampled_from(["00", "06", "<42>", "99"]),
    "amount": st.fixed_dictionaries({"value": SPELT, "currency": st.sampled_from(["IDR", "USD"])}),
}
OPTIONAL = {
    "originalReferenceNo": st.none() | NAME | WHOLE | st.just(""),
    "additionalInfo": st.just("") | st.fixed_dictionaries({}, optional={"custIdMerchant": st.none() | NAME | WHOLE}),
    "newField": st.just({"a": [1, None, 1.5]}),
}


@given(
    st.fixed_dictionaries(MEMBERS, optional=OPTIONAL),
    st.sampled_from([None, 0, 3]),
    st.booleans(),
)
def test_what_the_door_parsed_is_what_the_worker_reads(body: dict[str, Any], indent: int | None, escaped: bool) -> None:
    command = read(InboxKind.PAYMENT, write(body, indent, ascii_only=escaped))
    notice = command.notice
    assert isinstance(notice, PaymentNotice)
    assert read_notice(write_notice(notice)) == notice
    assert notice.ref == command.subject == str(body["originalPartnerReferenceNo"]).strip("<>")
    assert notice.status == body["latestTransactionStatus"].strip("<>")
    assert Decimal(notice.value) == Decimal(body["amount"]["value"].strip("<>"))
    additional = body.get("additionalInfo") or {}
    assert (notice.customer_id or "") == (additional.get("custIdMerchant") or "").strip("<>")
    assert command.fact == f"{notice.status}:{notice.value}:{notice.currency}:{notice.customer_id or ''}"


BROKEN = st.text(st.characters(categories=["Cs", "Cc", "Lu", "Nd"]), max_size=70)
ANY = BROKEN | st.none() | st.integers() | st.booleans()
NAMES = ("originalPartnerReferenceNo", "originalReferenceNo", "originalExternalId")


@given(
    st.sampled_from(InboxKind),
    st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, ANY)),
    st.fixed_dictionaries({}, optional={"status": st.just("SUCCESS") | ANY, "authCode": ANY, "custIdMerchant": ANY}),
)
def test_what_can_not_be_stored_is_refused_where_it_is_read(
    kind: InboxKind, names: dict[str, object], additional: dict[str, object]
) -> None:
    refused: InboundRefused | None = None
    command: AcceptNotification | None = None
    try:
        command = read(kind, json.dumps(PAYMENT | names | {"additionalInfo": additional}))
    except InboundRefused as refusal:
        refused = refusal
    assert refused is None or (refused.http_status == 400 and refused.response_message.startswith("Invalid "))
    if command is not None:
        assert f"{command.subject}{command.fact}{command.notice}".encode()
        assert read_notice(write_notice(command.notice)) == command.notice


@pytest.mark.parametrize(
    ("change", "subject", "fact"),
    [
        ({}, "CIMB20000001", "00:10000.00:IDR:CUST-000123"),
        ({"amount": {"value": "10000", "currency": "IDR"}}, "CIMB20000001", "00:10000.00:IDR:CUST-000123"),
        ({"amount": {"value": "0010.5", "currency": "IDR"}}, "CIMB20000001", "00:0010.50:IDR:CUST-000123"),
        ({"additionalInfo": {}}, "CIMB20000001", "00:10000.00:IDR:"),
        (
            {"additionalInfo": {"custIdMerchant": 7}, "latestTransactionStatus": "06"},
            "CIMB20000001",
            "06:10000.00:IDR:7",
        ),
        ({"originalPartnerReferenceNo": " A1"}, " A1", "00:10000.00:IDR:CUST-000123"),
    ],
)
def test_what_names_a_payment_notification_stays(change: dict[str, object], subject: str, fact: str) -> None:
    """A repeat that comes after a deployment has to meet the item that was stored before it."""
    command = read(InboxKind.PAYMENT, json.dumps(PAYMENT | change))
    assert (command.kind, command.subject, command.fact, command.fresh) == (InboxKind.PAYMENT, subject, fact, True)


def test_what_names_a_binding_notification_stays() -> None:
    command = read(InboxKind.BINDING, json.dumps(BINDING))
    assert (command.kind, command.subject, command.fact) == (InboxKind.BINDING, "10052019", "SUCCESS:CUST-000123")
    assert command.notice == BindingNotice("10052019", "SUCCESS", "2238", "CUST-000123")
    nameless = read(InboxKind.BINDING, json.dumps({**BINDING, "additionalInfo": {"status": "FAILED"}}))
    assert nameless.fact == "FAILED:"
