"""Signatures, checked by a calculation of the tests' own (AWS Signature V4, "Create a signed AWS API request")."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import quote, unquote

import anyio
import httpx
import pytest
from botocore.credentials import ReadOnlyCredentials

from direct_debit_client import AsyncClient, Bearer, Client, SigV4

KEY_ID, SECRET, REGION = "AKIDEXAMPLE", "a-secret-of-the-test", "ap-southeast-3"
EMPTY = '{"bindings": []}'


def sha256(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def hmac_sha256(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def canonical_query(query: str) -> str:
    """The parameters as AWS writes them for the calculation: each encoded in full, sorted by name."""
    pairs = [one.partition("=") for one in query.split("&") if one]
    return "&".join(
        sorted(f"{quote(unquote(name), safe='')}={quote(unquote(value), safe='')}" for name, _, value in pairs)
    )


def expected_authorization(request: httpx.Request) -> str:
    """What the header has to be for these bytes, headers and this time."""
    signed = request.headers["authorization"].split("SignedHeaders=")[1].split(",")[0]
    canonical = "\n".join(
        [
            request.method,
            request.url.raw_path.partition(b"?")[0].decode(),
            canonical_query(request.url.query.decode()),
            *(f"{name}:{request.headers[name].strip()}" for name in signed.split(";")),
            "",
            signed,
            sha256(request.content),
        ]
    )
    at = request.headers["x-amz-date"]
    scope = f"{at[:8]}/{REGION}/execute-api/aws4_request"
    key = ("AWS4" + SECRET).encode()
    for part in scope.split("/"):
        key = hmac_sha256(key, part)
    signature = hmac_sha256(key, f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{sha256(canonical.encode())}").hex()
    return f"AWS4-HMAC-SHA256 Credential={KEY_ID}/{scope}, SignedHeaders={signed}, Signature={signature}"


class Recorder:
    """Answers each request with the same text."""

    def __init__(self, text: str) -> None:
        self.requests: list[httpx.Request] = []
        self.transport = httpx.MockTransport(self._answer)
        self._text = text

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(200, text=self._text)


def test_a_read_is_signed() -> None:
    recorder = Recorder('{"payments": []}')
    auth = SigV4.from_keys(REGION, KEY_ID, SECRET)
    with Client("https://pay.example/v1", auth, transport=recorder.transport) as client:
        client.list_payments(customer_id="CUST-1", limit=5, after="MjAy-_")
        client.list_payments(doku_reference="a b+c/d=(e)*'!~&é%")
    page, found = recorder.requests
    assert str(page.url) == "https://pay.example/v1/payments?customerId=CUST-1&limit=5&after=MjAy-_"
    assert dict(found.url.params) == {"dokuReference": "a b+c/d=(e)*'!~&é%"}
    for request in (page, found):
        assert request.headers["authorization"] == expected_authorization(request)


def test_a_write_is_signed_with_its_body_and_key() -> None:
    recorder = Recorder("{}")
    auth = SigV4.from_keys(REGION, KEY_ID, SECRET, "a-session")
    with Client("https://pay.example:8443/v1", auth, transport=recorder.transport) as client, pytest.raises(Exception):  # noqa: B017, PT011 - the answer is no payment
        client.make_payment(binding_id="b1", amount=10000, remarks="Order 1", idempotency_key="order-1")
    (request,) = recorder.requests
    assert request.headers["authorization"] == expected_authorization(request)
    assert request.headers["x-amz-security-token"] == "a-session"
    signed = request.headers["authorization"].split("SignedHeaders=")[1].split(",")[0]
    assert signed == "content-type;host;idempotency-key;x-amz-date;x-amz-security-token"


def test_the_asynchronous_client_signs_too() -> None:
    recorder = Recorder(EMPTY)

    async def run() -> None:
        auth = SigV4.from_keys(REGION, KEY_ID, SECRET)
        async with AsyncClient("https://pay.example/v1", auth, transport=recorder.transport) as client:
            await client.list_bindings(customer_id="CUST-1")

    anyio.run(run)
    assert recorder.requests[0].headers["authorization"] == expected_authorization(recorder.requests[0])


def test_renewed_credentials_are_used() -> None:
    keys = iter(["first", "second"])
    auth = SigV4(REGION, lambda: ReadOnlyCredentials(next(keys), SECRET, None))
    recorder = Recorder(EMPTY)
    with Client("https://pay.example/v1", auth, transport=recorder.transport) as client:
        client.list_bindings(customer_id="CUST-1")
        client.list_bindings(customer_id="CUST-1")
    used = [request.headers["authorization"].split("Credential=")[1].split("/")[0] for request in recorder.requests]
    assert used == ["first", "second"]


@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_credentials_as_awss_tools_find_them(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv(variable, REGION)
    auth = SigV4.from_environment()
    assert (auth.region, auth.credentials().access_key) == (REGION, KEY_ID)


def test_without_a_region_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    with pytest.raises(ValueError, match="region"):
        SigV4.from_environment()


def test_a_bearer_token_is_asked_for_at_each_request() -> None:
    tokens = iter(["one", "two"])
    recorder = Recorder(EMPTY)
    with Client("https://pay.example/v1", Bearer(lambda: next(tokens)), transport=recorder.transport) as client:
        client.list_bindings(customer_id="CUST-1")
        client.list_bindings(customer_id="CUST-1")
    assert [request.headers["authorization"] for request in recorder.requests] == ["Bearer one", "Bearer two"]


def test_no_secret_is_shown() -> None:
    assert SECRET not in repr(SigV4.from_keys(REGION, KEY_ID, SECRET, "a-session"))
    assert "eyJ" not in repr(Bearer("eyJ"))
