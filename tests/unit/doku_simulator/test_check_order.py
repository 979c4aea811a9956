"""The order of the checks (contract section 8): each row wins over everything that comes after it."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.unit.doku_simulator.merchant import PAY, SECRET, Merchant, compact, merchant, parsed, payment_body
from tools.doku_simulator.records import SimulatedResponse


@dataclass
class Draft:
    method: str
    path: str
    headers: dict[str, str]
    document: dict[str, Any]
    broken_json: bool = False
    bad_signature: bool = False

    def send(self, sender: Merchant) -> SimulatedResponse:
        body = b'{"partnerReferenceNo":' if self.broken_json else compact(self.document)
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        text = f"POST:{self.path}:{token}:{hashlib.sha256(body).hexdigest()}:{self.headers['X-TIMESTAMP']}"
        secret = b"another secret" if self.bad_signature else SECRET.encode()
        self.headers["X-SIGNATURE"] = base64.b64encode(hmac.digest(secret, text.encode(), "sha512")).decode()
        return sender.simulator.handle(self.method, self.path, self.headers, body)


def _header(name: str, value: str | None) -> Callable[[Draft], None]:
    def change(draft: Draft) -> None:
        if value is None:
            draft.headers.pop(name, None)
        else:
            draft.headers[name] = value

    return change


def _attribute(name: str, value: object) -> Callable[[Draft], None]:
    return lambda draft: setattr(draft, name, value)


def _document(change: Callable[[dict[str, Any]], object]) -> Callable[[Draft], None]:
    def apply(draft: Draft) -> None:
        change(draft.document)

    return apply


ROWS: list[tuple[str, Callable[[Draft], None], str, str]] = [
    ("unknown path", _attribute("path", "/direct-debit/core/v9/nothing"), "4040002", "Invalid Routing"),
    ("wrong method", _attribute("method", "PUT"), "4055400", "Requested Function Is Not Supported"),
    ("header missing", _header("X-PARTNER-ID", None), "4005402", "Invalid Mandatory Field X-PARTNER-ID"),
    (
        "time stamp format",
        _header("X-TIMESTAMP", "2026-03-02T03:00:00.000Z"),
        "4005401",
        "Invalid Field Format X-TIMESTAMP",
    ),
    ("skew", _header("X-TIMESTAMP", "2026-03-02T02:54:59Z"), "4015400", "Unauthorized. Timestamp outside the window"),
    ("no bearer", _header("Authorization", None), "4015403", "Token Not Found (B2B)"),
    ("unknown B2B token", _header("Authorization", "Bearer stranger"), "4015401", "Invalid Token (B2B)"),
    ("partner", _header("X-PARTNER-ID", "BRN-9999-0000000000000"), "4015400", "Unauthorized. Unknown Client"),
    ("signature", _attribute("bad_signature", value=True), "4015400", "Unauthorized. Invalid Signature"),
    ("external id", _header("X-EXTERNAL-ID", "ABC-1"), "4005401", "Invalid Field Format X-EXTERNAL-ID"),
    ("external id reused", _header("X-EXTERNAL-ID", "777"), "4095400", "Conflict"),
    ("not JSON", _attribute("broken_json", value=True), "4005400", "Bad Request"),
    (
        "field missing",
        _document(lambda body: body["additionalInfo"].pop("remarks", None)),
        "4005402",
        "Invalid Mandatory Field additionalInfo.remarks",
    ),
    (
        "field format",
        _document(lambda body: body["amount"].update(value="10000")),
        "4005401",
        "Invalid Field Format amount.value",
    ),
    (
        "channel",
        _document(lambda body: body["additionalInfo"].update(channel="DIRECT_DEBIT_BRI_SNAP")),
        "4035401",
        "Feature Not Allowed channel",
    ),
    ("customer token missing", _header("Authorization-Customer", None), "4015404", "Customer Token Not Found"),
    ("customer token", _header("Authorization-Customer", "Bearer stranger"), "4015402", "Invalid Customer Token"),
    ("business", _document(lambda body: body["amount"].update(value="10014.00")), "4035414", "Insufficient Funds"),
]


def _draft(sender: Merchant) -> Draft:
    headers = sender.headers(PAY, b"")
    headers["Authorization-Customer"] = f"Bearer {sender.link()}"
    return Draft("POST", PAY, headers, payment_body())


@pytest.mark.parametrize("row", range(len(ROWS)), ids=[row[0] for row in ROWS])
def test_each_check_wins_over_the_later_ones(row: int) -> None:
    sender = merchant()
    draft = _draft(sender)
    assert sender.send(PAY, payment_body("FIRST"), x_external_id="777").code == "4015404"
    for _, spoil, _, _ in reversed(ROWS[row:]):
        spoil(draft)
    answer = draft.send(sender)
    assert (answer.code, parsed(answer)["responseMessage"]) == ROWS[row][2:]
    assert sender.simulator.bank.ledger == []


@pytest.mark.parametrize("row", range(len(ROWS)), ids=[row[0] for row in ROWS])
def test_each_check_bites_alone(row: int) -> None:
    sender = merchant()
    draft = _draft(sender)
    sender.send(PAY, payment_body("FIRST"), x_external_id="777")
    ROWS[row][1](draft)
    assert draft.send(sender).code == ROWS[row][2]


def test_a_good_request_passes_all_of_them() -> None:
    sender = merchant()
    assert _draft(sender).send(sender).code == "4035413"


@pytest.mark.parametrize("name", ["Content-Type", "X-TIMESTAMP", "X-SIGNATURE", "X-PARTNER-ID", "X-EXTERNAL-ID"])
def test_every_mandatory_header_is_named(name: str) -> None:
    sender = merchant()
    headers = sender.headers(PAY, b"{}")
    del headers[name]
    answer = sender.simulator.handle("POST", PAY, headers, b"{}")
    assert (answer.status, answer.code) == (400, "4005402")
    assert parsed(answer)["responseMessage"] == f"Invalid Mandatory Field {name}"


@pytest.mark.parametrize(
    "timestamp",
    ["2026-03-02T03:00:00", "2026-03-02 03:00:00Z", "2026-03-02T03:00:00-00:00", "2026-03-02T08:30:00+5.5:30", "now"],
)
def test_odd_time_stamps_are_refused(timestamp: str) -> None:
    sender = merchant()
    assert sender.send(PAY, payment_body(), timestamp=timestamp).code == "4005401"


@pytest.mark.parametrize("timestamp", ["2026-03-02T10:00:00+07:00", "2026-03-02T03:05:00Z", "2026-03-02T02:55:00Z"])
def test_wib_and_the_edges_of_the_window_are_accepted(timestamp: str) -> None:
    sender = merchant()
    assert sender.pay(sender.link(), timestamp=timestamp).code == "4035413"


def test_the_signature_covers_path_query_body_and_time() -> None:
    sender = merchant()
    token = sender.link()
    body = compact(payment_body())
    headers = sender.headers(PAY, body, authorization_customer=f"Bearer {token}")
    tampered = compact(payment_body(amount="10000.01"))
    assert sender.simulator.handle("POST", PAY, headers, tampered).code == "4015400"
    assert sender.simulator.handle("POST", f"{PAY}?a=1", headers, body).code == "4015400"
    moved = {**headers, "X-TIMESTAMP": "2026-03-02T03:00:01Z"}
    assert sender.simulator.handle("POST", PAY, moved, body).code == "4015400"
    signed_query = sender.headers(f"{PAY}?a=1", body, authorization_customer=f"Bearer {token}")
    assert sender.simulator.handle("POST", f"{PAY}?a=1", signed_query, body).code == "4035413"


def test_blanks_between_literals_do_not_change_the_signature() -> None:
    sender = merchant()
    document = payment_body()
    headers = sender.headers(PAY, compact(document), authorization_customer=f"Bearer {sender.link()}")
    assert sender.simulator.handle("POST", PAY, headers, json.dumps(document, indent=2).encode()).code == "4035413"


def test_header_names_are_case_insensitive_and_the_customer_token_may_be_bare() -> None:
    sender = merchant()
    token = sender.link()
    body = compact(payment_body())
    headers = sender.headers(PAY, body, authorization_customer=token)
    shouted = {name.upper(): value for name, value in headers.items()}
    assert sender.simulator.handle("POST", PAY, shouted, body).code == "4035413"


def test_a_body_must_be_canonical_where_the_server_writes_it_again() -> None:
    sender = merchant({"body_rule": "both"})
    token = sender.link()
    escaped = compact(payment_body()).replace(b"https://", rb"https:\/\/")
    answer = sender.send(PAY, escaped, authorization_customer=f"Bearer {token}")
    assert answer.code == "4015400"
    assert sender.pay(token).code == "4035413"


@pytest.mark.parametrize("body", [b"", b"[]", b'"text"', b"[" * 50_000, b"\xff\xfe", b'{"a":"' + b"x" * 70_000 + b'"}'])
def test_bodies_that_are_no_small_object_are_bad_requests(body: bytes) -> None:
    sender = merchant()
    assert sender.send(PAY, body).code == "4005400"


def test_strict_mode_takes_twelve_characters() -> None:
    loose, strict = merchant(), merchant(strict_lengths=True)
    assert loose.pay(loose.link(), "SIM_20230829_0001").code == "4035413"
    token = strict.link()
    assert strict.pay(token, "SIM_20230829_0001").code == "4005401"
    assert strict.pay(token, "PAY000000001").code == "4035413"
