"""The simulator's own signing code against the worked vectors."""

import json
from pathlib import Path
from typing import Any

import pytest

from tools.doku_simulator.signing import (
    body_hash,
    load_private_key,
    load_public_key,
    minify,
    token_signature,
    token_signature_holds,
    transaction_signature,
)

VECTORS: dict[str, Any] = json.loads(Path("tests/vectors/signature-vectors.json").read_text(encoding="utf-8"))
KEYS = VECTORS["keys"]
SYMMETRIC = VECTORS["symmetricTransaction"]["cases"] + VECTORS["symmetricInbound"]["cases"]


@pytest.mark.parametrize("case", VECTORS["minify"]["cases"], ids=lambda case: repr(case["raw"]))
def test_minify_drops_only_blanks_between_literals(case: dict[str, str]) -> None:
    assert minify(case["raw"].encode()).decode() == case["min"]


@pytest.mark.parametrize("case", SYMMETRIC, ids=lambda case: case["name"])
def test_transaction_signature(case: dict[str, str]) -> None:
    made = transaction_signature(
        case["secret"].encode(),
        method=case["method"],
        path=case["path"],
        token=case["accessToken"],
        hashed_body=body_hash(case["bodyAsReceived"].encode()),
        timestamp=case["timestamp"],
    )
    assert made == case["signatureBase64"]


@pytest.mark.parametrize("case", VECTORS["asymmetricAccessToken"]["cases"], ids=lambda case: case["name"])
def test_token_signature(case: dict[str, str]) -> None:
    owner = "merchant" if case["signer"] == "merchant" else "doku"
    private = load_private_key(KEYS[f"{owner}PrivateKeyPkcs8Pem"])
    signature = token_signature(private, client_id=case["clientId"], timestamp=case["timestamp"])
    assert signature == case["signatureBase64"]
    public = load_public_key(KEYS[f"{owner}PublicKeyPem"])
    claims = {"client_id": case["clientId"], "timestamp": case["timestamp"]}
    assert token_signature_holds(public, **claims, signature=signature)
    assert not token_signature_holds(public, **claims, signature="AAAA" + signature[4:])
    assert not token_signature_holds(public, **claims, signature="not base64!")


@pytest.mark.parametrize("case", VECTORS["negative"]["cases"], ids=lambda case: case["name"])
def test_common_mistakes_give_other_signatures(case: dict[str, str]) -> None:
    seed = next(item for item in SYMMETRIC if item["name"] == "payment-seed-reference")
    made = transaction_signature(
        seed["secret"].encode(),
        method="POST",
        path=seed["path"],
        token=seed["accessToken"],
        hashed_body=body_hash(seed["bodyAsReceived"].encode()),
        timestamp=seed["timestamp"],
    )
    assert made != case["signature"]
