"""Writes events/: one realistic event per function and entry kind, for the tests and for `sam local invoke`.

What they refer to is in no stack, and inbound calls of DOKU are signed for the fixed moment AT with the test keys of
tests/vectors. For a running stack, customers, links and payments are made for each event, and the calls signed anew.

    make events                      # write events/
    make events RUNNING=1            # write .local/events/ for the stack of `make run`; signatures last five minutes
    make events ARGS=--check         # exit 1 when a file would change
"""

import argparse
import base64
import hashlib
import hmac
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from direct_debit.adapters.doku_inbound import InboundDokuAdapter, InboundKeys
from direct_debit.adapters.dynamodb.binding_item import write_binding
from direct_debit.adapters.dynamodb.items import Item
from direct_debit.adapters.dynamodb.payment_item import write_payment
from direct_debit.adapters.eventbridge import SOURCE
from direct_debit.application.notifications.inbound_ports import InboundCall
from direct_debit.application.outbox.record_change import list_events
from direct_debit.application.ports.messages import OutboxEvent
from direct_debit.domain.binding import Binding, BindingState
from direct_debit.domain.evidence import Evidence, EvidenceSource
from direct_debit.domain.money import Amount
from direct_debit.domain.move import Move
from direct_debit.domain.payment import Payment, PaymentState
from doku_snap.signing import (
    asymmetric_string_to_sign,
    format_timestamp,
    sign_asymmetric,
    sign_symmetric,
    symmetric_string_to_sign,
)

REPOSITORY = Path(__file__).parent.parent
EVENTS = REPOSITORY / "events"
RUNNING_EVENTS = REPOSITORY / ".local" / "events"
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PUBLIC_URL = "https://merchant.example/v1"
ISSUED_TOKEN_KEY = hashlib.sha256(b"test-only key of the tokens issued to DOKU").digest()

BINDING_ID = "6f1d2c3b4a5968778695a4b3c2d1e0f0"
REFERENCE = "INV202603020"
CUSTOMER = "CUST-1001"
EXTERNAL_ID = "20260302085900123456789012"
NOTIFY_PATH = "/doku/v1.0/debit/notify"
BINDING_NOTIFY_PATH = "/doku/v1.0/registration-account-binding/notify"
TOKEN_PATH = "/doku/authorization/v1/access-token/b2b"  # noqa: S105 - a path

type Event = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ids:
    """What one event refers to; by default the example's, which is in no stack."""

    customer: str = CUSTOMER
    phone: str = "62857957868761"
    binding: str = BINDING_ID
    reference: str = REFERENCE
    amount: str = "10000.00"
    refund: str = "RFD202603020"
    return_state: str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
    inbox: str = "1" * 32
    changes: Sequence[tuple[str, Item | None, Item]] = ()
    """Changes of records: table, the item before (None: new), the item after; none: the example's own."""


EXAMPLE = Ids()


@dataclass(frozen=True, slots=True)
class Signer:
    """DOKU's side of the signatures."""

    client_id: str
    secret_key: str = field(repr=False)
    doku_private_key: RSAPrivateKey = field(repr=False)
    doku_public_key: str = field(repr=False)
    issued_token_key: bytes = field(repr=False)
    at: datetime
    public_url: str

    def token_headers(self) -> dict[str, str]:
        """Headers of a token request."""
        timestamp = format_timestamp(self.at)
        signature = sign_asymmetric(asymmetric_string_to_sign(self.client_id, timestamp), self.doku_private_key)
        return {"X-CLIENT-KEY": self.client_id, "X-TIMESTAMP": timestamp, "X-SIGNATURE": signature}

    def notification_headers(
        self, path: str, body: bytes, external_id: str, token: str | None = None
    ) -> dict[str, str]:
        """Headers of a notification, with this token or one that we issue for it."""
        token = token or self._issue_token()
        timestamp = format_timestamp(self.at)
        public_path = urlsplit(self.public_url).path.rstrip("/") + path
        to_sign = symmetric_string_to_sign("POST", public_path, token, body, timestamp)
        return {
            "Authorization": f"Bearer {token}",
            "X-TIMESTAMP": timestamp,
            "X-SIGNATURE": sign_symmetric(to_sign, self.secret_key),
            "X-PARTNER-ID": self.client_id,
            "X-EXTERNAL-ID": external_id,
        }

    def _issue_token(self) -> str:
        keys = InboundKeys(
            client_id=self.client_id,
            client_key=self.client_id,
            secret_keys=[self.secret_key],
            doku_public_keys=[self.doku_public_key],
            issued_token_keys=[self.issued_token_key],
            are_in_use=True,
        )
        adapter = InboundDokuAdapter(
            lambda _: keys,
            _Standing(self.at),
            issuer=self.public_url,
            window_seconds=300,
            issuing_key=lambda: self.issued_token_key,
            doubt_keys=lambda: False,
        )
        body = b'{"grantType":"client_credentials"}'
        reply = adapter.grant_token(InboundCall(TOKEN_PATH, self.token_headers(), body))
        token: str = json.loads(reply.body)["accessToken"]
        return token


@dataclass(frozen=True, slots=True)
class _Standing:
    at: datetime

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        raise NotImplementedError


def vector_signer() -> Signer:
    """The signer of the committed events: the keys of tests/vectors at the moment AT."""
    keys = json.loads((REPOSITORY / "tests/vectors/signature-vectors.json").read_text("utf-8"))["keys"]
    return Signer(
        client_id=keys["clientId"],
        secret_key=keys["secretKey"],
        doku_private_key=_private_key(keys["dokuPrivateKeyPkcs8Pem"]),
        doku_public_key=keys["dokuPublicKeyPem"],
        issued_token_key=ISSUED_TOKEN_KEY,
        at=AT,
        public_url=PUBLIC_URL,
    )


def read_signer(secret_file: Path, doku_key_file: Path, public_url: str, at: datetime) -> Signer:
    """The signer for a running stack: its secret's JSON, and the private key of its (simulated) DOKU."""
    secret = json.loads(secret_file.read_text("utf-8"))
    return Signer(
        client_id=secret["clientId"],
        secret_key=secret["secretKey"],
        doku_private_key=_private_key(doku_key_file.read_text("utf-8")),
        doku_public_key=secret["dokuPublicKey"],
        issued_token_key=base64.b64decode(secret["issuedTokenKey"]),
        at=at,
        public_url=public_url,
    )


def make_events(signer: Signer, ids: Mapping[str, Ids] | None = None) -> dict[str, Event]:
    """All events by file name without its suffix; `ids` has what each file refers to, if not to the example's."""
    known = ids or {}
    example = _all_events(signer, EXAMPLE)
    return {name: _all_events(signer, known[name])[name] if name in known else example[name] for name in example}


def _all_events(signer: Signer, ids: Ids) -> dict[str, Event]:
    page = _api("GET", "/problems/{slug}", {"slug": "otp-wrong"})
    return {**_merchant_events(ids), "explain_problem": page, **_inbound_events(signer, ids), **_worker_events(ids)}


def _merchant_events(ids: Ids) -> dict[str, Event]:
    binding: Mapping[str, object] = {
        "customerId": ids.customer,
        "phone": ids.phone,
        "successUrl": "https://merchant.example/linked",
        "failedUrl": "https://merchant.example/not-linked",
        "customerName": "Siti Rahma",
        "metadata": {"segment": "gold"},
    }
    payment: Mapping[str, object] = {
        "bindingId": ids.binding,
        "partnerReferenceNo": ids.reference,
        "amount": {"value": ids.amount, "currency": "IDR"},
        "remarks": "Order 4711",
        "successUrl": "https://merchant.example/paid",
        "failedUrl": "https://merchant.example/not-paid",
        "metadata": {"orderId": "4711"},
    }
    otp = {"otp": "123456"}
    refund = {"partnerRefundNo": ids.refund, "reason": "Customer complain"}
    id_path = {"id": ids.binding}
    ref_path = {"ref": ids.reference}
    return_path = {"state": ids.return_state, "outcome": "success"}
    api = {
        "bind_account": _api("POST", "/bindings", body=binding),
        "get_binding": _api("GET", "/bindings/{id}", id_path),
        "list_bindings": _api("GET", "/bindings", query={"customerId": ids.customer}),
        "list_payments": _api("GET", "/payments", query={"customerId": ids.customer}),
        "return_from_binding": _api("GET", "/bindings/return/{state}/{outcome}", return_path),
        "get_balance": _api("GET", "/bindings/{id}/balance", id_path),
        "unbind_account": _api("DELETE", "/bindings/{id}", id_path),
        "confirm_unbinding": _api("POST", "/bindings/{id}/otp", id_path, body=otp),
        "make_payment": _api("POST", "/payments", body=payment),
        "verify_payment_otp": _api("POST", "/payments/{ref}/otp", ref_path, body=otp),
        "get_payment": _api("GET", "/payments/{ref}", ref_path, query={"refresh": "true"}),
        "refund_payment": _api("POST", "/payments/{ref}/refund", ref_path, body=refund),
        "get_refund": _api("GET", "/payments/{ref}/refund", ref_path),
    }
    by_binding: Event = {"bindingId": ids.binding}
    by_reference: Event = {"partnerReferenceNo": ids.reference}
    direct: dict[str, Event] = {
        "bind_account": dict(binding),
        "get_binding": by_binding,
        "list_bindings": {"customerId": ids.customer},
        "list_payments": {"customerId": ids.customer, "limit": 20},
        "return_from_binding": dict(return_path),
        "get_balance": by_binding,
        "unbind_account": by_binding,
        "confirm_unbinding": {**by_binding, **otp},
        "make_payment": dict(payment),
        "verify_payment_otp": {**by_reference, **otp},
        "get_payment": by_reference,
        "refund_payment": {**by_reference, **refund},
        "get_refund": by_reference,
    }
    return {**api, **{f"{name}_direct": command for name, command in direct.items()}}


def _inbound_events(signer: Signer, ids: Ids) -> dict[str, Event]:
    token = {"grantType": "client_credentials"}
    paid = {
        "originalPartnerReferenceNo": ids.reference,
        "originalReferenceNo": "Sv6LFBnNOiCevHzLcgK",
        "originalExternalId": EXTERNAL_ID,
        "latestTransactionStatus": "00",
        "transactionStatusDesc": "Success",
        "amount": {"value": ids.amount, "currency": "IDR"},
        "additionalInfo": {"channelId": "DIRECT_DEBIT_CIMB_SNAP", "custIdMerchant": ids.customer},
    }
    linked = {
        "originalExternalId": EXTERNAL_ID,
        "additionalInfo": {"status": "SUCCESS", "authCode": "2238" + "0" * 36, "custIdMerchant": ids.customer},
    }
    events = {"issue_token": _api("POST", TOKEN_PATH, body=token, headers=signer.token_headers())}
    for name, path, body, external_id in (
        ("receive_payment_notification", NOTIFY_PATH, paid, "169157654793277588402"),
        ("receive_binding_notification", BINDING_NOTIFY_PATH, linked, "169157654793277588403"),
    ):
        headers = signer.notification_headers(path, _dump(body).encode(), external_id)
        events[name] = _api("POST", path, body=body, headers=headers)
    return events


def _worker_events(ids: Ids) -> dict[str, Event]:
    work = {"ref": ids.reference, "attempt": 1, "chain": 0}
    return {
        "process_notification_sqs": _sqs("NotificationQueue", [_dump({"inboxId": ids.inbox, "chain": 0})]),
        "process_refund_sqs": _sqs("RefundRetryQueue", [_dump(work)]),
        "inquire_status_sqs": _sqs("StatusInquiryQueue", [_dump(work)]),
        "deliver_webhook_sqs": _sqs("WebhookQueue", [_dump(_told())]),
        "resolve_pending_schedule": {"workers": 5},
        "publish_events_stream": _stream(ids.changes or example_changes()),
    }


def _told() -> Event:
    move = Move(version=5, at=AT, state=PaymentState.PAID, source="notification", response_code="2000400")
    (paid,) = list_events(example_payment(PaymentState.PAID, 5), move)
    return write_envelope(paid)


def write_envelope(event: OutboxEvent) -> Event:
    """An event as EventBridge hands it to a rule's target."""
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": event.name,
        "source": SOURCE,
        "account": "123456789012",
        "time": f"{event.at:%Y-%m-%dT%H:%M:%SZ}",
        "region": "ap-southeast-3",
        "resources": [],
        "detail": dict(event.to_json()),
    }


def _api(
    method: str,
    resource: str,
    path: Mapping[str, str] | None = None,
    *,
    query: Mapping[str, str] | None = None,
    body: object = None,
    headers: Mapping[str, str] | None = None,
) -> Event:
    """A REST API proxy event, as API Gateway writes it."""
    actual = resource.format(**(path or {}))
    all_headers = {"Content-Type": "application/json", "Host": "merchant.example", **(headers or {})}
    return {
        "resource": resource,
        "path": actual,
        "httpMethod": method,
        "headers": all_headers,
        "multiValueHeaders": {name: [value] for name, value in all_headers.items()},
        "queryStringParameters": dict(query) if query else None,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} if query else None,
        "pathParameters": dict(path) if path else None,
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "httpMethod": method,
            "path": f"/v1{actual}",
            "protocol": "HTTP/1.1",
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "requestTimeEpoch": int(AT.timestamp() * 1000),
            "resourcePath": resource,
            "stage": "v1",
            "identity": {"sourceIp": "203.0.113.7", "userAgent": "example"},
        },
        "body": None if body is None else _dump(body),
        "isBase64Encoded": False,
    }


def _sqs(queue: str, bodies: list[str]) -> Event:
    records = [
        {
            "messageId": f"059f36b4-87a3-44ab-83d2-66197567850{number}",
            "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
            "body": body,
            "attributes": {
                "ApproximateReceiveCount": "1",
                "SentTimestamp": str(int(AT.timestamp() * 1000)),
                "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                "ApproximateFirstReceiveTimestamp": str(int(AT.timestamp() * 1000) + 1),
            },
            "messageAttributes": {},
            "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
            "eventSource": "aws:sqs",
            "eventSourceARN": f"arn:aws:sqs:ap-southeast-3:123456789012:{queue}",
            "awsRegion": "ap-southeast-3",
        }
        for number, body in enumerate(bodies)
    ]
    return {"Records": records}


def example_changes() -> list[tuple[str, Item | None, Item]]:
    """The changes of the example: its payment is paid, its link becomes active."""
    before = example_payment(PaymentState.PROCESSING, 4)
    after = example_payment(PaymentState.PAID, 5)
    pending = example_binding(BindingState.PENDING, 2)
    active = example_binding(BindingState.ACTIVE, 3)
    return [
        ("Transactions", write_payment(before), write_payment(after)),
        ("Bindings", write_binding(pending), write_binding(active)),
    ]


def _stream(changes: Sequence[tuple[str, Item | None, Item]]) -> Event:
    tables = "arn:aws:dynamodb:ap-southeast-3:123456789012:table"
    records = []
    for number, (table, old, new) in enumerate(changes, start=1):
        change: dict[str, object] = {
            "ApproximateCreationDateTime": int(AT.timestamp()),
            "Keys": {"pk": new["pk"], "sk": new["sk"]},
            "NewImage": new,
            "SequenceNumber": f"4421584500000000017450439{number}",
            "SizeBytes": 1024,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        }
        if old is not None:
            change["OldImage"] = old
        records.append(
            {
                "eventID": f"c4ca4238a0b923820dcc509a6f75849{number}",
                "eventName": "INSERT" if old is None else "MODIFY",
                "eventVersion": "1.1",
                "eventSource": "aws:dynamodb",
                "awsRegion": "ap-southeast-3",
                "dynamodb": change,
                "eventSourceARN": f"{tables}/{table}/stream/2026-03-02T00:00:00",
            }
        )
    return {"Records": records}


def example_payment(state: PaymentState, version: int) -> Payment:
    """The payment of the examples, PROCESSING or PAID."""
    sent = AT - timedelta(seconds=30)
    paid = state is PaymentState.PAID
    return Payment(
        ref=REFERENCE,
        binding_id=BINDING_ID,
        customer_id=CUSTOMER,
        amount=Amount.parse("10000.00"),
        remarks="Order 4711",
        request_hash="0" * 64,
        state=state,
        version=version,
        created_at=sent,
        updated_at=AT,
        external_id=EXTERNAL_ID,
        attempt="0" * 32,
        sent_at=sent,
        metadata={"orderId": "4711"},
        response_code="2000400",
        otp_attempts=1,
        otp_accepted=True,
        due_at=None if paid else AT + timedelta(seconds=61),
        evidence=Evidence(
            EvidenceSource.NOTIFICATION if paid else EvidenceSource.ANSWER, AT, "00" if paid else "2000400"
        ),
    )


def example_binding(state: BindingState, version: int) -> Binding:
    """The link of the examples."""
    return Binding(
        id=BINDING_ID,
        customer_id=CUSTOMER,
        account=hmac.digest(b"test-only pepper", b"phone:62857957868761", "sha256").hex(),
        phone_hint="761",
        success_url="https://merchant.example/linked",
        failed_url="https://merchant.example/not-linked",
        request_hash="0" * 64,
        return_state_hash="0" * 64,
        state=state,
        version=version,
        created_at=AT - timedelta(minutes=2),
        updated_at=AT,
        lease_until=AT + timedelta(minutes=28),
        external_id=EXTERNAL_ID,
        metadata={"segment": "gold"},
        response_code="2000700",
        evidence=Evidence(EvidenceSource.ANSWER, AT, "2007400"),
    )


def _private_key(pem: str) -> RSAPrivateKey:
    key = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("DOKU's key is no RSA key")
    return key


def _dump(body: object) -> str:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)


def main() -> int:
    """Write or check the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file would change")
    parser.add_argument("--running", action="store_true", help="for the stack of `make run`, into .local/events")
    parser.add_argument("--out", type=Path, help="the folder to write to")
    parser.add_argument("--secret", type=Path, help="the secret's JSON of a running stack")
    parser.add_argument("--doku-key", type=Path, help="PEM of the private key of that stack's DOKU")
    parser.add_argument("--public-url", default=PUBLIC_URL, help="PUBLIC_BASE_URL of that stack")
    options = parser.parse_args()
    ids: Mapping[str, Ids] | None = None
    folder: Path = options.out or EVENTS
    if options.running:
        # Needs more than the committed events do.
        from tools.example_world import make_example_world, running_example_stack  # noqa: PLC0415 - one option needs it

        stack = running_example_stack()
        ids, signer = make_example_world(stack)
        folder = options.out or RUNNING_EVENTS
    elif options.secret and options.doku_key:
        now = datetime.now(UTC).replace(microsecond=0)
        signer = read_signer(options.secret, options.doku_key, options.public_url, now)
    else:
        signer = vector_signer()
    folder.mkdir(parents=True, exist_ok=True)
    stale = []
    for name, event in make_events(signer, ids).items():
        file = folder / f"{name}.json"
        text = json.dumps(event, indent=2, ensure_ascii=False) + "\n"
        if file.is_file() and file.read_text("utf-8") == text:
            continue
        stale.append(file.name)
        if not options.check:
            file.write_text(text, "utf-8")
    print(f"{len(stale)} of the event files {'would change' if options.check else 'written'}", *stale)
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
