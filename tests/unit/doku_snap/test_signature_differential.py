"""The product's signatures against ones computed without its libraries: RSA by arithmetic, HMAC by its definition."""

import base64
import hashlib
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from doku_snap.keys import load_private_key
from doku_snap.signing import sign_asymmetric, sign_symmetric
from tests.unit.doku_snap.support import hmac_sha512_by_hand, keys

# DigestInfo of SHA-256 (RFC 8017, 9.2).
_SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")
_KEY = load_private_key(keys()["merchantPrivateKeyPkcs8Pem"])


def rsa_by_hand(text: str) -> str:
    numbers = _KEY.private_numbers()
    modulus = numbers.public_numbers.n
    size = (modulus.bit_length() + 7) // 8
    digest_info = _SHA256_PREFIX + hashlib.sha256(text.encode()).digest()
    padded = b"\x00\x01" + b"\xff" * (size - len(digest_info) - 3) + b"\x00" + digest_info
    return base64.b64encode(pow(int.from_bytes(padded), numbers.d, modulus).to_bytes(size)).decode()


@settings(max_examples=10)
@given(st.datetimes(timezones=st.just(UTC)))
def test_rsa(moment: datetime) -> None:
    text = f"BRN-1|{moment.isoformat()}"
    assert sign_asymmetric(text, _KEY) == rsa_by_hand(text)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.text(st.characters(exclude_categories=["Cs"])))
def test_hmac(secret: str, text: str) -> None:
    assert sign_symmetric(text, secret) == hmac_sha512_by_hand(secret, text)
