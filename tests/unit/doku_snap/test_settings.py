"""Settings, credentials, keys, ids and statuses: what is accepted, and what is named when it is not."""

from dataclasses import FrozenInstanceError
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from doku_snap.credentials import Credentials
from doku_snap.errors import InvalidSetting
from doku_snap.external_id import make_external_id
from doku_snap.keys import check_private_key, load_private_key, load_public_key
from doku_snap.operations import Operation
from doku_snap.settings import PRODUCTION_URL, SANDBOX_URL, ClientSettings
from doku_snap.statuses import RefundStatus, TransactionStatus, parse_refund_status, parse_transaction_status
from doku_snap.transport import Timeout
from tests.unit.doku_snap.support import keys


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("base_url", "api.doku.com"),
        ("base_url", "ftp://api.doku.com"),
        ("base_url", "http://api.doku.com"),
        ("base_url", "https://"),
        ("base_url", "https://user:pw@api.doku.com"),
        ("base_url", "https://api.doku.com?x=1"),
        ("base_url", "https://api.doku.com#x"),
        ("base_url", "https://[::1"),
        ("base_url", "https://api.doku.com:99999"),
        ("base_url", "https://ápi.doku.com"),
        ("paths", "newest"),
        ("channel", ""),
        ("channel", "direct debit"),
        ("channel_id", ""),
        ("channel_id", "TOOLONG"),
        ("otp_field", "purpose"),
        ("otp_payment_value", ""),
        ("otp_unbinding_value", "a b"),
        ("status_service_code", "5"),
        ("status_service_code", "ab"),
        ("untied_fields", frozenset({"serviceCode", "transactionStatus"})),
        ("timestamp_skew_seconds", -1),
        ("timestamp_skew_seconds", 301),
    ],
)
def test_a_wrong_setting_is_named(setting: str, value: object) -> None:
    given: dict[str, Any] = {setting: value}
    with pytest.raises(InvalidSetting) as refused:
        ClientSettings(**given)
    assert refused.value.setting == setting


@pytest.mark.parametrize(
    "url", [SANDBOX_URL, PRODUCTION_URL, "http://localhost:9000", "http://127.0.0.1:9000/doku", "http://[::1]:9000"]
)
def test_base_urls_that_are_good(url: str) -> None:
    assert ClientSettings(base_url=url).url(Operation.INQUIRE_STATUS).endswith("/orders/v1.0/debit/status")


def test_plain_http_elsewhere_must_be_asked_for() -> None:
    settings = ClientSettings(base_url="http://simulator:9000", allow_plain_http=True)
    assert settings.url(Operation.REQUEST_B2B_TOKEN) == "http://simulator:9000/authorization/v1/access-token/b2b"


def test_settings_cannot_change() -> None:
    with pytest.raises(FrozenInstanceError):
        ClientSettings().paths = "legacy"  # type: ignore[misc]  # what the test is about


def test_the_paths_are_the_contracts() -> None:
    core = {operation.service: ClientSettings().path(operation) for operation in Operation}
    legacy = {operation.service: ClientSettings(paths="legacy").path(operation) for operation in Operation}
    assert core == {
        "73": "/authorization/v1/access-token/b2b",
        "74": "/authorization/v1/access-token/b2b2c",
        "07": "/direct-debit/core/v1/registration-account-binding",
        "04": "/direct-debit/core/v1/otp-verification",
        "11": "/direct-debit/core/v1/balance-inquiry",
        "54": "/direct-debit/core/v1/debit/payment-host-to-host",
        "55": "/orders/v1.0/debit/status",
        "58": "/direct-debit/core/v1/debit/refund",
        "09": "/direct-debit/core/v1/registration-account-unbinding",
    }
    assert legacy == {
        "73": "/api/v1/access-token/b2b",
        "74": "/api/v1/access-token/b2b2c",
        "07": "/direct-debit/cimb/v1.0/registration-account-binding",
        "04": "/direct-debit/cimb/v1.0/otp-verification",
        "11": "/direct-debit/cimb/v1.0/balance-inquiry",
        "54": "/direct-debit/cimb/v1.0/debit/payment-host-to-host",
        "55": "/orders/v1.0/debit/status",
        "58": "/direct-debit/cimb/v1.0/debit/refund",
        "09": "/direct-debit/cimb/v1.0/registration-account-unbinding",
    }


@pytest.mark.parametrize(
    ("setting", "parts"),
    [
        ("clientId", {"client_id": ""}),
        ("clientId", {"client_id": "a" * 37}),
        ("clientId", {"client_id": "a|b"}),
        ("clientId", {"client_id": "a\nb"}),
        ("secretKey", {"secret_key": ""}),
        ("secretKey", {"secret_key": "SK-pasted-with-a-line-break\n"}),
        ("merchantPrivateKey", {"private_key": "SK-not-a-key"}),
        ("merchantPrivateKey", {"private_key": keys()["merchantPublicKeyPem"]}),
    ],
)
def test_wrong_credentials_are_named_and_not_shown(setting: str, parts: dict[str, str]) -> None:
    good = {"client_id": "BRN-1", "secret_key": "SK", "private_key": keys()["merchantPrivateKeyPkcs8Pem"]}
    with pytest.raises(InvalidSetting) as refused:
        Credentials(**(good | parts))
    assert refused.value.setting == setting
    assert "SK-" not in str(refused.value)


def pem_of(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, password: bytes | None = None) -> str:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()


def test_keys_are_parsed_once() -> None:
    pem = keys()["merchantPrivateKeyPkcs8Pem"]
    assert load_private_key(pem) is load_private_key(pem)
    assert load_public_key(keys()["dokuPublicKeyPem"]) is load_public_key(keys()["dokuPublicKeyPem"])


def test_pkcs1_and_pkcs8_and_pasted_line_breaks_are_the_same_key() -> None:
    numbers = load_private_key(keys()["merchantPrivateKeyPkcs8Pem"]).private_numbers()
    assert load_private_key(keys()["merchantPrivateKeyPkcs1Pem"]).private_numbers() == numbers
    pasted = keys()["merchantPrivateKeyPkcs8Pem"].replace("\n", "\\n")
    assert load_private_key(pasted).private_numbers() == numbers
    public = load_private_key(keys()["merchantPrivateKeyPkcs8Pem"]).public_key()
    pkcs1 = public.public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode()
    assert load_public_key(pkcs1).public_numbers() == public.public_numbers()


def test_a_quick_check_takes_what_can_be_used_and_leaves_the_arithmetic_to_the_first_use() -> None:
    pem = keys()["merchantPrivateKeyPkcs8Pem"]
    check_private_key(pem)
    check_private_key(keys()["merchantPrivateKeyPkcs1Pem"])
    key = load_private_key(pem).private_numbers()
    odd = rsa.RSAPrivateNumbers(key.p, key.q, key.d + 2, key.dmp1, key.dmq1, key.iqmp, key.public_numbers)
    broken = pem_of(odd.private_key(unsafe_skip_rsa_key_validation=True))
    check_private_key(broken)
    with pytest.raises(InvalidSetting):
        load_private_key(broken)


def test_keys_that_cannot_be_used_name_their_setting() -> None:
    small = rsa.generate_private_key(65537, 1024)  # noqa: S505  weak on purpose
    curve = ec.generate_private_key(ec.SECP256R1())
    locked = pem_of(rsa.generate_private_key(65537, 2048), b"password")
    for pem in (
        pem_of(small),
        pem_of(curve),
        locked,
        "",
        "é",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
    ):
        for read in (load_private_key, check_private_key):
            with pytest.raises(InvalidSetting) as refused:
                read(pem, "someKey")
            assert refused.value.setting == "someKey"
            assert "AAAA" not in str(refused.value)
    small_public = small.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    curve_public = curve.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    for pem in (small_public, curve_public, "", keys()["merchantPrivateKeyPkcs8Pem"]):
        with pytest.raises(InvalidSetting) as refused:
            load_public_key(pem)
        assert refused.value.setting == "dokuPublicKey"


def test_an_external_id_is_the_moment_and_twelve_digits() -> None:
    asked: list[int] = []

    def digits(count: int) -> str:
        asked.append(count)
        return "000000000042"

    moment = datetime.fromisoformat("2024-11-19T14:15:09+07:00")
    assert make_external_id(moment, digits) == "20241119071509000000000042"
    assert asked == [12]


@pytest.mark.parametrize(
    "digits", ["", "1", "12345678901a", "\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19\uff10\uff11\uff12"]
)
def test_an_external_id_of_other_digits_is_refused(digits: str) -> None:
    with pytest.raises(ValueError, match="12 decimal digits"):
        make_external_id(datetime(2024, 1, 1, tzinfo=UTC), lambda _: digits)


def test_an_external_id_needs_a_zone() -> None:
    with pytest.raises(ValueError, match="aware"):
        make_external_id(datetime(2024, 1, 1), lambda count: "0" * count)  # noqa: DTZ001  the point of the test


@pytest.mark.parametrize(("connect", "read"), [(0, 1), (1, 0), (-1, 1)])
def test_a_timeout_is_positive(connect: float, read: float) -> None:
    with pytest.raises(InvalidSetting):
        Timeout(connect, read)


def test_statuses_move_forward_only() -> None:
    allowed = {(a.value, b.value) for a in TransactionStatus for b in TransactionStatus if a.may_become(b)}
    assert allowed == {(a, b) for a in ("01", "02", "03") for b in ("00", "05", "06")} | {("00", "04")}
    assert {status.value for status in TransactionStatus if status.is_final} == {"00", "04", "05", "06"}
    assert {status.value for status in RefundStatus if status.is_final} == {"00", "06"}


@pytest.mark.parametrize("text", [None, "", "8", "08", "0", "00 "])
def test_unlisted_statuses_are_none(text: str | None) -> None:
    assert parse_transaction_status(text) is None
    assert parse_refund_status(text) is None
    assert parse_transaction_status("07") is TransactionStatus.NOT_FOUND
    assert parse_refund_status("03") is RefundStatus.PENDING
