"""What the door keeps is what the worker reads, and what the version before kept is read as its door read it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from direct_debit.application.notifications.notices import (
    BindingNotice,
    Notice,
    PaymentNotice,
    read_notice,
    write_notice,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
STATUS = st.sampled_from(["SUCCESS", "PENDING", "FAILED"])
PAYMENTS: st.SearchStrategy[Notice] = st.builds(
    PaymentNotice, TEXT, TEXT, TEXT, TEXT, st.none() | TEXT, st.none() | TEXT
)
BINDINGS: st.SearchStrategy[Notice] = st.builds(BindingNotice, TEXT, STATUS, st.none() | TEXT, st.none() | TEXT)


@given(PAYMENTS | BINDINGS)
def test_what_is_written_is_read(notice: Notice) -> None:
    assert read_notice(write_notice(notice)) == notice


PAYMENT: dict[str, Any] = {
    "originalPartnerReferenceNo": "A1",
    "originalReferenceNo": "D1",
    "originalExternalId": "1",
    "latestTransactionStatus": "00",
    "amount": {"value": "10000.00", "currency": "IDR"},
    "additionalInfo": {"custIdMerchant": "C1"},
}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, PaymentNotice("A1", "00", "10000.00", "IDR", "C1", "D1")),
        ({"amount": {"value": 10000, "currency": "IDR"}}, PaymentNotice("A1", "00", "10000", "IDR", "C1", "D1")),
        ({"originalPartnerReferenceNo": 42}, PaymentNotice("42", "00", "10000.00", "IDR", "C1", "D1")),
        ({"originalReferenceNo": 7}, PaymentNotice("A1", "00", "10000.00", "IDR", "C1", "7")),
        ({"additionalInfo": {"custIdMerchant": 8}}, PaymentNotice("A1", "00", "10000.00", "IDR", "8", "D1")),
        ({"originalReferenceNo": ""}, PaymentNotice("A1", "00", "10000.00", "IDR", "C1", None)),
        ({"originalReferenceNo": True}, PaymentNotice("A1", "00", "10000.00", "IDR", "C1", None)),
        ({"originalReferenceNo": {"a": "b"}}, PaymentNotice("A1", "00", "10000.00", "IDR", "C1", None)),
        ({"additionalInfo": "", "amount": []}, PaymentNotice("A1", "00", "", "", None, "D1")),
    ],
)
def test_a_body_that_the_version_before_kept(change: dict[str, object], expected: PaymentNotice) -> None:
    assert read_notice(json.dumps(PAYMENT | change)) == expected


def test_a_binding_body_that_the_version_before_kept() -> None:
    body = {"originalExternalId": 5, "additionalInfo": {"status": "success", "authCode": 22, "custIdMerchant": "C1"}}
    assert read_notice(json.dumps(body)) == BindingNotice("5", "SUCCESS", "22", "C1")


def test_the_number_of_a_body_keeps_its_digits() -> None:
    body = json.dumps(PAYMENT).replace('"10000.00"', "10000.00")
    assert read_notice(body) == PaymentNotice("A1", "00", "10000.00", "IDR", "C1", "D1")


def test_an_auth_code_shows_nowhere() -> None:
    assert "2238" not in repr(BindingNotice("1", "SUCCESS", "2238", "C1"))
