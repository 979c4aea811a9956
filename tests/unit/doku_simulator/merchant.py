"""A merchant for the simulator's tests: signs with its own few lines, so that two implementations must agree."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tools.doku_simulator.config import MerchantEndpoints, ProviderVariant, SimulatorConfig
from tools.doku_simulator.core import Simulator
from tools.doku_simulator.records import SimulatedResponse

CLIENT_ID = "BRN-0201-1690000000001"
SECRET = "SK-simulator-tests"
CHANNEL = "DIRECT_DEBIT_CIMB_SNAP"
START = datetime(2026, 3, 2, 3, 0, 0, tzinfo=UTC)
PHONE = "62857957868761"

CORE = "/direct-debit/core/v1"
B2B = "/authorization/v1/access-token/b2b"
B2B2C = "/authorization/v1/access-token/b2b2c"
BIND = f"{CORE}/registration-account-binding"
OTP = f"{CORE}/otp-verification"
BALANCE = f"{CORE}/balance-inquiry"
PAY = f"{CORE}/debit/payment-host-to-host"
STATUS = "/orders/v1.0/debit/status"
REFUND = f"{CORE}/debit/refund"
UNBIND = f"{CORE}/registration-account-unbinding"

ENDPOINTS = MerchantEndpoints(
    "https://merchant.test/doku/authorization/v1/access-token/b2b",
    "https://merchant.test/doku/v1.0/debit/notify",
    "https://merchant.test/doku/v1.0/registration-account-binding/notify?via=doku",
)


@cache
def rsa_key(name: str) -> rsa.RSAPrivateKey:
    """One RSA key per name for the whole test run."""
    assert name
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Clock:
    """A clock that moves only when told."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Signer:
    """Signs and sends requests, remembering its B2B token; a subclass says how requests travel."""

    clock: Clock
    token: str = ""
    count: int = 0
    last: tuple[str, dict[str, str], bytes] = field(default=("", {}, b""))

    def handle(self, method: str, target: str, headers: dict[str, str], body: bytes) -> SimulatedResponse:
        raise NotImplementedError

    def headers(self, path: str, body: bytes, **changes: str | None) -> dict[str, str]:
        """Headers of a transaction request; `changes` replace (or, when None, remove) one, `_` for `-`."""
        self.count += 1
        timestamp = changes.pop("timestamp", None) or self.clock.now.strftime("%Y-%m-%dT%H:%M:%SZ")
        digest = hashlib.sha256(body).hexdigest()
        text = f"POST:{path}:{self.token}:{digest}:{timestamp}"
        made = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {self.token}",
            "X-TIMESTAMP": timestamp,
            "X-SIGNATURE": base64.b64encode(hmac.new(SECRET.encode(), text.encode(), hashlib.sha512).digest()).decode(),
            "X-PARTNER-ID": CLIENT_ID,
            "X-EXTERNAL-ID": f"{self.count:026d}",
            "CHANNEL-ID": "H2H",
        }
        for name, value in changes.items():
            header = next((item for item in made if item.lower() == name.lower().replace("_", "-")), None)
            key = header or name.replace("_", "-")
            if value is None:
                made.pop(key, None)
            else:
                made[key] = value
        return made

    def send(self, path: str, document: dict[str, Any] | bytes, **changes: str | None) -> SimulatedResponse:
        body = document if isinstance(document, bytes) else compact(document)
        headers = self.headers(path, body, **changes)
        self.last = path, headers, body
        return self.handle("POST", path, headers, body)

    def again(self) -> SimulatedResponse:
        """Send the very same bytes once more."""
        path, headers, body = self.last
        return self.handle("POST", path, headers, body)

    def ask_token(self, path: str = B2B, document: dict[str, Any] | None = None, **changes: str) -> SimulatedResponse:
        timestamp = changes.get("timestamp") or self.clock.now.strftime("%Y-%m-%dT%H:%M:%SZ")
        text = f"{CLIENT_ID}|{timestamp}".encode()
        signed = rsa_key("merchant").sign(text, padding.PKCS1v15(), hashes.SHA256())
        headers = {
            "Content-Type": "application/json",
            "X-CLIENT-KEY": changes.get("client", CLIENT_ID),
            "X-TIMESTAMP": timestamp,
            "X-SIGNATURE": changes.get("signature") or base64.b64encode(signed).decode(),
        }
        body = compact(document if document is not None else {"grantType": "client_credentials"})
        return self.handle("POST", path, headers, body)

    def login(self) -> None:
        self.token = parsed(self.ask_token())["accessToken"]

    # -- whole steps

    def bind(self, customer: str = "CUST-1", phone: str = PHONE, **changes: str | None) -> SimulatedResponse:
        return self.send(BIND, binding_body(customer, phone), **changes)

    def exchange(self, code: str) -> str:
        answer = self.ask_token(B2B2C, {"grantType": "authorization_code", "authCode": code, "additionalInfo": {}})
        return str(parsed(answer)["accessToken"])

    def pay(
        self, customer_token: str, reference: str = "PAY000000001", amount: str = "10000.00", **changes: str | None
    ) -> SimulatedResponse:
        changes.setdefault("authorization_customer", f"Bearer {customer_token}")
        return self.send(PAY, payment_body(reference, amount), **changes)

    def verify(self, customer_token: str, reference: str = "PAY000000001", otp: str = "123456") -> SimulatedResponse:
        return self.send(OTP, otp_body(customer_token, reference, otp))

    def paid(self, customer_token: str, reference: str = "PAY000000001", amount: str = "10000.00") -> None:
        assert self.pay(customer_token, reference, amount).code == "4035413"
        assert self.verify(customer_token, reference).code == "2000400"

    def status(self, reference: str = "PAY000000001", **more: str) -> SimulatedResponse:
        return self.send(STATUS, status_body(reference) | more)

    def refund(
        self,
        customer_token: str,
        number: str = "RF0000000001",
        reference: str = "PAY000000001",
        amount: str = "10000.00",
        **more: str,
    ) -> SimulatedResponse:
        body = refund_body(reference, number, amount) | more
        return self.send(REFUND, body, authorization_customer=f"Bearer {customer_token}")


@dataclass
class Merchant(Signer):
    """A merchant that speaks to a simulator in the same process."""

    simulator: Simulator = field(kw_only=True)

    def handle(self, method: str, target: str, headers: dict[str, str], body: bytes) -> SimulatedResponse:
        return self.simulator.handle(method, target, headers, body)

    def link(self, customer: str = "CUST-1", phone: str = PHONE) -> str:
        """Link an account and return the customer token."""
        code = parsed(self.bind(customer, phone))["additionalInfo"]["authCode"]
        assert self.simulator.customer.complete(code).linked
        return self.exchange(code)


def compact(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def parsed(response: SimulatedResponse) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(response.body)
    return document


def binding_body(customer: str = "CUST-1", phone: str = PHONE) -> dict[str, Any]:
    return {
        "phoneNo": phone,
        "additionalInfo": {
            "channel": CHANNEL,
            "custIdMerchant": customer,
            "successRegistrationUrl": "https://shop.test/bind/ok",
            "failedRegistrationUrl": "https://shop.test/bind/failed",
        },
    }


def payment_body(reference: str = "PAY000000001", amount: str = "10000.00") -> dict[str, Any]:
    return {
        "partnerReferenceNo": reference,
        "amount": {"value": amount, "currency": "IDR"},
        "additionalInfo": {
            "channel": CHANNEL,
            "remarks": f"Invoice {reference}"[:40],
            "successPaymentUrl": "https://shop.test/pay/ok",
            "failedPaymentUrl": "https://shop.test/pay/failed",
        },
    }


def otp_body(customer_token: str, reference: str | None = "PAY000000001", otp: str = "123456") -> dict[str, Any]:
    body: dict[str, Any] = {
        "otp": otp,
        "action": "otpPayment" if reference else "otpUnbind",
        "additionalInfo": {"channel": CHANNEL, "bankCardToken": customer_token},
    }
    return {"originalPartnerReferenceNo": reference, **body} if reference else body


def status_body(reference: str = "PAY000000001") -> dict[str, Any]:
    return {"originalPartnerReferenceNo": reference, "serviceCode": "54", "additionalInfo": {"channel": CHANNEL}}


def refund_body(reference: str, number: str, amount: str = "10000.00") -> dict[str, Any]:
    return {
        "originalPartnerReferenceNo": reference,
        "partnerRefundNo": number,
        "refundAmount": {"value": amount, "currency": "IDR"},
        "reason": "Customer complain",
        "additionalInfo": {"channel": CHANNEL},
    }


def balance_body() -> dict[str, Any]:
    return {"additionalInfo": {"channel": CHANNEL}}


def unbind_body(customer_token: str) -> dict[str, Any]:
    return {"tokenId": customer_token, "additionalInfo": {"channel": CHANNEL}}


def simulator_config(**settings: Any) -> SimulatorConfig:  # noqa: ANN401 - whatever the config takes
    settings.setdefault("merchant_public_key", rsa_key("merchant").public_key())
    settings.setdefault("doku_private_key", rsa_key("doku"))
    settings.setdefault("merchant", ENDPOINTS)
    return SimulatorConfig(client_id=CLIENT_ID, secret_key=SECRET, **settings)


def merchant(
    variant: dict[str, Any] | None = None,
    *,
    seed: int = 1,
    **settings: Any,  # noqa: ANN401 - whatever the config takes
) -> Merchant:
    """A merchant with a B2B token in front of a fresh simulator."""
    clock = Clock()
    config = simulator_config(variant=ProviderVariant(**(variant or {})), **settings)
    made = Merchant(clock, simulator=Simulator(config, clock, Random(seed)))  # noqa: S311 - repeatable on purpose
    made.login()
    return made
