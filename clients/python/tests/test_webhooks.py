"""Messages signed by the convention's own library."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any

import pytest
import standardwebhooks.webhooks
from standardwebhooks import Webhook

from clients.python.tests.stage import DOCUMENT
from direct_debit_client import PaymentState, WebhookRefused, read_webhook

SECRET = "whsec_" + base64.b64encode(b"the shop's secret of 32 bytes ..").decode()
OLD = "whsec_" + base64.b64encode(b"the secret before, of 32 bytes ..").decode()
PAID: dict[str, object] = {
    "partnerReferenceNo": "INV1",
    "bindingId": "b1",
    "customerId": "CUST-1",
    "amount": "10000.00",
    "currency": "IDR",
    "state": "PAID",
    "reason": None,
    "partnerRefundNo": None,
    "refundState": None,
    "responseCode": None,
    "recordVersion": 5,
    "schemaVersion": 1,
    "eventId": "INV1:5:payment.paid",
    "occurredAt": "2026-03-02T09:00:00+00:00",
}
UNLINKED: dict[str, object] = {
    "bindingId": "b1",
    "customerId": "CUST-1",
    "state": "UNBOUND",
    "responseCode": "2000900",
    "recordVersion": 7,
    "schemaVersion": 1,
    "eventId": "b1:7",
    "occurredAt": "2026-03-02T09:00:00+00:00",
}


def message(type_: str, data: object) -> bytes:
    return json.dumps({"type": type_, "timestamp": "2026-03-02T09:00:00Z", "data": data}).encode()


def sign(body: bytes, secret: str = SECRET, age: timedelta = timedelta(0), id_: str = "msg-1") -> dict[str, str]:
    at = datetime.now(timezone.utc) - age
    return {
        "Webhook-Id": id_,
        "Webhook-Timestamp": str(int(at.timestamp())),
        "Webhook-Signature": Webhook(secret).sign(id_, at, body.decode()),
    }


def test_a_payment() -> None:
    body = message("payment.paid", PAID)
    event = read_webhook(body, sign(body), SECRET)
    assert (event.id, event.type) == ("msg-1", "payment.paid")
    assert event.timestamp == datetime(2026, 3, 2, 9, tzinfo=timezone.utc)
    assert event.payment is not None
    assert event.payment.state is PaymentState.PAID
    assert event.payment.amount == Decimal("10000.00")
    assert event.payment.record_version == 5
    assert event.binding is None


def test_a_refund_is_about_its_payment() -> None:
    body = message("refund.completed", PAID | {"state": "REFUNDED", "refundState": "REFUNDED", "partnerRefundNo": "R1"})
    event = read_webhook(body, sign(body), SECRET)
    assert event.payment is not None
    assert (event.payment.refund_state, event.payment.partner_refund_no) == ("REFUNDED", "R1")


def test_a_link() -> None:
    body = message("binding.unbound", UNLINKED)
    event = read_webhook(body, sign(body), SECRET)
    assert event.binding is not None
    assert event.binding.state == "UNBOUND"
    assert event.payment is None


def test_what_comes_later_is_tolerated() -> None:
    body = message("mandate.new", {"anything": 1})
    event = read_webhook(body, sign(body), SECRET)
    assert (event.payment, event.binding, event.data) == (None, None, {"anything": 1})
    body = message("payment.paid", PAID | {"state": "SOMETHING_NEW", "more": {"than": "now"}})
    assert read_webhook(body, sign(body), SECRET).payment.state == "SOMETHING_NEW"  # type: ignore[union-attr]  # the event is of a payment, as the test wrote it


def test_two_secrets_while_one_is_replaced() -> None:
    body = message("payment.paid", PAID)
    assert read_webhook(body, sign(body, OLD), [SECRET, OLD]).id == "msg-1"
    both = sign(body) | {
        "Webhook-Signature": sign(body, OLD)["Webhook-Signature"] + " " + sign(body)["Webhook-Signature"]
    }
    assert read_webhook(body, both, SECRET).id == "msg-1"


VECTORS: list[dict[str, Any]] = json.loads((DOCUMENT.parents[1] / "clients" / "webhook-vectors.json").read_bytes())


def set_clock(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    """Let the library, which asks the machine, find another time."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Clock:
            return cls.fromtimestamp(seconds, tz)

    monkeypatch.setattr(standardwebhooks.webhooks, "datetime", Clock)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["signed_by"])
def test_what_others_signed(monkeypatch: pytest.MonkeyPatch, vector: dict[str, Any]) -> None:
    def read(body: str) -> str:
        try:
            return read_webhook(body.encode(), vector["headers"], vector["secret"]).type
        except WebhookRefused as refused:
            return str(refused)

    at = int(vector["headers"]["webhook-timestamp"])
    set_clock(monkeypatch, at + 5 * 60)
    assert read(vector["body"]).startswith(vector["event"] or "signed, but no event of this API")
    assert read(vector["body"] + " ").startswith("not signed")
    set_clock(monkeypatch, at + 5 * 60 + 1)
    assert read(vector["body"]).startswith("not signed")


BODY = message("payment.paid", PAID)
EMPTY = message("payment.paid", {})
# Signed when the test runs, not when the tests are collected: a signature ages.
REFUSED: dict[str, tuple[bytes, Callable[[], dict[str, str]]]] = {
    "another secret": (BODY, lambda: sign(BODY, OLD)),
    "another body": (BODY.replace(b"10000.00", b"90000.00"), lambda: sign(BODY)),
    "too old": (BODY, lambda: sign(BODY, age=timedelta(minutes=6))),
    "too new": (BODY, lambda: sign(BODY, age=-timedelta(minutes=6))),
    "another id": (BODY, lambda: sign(BODY) | {"Webhook-Id": "msg-2"}),
    "no headers": (BODY, dict),
    "no signature": (BODY, lambda: sign(BODY) | {"Webhook-Signature": "v1"}),
    "no base64": (BODY, lambda: sign(BODY) | {"Webhook-Signature": "v1,a"}),
    "no time": (BODY, lambda: sign(BODY) | {"Webhook-Timestamp": "now"}),
    "no text": (b"\xff\xfe", lambda: sign(BODY)),
    "no event": (b"[]", lambda: sign(b"[]")),
    "no payment": (EMPTY, lambda: sign(EMPTY)),
}


@pytest.mark.parametrize("what", REFUSED)
def test_everything_else_is_refused(what: str) -> None:
    body, headers = REFUSED[what]
    with pytest.raises(WebhookRefused):
        read_webhook(body, headers(), SECRET)


@pytest.mark.parametrize("secrets", ["", "whsec_", "whsec_x", "whsec_\u00e9", []])
def test_a_secret_that_is_none_is_our_own_mistake(secrets: str | list[str]) -> None:
    with pytest.raises(ValueError, match="webhook secret"):
        read_webhook(BODY, sign(BODY), secrets)
