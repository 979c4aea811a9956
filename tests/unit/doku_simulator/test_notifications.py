"""Notifications as data: contents, signatures, the retry schedule, faults."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from tests.unit.doku_simulator.merchant import CLIENT_ID, SECRET, Merchant, merchant, parsed, rsa_key
from tools.doku_simulator.notifications import (
    Delivery,
    Forgery,
    MerchantUnknownError,
    NoticeDial,
    SignedRequest,
    read_token,
)


def _paid(**settings: bool) -> Merchant:
    """A merchant with one paid payment whose binding notification was delivered."""
    sender = merchant(None, seed=1, **settings)
    token = sender.link()
    sender.clock.forward(1)
    for delivery in sender.simulator.due_deliveries():
        sender.simulator.record_result(delivery, 200)
    sender.paid(token)
    sender.clock.forward(1)
    return sender


def _only(sender: Merchant) -> Delivery:
    (delivery,) = sender.simulator.due_deliveries()
    return delivery


def _well_signed(request: SignedRequest, token: str) -> bool:
    digest = hashlib.sha256(request.body).hexdigest()
    text = f"POST:{request.path}:{token}:{digest}:{request.headers['X-TIMESTAMP']}"
    expected = base64.b64encode(hmac.digest(SECRET.encode(), text.encode(), "sha512")).decode()
    return request.headers.get("X-SIGNATURE") == expected


def test_the_token_request_is_signed_by_doku() -> None:
    request = merchant().simulator.build_token_request()
    assert request.url == "https://merchant.test/doku/authorization/v1/access-token/b2b"
    assert json.loads(request.body) == {"grantType": "client_credentials"}
    text = f"{request.headers['X-CLIENT-KEY']}|{request.headers['X-TIMESTAMP']}".encode()
    assert request.headers["X-CLIENT-KEY"] == CLIENT_ID
    signature = base64.b64decode(request.headers["X-SIGNATURE"])
    rsa_key("doku").public_key().verify(signature, text, padding.PKCS1v15(), hashes.SHA256())


def test_doku_may_use_an_agreed_client_key() -> None:
    request = merchant(doku_client_key="DOKU-KEY").simulator.build_token_request()
    assert request.headers["X-CLIENT-KEY"] == "DOKU-KEY"


def test_a_payment_notification() -> None:
    sender = _paid()
    request = sender.simulator.build_notification(_only(sender), "issued-token")
    body = json.loads(request.body)
    assert (request.path, request.url) == ("/doku/v1.0/debit/notify", "https://merchant.test/doku/v1.0/debit/notify")
    assert (body["originalPartnerReferenceNo"], body["latestTransactionStatus"]) == ("PAY000000001", "00")
    assert body["amount"] == {"value": "10000.00", "currency": "IDR"}
    assert body["additionalInfo"]["custIdMerchant"] == "CUST-1"
    assert request.headers["Authorization"] == "Bearer issued-token"
    assert request.headers["Authorization-Customer"].startswith("Bearer ")
    assert request.headers["X-EXTERNAL-ID"].isdigit()
    assert len(request.headers["X-EXTERNAL-ID"]) <= 32
    assert _well_signed(request, "issued-token")


def test_a_binding_notification_is_signed_over_path_and_query() -> None:
    sender = merchant()
    code = parsed(sender.bind())["additionalInfo"]["authCode"]
    sender.simulator.customer.complete(code)
    sender.clock.forward(1)
    request = sender.simulator.build_notification(_only(sender), "t")
    assert request.path == "/doku/v1.0/registration-account-binding/notify?via=doku"
    assert json.loads(request.body)["additionalInfo"] == {
        "status": "SUCCESS",
        "authCode": code,
        "custIdMerchant": "CUST-1",
    }
    assert _well_signed(request, "t")


@pytest.mark.parametrize(("amount", "otp", "status"), [("10006.00", "123456", "06"), ("10000.00", "999999", "06")])
def test_failures_are_notified_without_dokus_reference(amount: str, otp: str, status: str) -> None:
    sender = merchant(notify_bindings=False)
    token = sender.link()
    sender.pay(token, amount=amount)
    sender.verify(token, otp=otp)
    sender.clock.forward(1)
    delivery = _only(sender)
    assert delivery.body["latestTransactionStatus"] == status
    assert "originalReferenceNo" not in delivery.body


def test_an_abandoned_otp_and_a_refund_are_notified() -> None:
    sender = merchant(notify_bindings=False)
    token = sender.link()
    sender.pay(token, "LEFT")
    sender.paid(token, "PAID")
    sender.refund(token, reference="PAID")
    sender.clock.forward(302)
    statuses = [(item.reference, item.body["latestTransactionStatus"]) for item in sender.simulator.due_deliveries()]
    assert statuses == [("PAID", "00"), ("PAID", "04"), ("LEFT", "06")]


@pytest.mark.parametrize(("notify", "count"), [(False, 0), (True, 1)])
def test_declines_in_the_answer_are_notified_only_on_demand(notify: bool, count: int) -> None:
    sender = merchant(notify_bindings=False, notify_declines=notify)
    sender.pay(sender.link(), amount="10014.00")
    sender.clock.forward(1)
    assert len(sender.simulator.due_deliveries()) == count


def test_nothing_is_due_before_its_time_or_without_a_merchant() -> None:
    sender = merchant(notification_delay=5.0)
    sender.link()
    sender.clock.forward(4)
    assert sender.simulator.due_deliveries() == []
    assert sender.simulator.next_event_at() == sender.clock.now + timedelta(seconds=1)
    sender.clock.forward(1)
    assert len(sender.simulator.due_deliveries()) == 1
    sender.simulator.set_merchant(None)
    assert sender.simulator.due_deliveries() == []
    with pytest.raises(MerchantUnknownError):
        sender.simulator.build_token_request()


def test_the_retry_schedule_counts_from_the_first_attempt() -> None:
    sender = _paid()
    first = sender.clock.now
    seen: list[float] = []
    delivery = _only(sender)
    for result in (500, None, 302, 404):
        assert _only(sender) is delivery
        seen.append((sender.clock.now - first).total_seconds())
        sender.clock.forward(3)  # the attempt itself takes a while, but the schedule does not slip
        sender.simulator.record_result(delivery, result)
        if delivery.state == "waiting":
            assert sender.simulator.due_deliveries() == []
            sender.clock.now = delivery.due
    assert seen == [0, 1_800, 21_600, 43_200]
    assert delivery.state == "given_up"
    assert delivery.results == [500, None, 302, 404]


def test_a_delivered_notification_is_not_sent_again_and_can_be_resent_by_hand() -> None:
    sender = _paid()
    delivery = _only(sender)
    sender.simulator.record_result(delivery, 200)
    sender.clock.forward(50_000)
    assert sender.simulator.due_deliveries() == []
    resent = sender.simulator.notifications.resend("PAY000000001")
    assert _only(sender) is resent
    assert resent.body == delivery.body
    with pytest.raises(KeyError):
        sender.simulator.notifications.resend("NOTHING")


@pytest.mark.parametrize(("resigned", "new_id"), [(True, False), (False, False), (True, True)])
def test_retries_may_keep_time_stamp_and_external_id(resigned: bool, new_id: bool) -> None:
    sender = _paid(notification_resigned=resigned, notification_new_external_id=new_id)
    delivery = _only(sender)
    first = sender.simulator.build_notification(delivery, "t1")
    sender.simulator.record_result(delivery, 500)
    sender.clock.now = delivery.due
    second = sender.simulator.build_notification(delivery, "t2")
    assert (second.headers["X-TIMESTAMP"] != first.headers["X-TIMESTAMP"]) is resigned
    assert (second.headers["X-EXTERNAL-ID"] != first.headers["X-EXTERNAL-ID"]) is new_id
    assert _well_signed(second, "t2")


# -- faults


def test_notifications_can_fail_and_come_again() -> None:
    sender = _paid()
    sender.simulator.notifications.dials.append(NoticeDial("fail"))
    assert sender.simulator.due_deliveries() == []
    sender.clock.forward(1_800)
    assert _only(sender).results == [None]


def test_notifications_can_be_lost() -> None:
    sender = _paid()
    sender.simulator.notifications.dials.append(NoticeDial("drop"))
    sender.clock.forward(100_000)
    assert sender.simulator.due_deliveries() == []
    assert sender.simulator.notifications.deliveries[-1].state == "lost"


def test_notifications_can_come_twice() -> None:
    sender = _paid()
    sender.simulator.notifications.dials.append(NoticeDial("duplicate"))
    one, two = sender.simulator.due_deliveries()
    assert (one.body, one.external_id) == (two.body, two.external_id)
    assert one is not two


def test_a_dial_bites_a_delivery_once_per_attempt() -> None:
    """A sender asks again while a delivery is still on its way: the dial waits for the next one."""
    sender = merchant(notify_bindings=False)
    token = sender.link()
    sender.paid(token, "A")
    sender.clock.forward(1)
    assert [item.reference for item in sender.simulator.due_deliveries()] == ["A"]
    sender.simulator.notifications.dials.append(NoticeDial("duplicate", count=2))
    assert [item.reference for item in sender.simulator.due_deliveries()] == ["A"]
    sender.paid(token, "B")
    sender.clock.forward(1)
    for _ in range(2):
        assert [item.reference for item in sender.simulator.due_deliveries()] == ["A", "B", "B"]


def test_notifications_can_overtake_each_other() -> None:
    sender = merchant(notify_bindings=False)
    token = sender.link()
    sender.simulator.notifications.dials.append(NoticeDial("delay", seconds=60))
    sender.paid(token)
    sender.refund(token)
    sender.clock.forward(1)
    seen: list[object] = []
    for wait in (0, 60):
        sender.clock.forward(wait)
        for delivery in sender.simulator.due_deliveries():
            seen.append(delivery.body["latestTransactionStatus"])
            sender.simulator.record_result(delivery, 200)
    assert seen == ["04", "00"]


def test_a_dial_may_bite_one_kind_only() -> None:
    sender = merchant()
    sender.simulator.notifications.dials.append(NoticeDial("drop", kind="payment"))
    sender.paid(sender.link())
    sender.clock.forward(1)
    assert [item.kind for item in sender.simulator.due_deliveries()] == ["binding"]


@pytest.mark.parametrize("forgery", ["signature", "token", "amount", "reference", "status", "stale", "unsigned"])
def test_forgeries(forgery: Forgery) -> None:
    sender = _paid()
    true = _only(sender)
    true_request = sender.simulator.build_notification(true, "t")
    forged = sender.simulator.notifications.forge("PAY000000001", forgery)
    request = sender.simulator.build_notification(forged, "t")
    kept_signature = forgery in ("amount", "reference", "status", "stale")
    assert _well_signed(request, "t") is kept_signature
    changed_body = forgery in ("amount", "reference", "status")
    assert (request.body != true_request.body) is changed_body
    if forgery == "token":
        assert request.headers["Authorization"] == "Bearer forged-token"
    if forgery == "stale":
        assert request.headers["X-TIMESTAMP"] == "2026-03-02T02:00:02Z"
    sender.simulator.record_result(forged, 401)
    assert forged.state == "given_up"


def test_a_forgery_can_come_before_the_truth() -> None:
    sender = _paid()
    sender.simulator.notifications.dials.append(NoticeDial("forge", forgery="amount"))
    assert [item.forgery for item in sender.simulator.due_deliveries()] == ["amount", None]


def test_the_notification_may_come_before_the_answer() -> None:
    sender = merchant({"notification_before_answer": True}, notify_bindings=False)
    token = sender.link()
    assert not sender.pay(token).notify_first
    assert sender.verify(token).notify_first
    assert _only(sender).reference == "PAY000000001"


@pytest.mark.parametrize(
    ("body", "token"),
    [(b'{"accessToken":"abc"}', "abc"), (b"{}", None), (b"[]", None), (b"<html>", None), (b'{"accessToken":1}', None)],
)
def test_reading_the_merchants_token(body: bytes, token: str | None) -> None:
    assert read_token(body) == token
