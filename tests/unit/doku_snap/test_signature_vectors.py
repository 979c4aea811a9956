"""Every worked signature of the contract, forwards, backwards, and the mistakes that must not verify."""

import hashlib
from typing import Any

import pytest

from doku_snap.keys import load_private_key, load_public_key
from doku_snap.signing import (
    asymmetric_string_to_sign,
    minify,
    sign_asymmetric,
    sign_symmetric,
    symmetric_string_to_sign,
    verify_asymmetric,
    verify_symmetric,
)
from tests.unit.doku_snap.support import keys, signature_vectors

V = signature_vectors()
SYMMETRIC = V["symmetricTransaction"]["cases"] + V["symmetricInbound"]["cases"]
BY_NAME = {case["name"]: case for case in SYMMETRIC}


def name_of(case: dict[str, Any]) -> str:
    return str(case.get("name", case.get("raw")))


def test_no_vector_is_missing() -> None:
    counts = {
        group: len(V[group]["cases"])
        for group in (
            "asymmetricAccessToken",
            "symmetricTransaction",
            "symmetricInbound",
            "minify",
            "negative",
            "asymmetricTransactionVariant",
        )
    }
    assert counts == {
        "asymmetricAccessToken": 5,
        "symmetricTransaction": 19,
        "symmetricInbound": 3,
        "minify": 11,
        "negative": 8,
        "asymmetricTransactionVariant": 2,
    }


@pytest.mark.parametrize("case", V["minify"]["cases"], ids=name_of)
def test_minify(case: dict[str, Any]) -> None:
    assert minify(case["raw"].encode()) == case["min"].encode()


@pytest.mark.parametrize("case", V["asymmetricAccessToken"]["cases"], ids=name_of)
@pytest.mark.parametrize("form", ["Pkcs8", "Pkcs1"])
def test_asymmetric(case: dict[str, Any], form: str) -> None:
    signer = case["signer"]
    # DOKU's test key exists in one form only; the merchant's must give the same bytes in both.
    pem = keys().get(f"{signer}PrivateKey{form}Pem", keys()[f"{signer}PrivateKeyPkcs8Pem"])
    to_sign = asymmetric_string_to_sign(case["clientId"], case["timestamp"])
    assert to_sign == case["stringToSign"]
    assert sign_asymmetric(to_sign, load_private_key(pem)) == case["signatureBase64"]
    public = load_public_key(keys()[f"{signer}PublicKeyPem"])
    assert verify_asymmetric(to_sign, case["signatureBase64"], public)
    assert not verify_asymmetric(to_sign + "0", case["signatureBase64"], public)


@pytest.mark.parametrize("case", SYMMETRIC, ids=name_of)
def test_symmetric(case: dict[str, Any]) -> None:
    body = minify(case["bodyAsReceived"].encode())
    assert body == case["bodyMinified"].encode()
    assert hashlib.sha256(body).hexdigest() == case["bodySha256Hex"]
    to_sign = symmetric_string_to_sign(case["method"], case["path"], case["accessToken"], body, case["timestamp"])
    assert to_sign == case["stringToSign"]
    assert sign_symmetric(to_sign, case["secret"]) == case["signatureBase64"]


def verify(case: dict[str, Any], signature: str, **changed: str | bytes) -> bool:
    parts: dict[str, Any] = {
        "method": case["method"],
        "path": case["path"],
        "b2b_token": case["accessToken"],
        "body": case["bodyAsReceived"].encode(),
        "timestamp": case["timestamp"],
    } | changed
    return verify_symmetric(signature, case["secret"], **parts)


@pytest.mark.parametrize("case", SYMMETRIC, ids=name_of)
def test_symmetric_verifies_in_every_form_doku_may_have_hashed(case: dict[str, Any]) -> None:
    forms = [key for key in case if key == "signatureBase64" or key.startswith("signatureBase64If")]
    for form in forms:
        assert verify(case, case[form]), form


def test_the_vectors_do_hold_other_forms() -> None:
    others = {key for case in SYMMETRIC for key in case if key.startswith("signatureBase64If")}
    assert others == {
        "signatureBase64IfHashedOverAsciiEscapedJson",
        "signatureBase64IfHashedOverReserialisedUtf8Json",
    }


def test_bytes_that_went_out_unminified_verify_as_they_are() -> None:
    case = BY_NAME["payment-pretty-printed-source"]
    raw = case["bodyAsReceived"].encode()
    to_sign = symmetric_string_to_sign("POST", case["path"], case["accessToken"], raw, case["timestamp"])
    assert verify(case, sign_symmetric(to_sign, case["secret"]))


@pytest.mark.parametrize("case", V["negative"]["cases"], ids=name_of)
@pytest.mark.parametrize("against", ["payment-seed-reference", "payment-spaces-inside-strings"])
def test_common_mistakes_do_not_verify(case: dict[str, Any], against: str) -> None:
    assert case["mustNotEqual"] == BY_NAME["payment-seed-reference"]["signatureBase64"]
    assert case["signature"] != case["mustNotEqual"]
    assert not verify(BY_NAME[against], case["signature"])


@pytest.mark.parametrize(
    "changed",
    [
        {"method": "PUT"},
        {"path": "/direct-debit/core/v1/debit/payment-host-to-host?x=1"},
        {"b2b_token": "other"},
        {"body": b"{}"},
        {"timestamp": "2024-11-19T07:15:01Z"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_each_part_is_signed(changed: dict[str, Any]) -> None:
    case = BY_NAME["payment-seed-reference"]
    assert verify(case, case["signatureBase64"])
    assert not verify(case, case["signatureBase64"], **changed)


def test_signatures_are_case_sensitive() -> None:
    case = BY_NAME["payment-seed-reference"]
    assert not verify(case, case["signatureBase64"].lower())
    assert not verify(case, case["signatureBase64"].swapcase())


def test_key_order_is_part_of_the_body() -> None:
    assert BY_NAME["payment-key-order-a"]["signatureBase64"] != BY_NAME["payment-key-order-b"]["signatureBase64"]
    assert not verify(BY_NAME["payment-key-order-a"], BY_NAME["payment-key-order-b"]["signatureBase64"])


@pytest.mark.parametrize("case", V["asymmetricTransactionVariant"]["cases"], ids=name_of)
def test_the_variant_that_direct_debit_does_not_use(case: dict[str, Any]) -> None:
    source = BY_NAME[case["name"]]
    digest = hashlib.sha256(minify(source["bodyAsReceived"].encode())).hexdigest()
    to_sign = f"{source['method']}:{source['path']}:{digest}:{source['timestamp']}"
    assert to_sign == case["stringToSign"]
    assert sign_asymmetric(to_sign, load_private_key(keys()["merchantPrivateKeyPkcs8Pem"])) == case["signatureBase64"]


@pytest.mark.parametrize("garbage", ["", "=", "not base64", "é", "A" * 344, "\ud800"])
def test_garbage_is_no_signature(garbage: str) -> None:
    assert not verify(BY_NAME["payment-seed-reference"], garbage)
    assert not verify_asymmetric("a|b", garbage, load_public_key(keys()["dokuPublicKeyPem"]))
