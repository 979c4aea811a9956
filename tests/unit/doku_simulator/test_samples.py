"""The signed sample requests, replayed: the simulator's gate must find nothing wrong with the good ones."""

import json
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.unit.doku_simulator.merchant import Clock, compact, parsed
from tools.doku_simulator.config import SimulatorConfig
from tools.doku_simulator.core import Simulator
from tools.doku_simulator.signing import load_public_key

KEYS = json.loads(Path("tests/vectors/signature-vectors.json").read_text(encoding="utf-8"))["keys"]
OPERATIONS: dict[str, Any] = json.loads(Path("tests/vectors/doku-cimb-samples.json").read_text(encoding="utf-8"))[
    "operations"
]
OUTBOUND = [
    pytest.param(operation, sample, id=f"{name}-{sample['name']}")
    for name, operation in OPERATIONS.items()
    if not name.startswith("inbound")
    for sample in operation["samples"]
]
# refused before any business rule, exactly as the sample says
REFUSED_AT_THE_GATE = {"bad-signature", "bad-timestamp-format", "phone-too-short", "phone-missing", "missing-otp"}
# answers of the gate itself: whatever else a sample gets, it must not be one of these
GATE_CASES = {"40000", "40001", "40002", "40100", "40101", "40103", "40104", "40301", "40402", "40500"}


def _simulator(sample: dict[str, Any]) -> Simulator:
    headers = sample["request"]["headers"]
    clock = Clock(datetime.fromisoformat(headers["X-TIMESTAMP"].replace(".123", "")))
    config = SimulatorConfig(
        client_id=KEYS["clientId"],
        secret_key=KEYS["secretKey"],
        merchant_public_key=load_public_key(KEYS["merchantPublicKeyPem"]),
    )
    simulator = Simulator(config, clock, Random(0))  # noqa: S311 - repeatable on purpose
    simulator.install_b2b_token(headers.get("Authorization", "").removeprefix("Bearer "))
    return simulator


def _customer_token(sample: dict[str, Any]) -> str:
    request = sample["request"]
    body, extra = request["body"], request["body"].get("additionalInfo", {})
    header = request["headers"].get("Authorization-Customer", "").removeprefix("Bearer ")
    return str(header or extra.get("bankCardToken") or body.get("bankCardToken") or body.get("tokenId") or "none")


@pytest.mark.parametrize(("operation", "sample"), OUTBOUND)
def test_samples_pass_the_gate(operation: dict[str, Any], sample: dict[str, Any]) -> None:
    simulator = _simulator(sample)
    request = sample["request"]
    if sample["name"] == "bad-signature":  # the sample itself is well signed: break it
        broken = "AAAA" + request["headers"]["X-SIGNATURE"][4:]
        request = {**request, "headers": {**request["headers"], "X-SIGNATURE": broken}}
    code = request["body"].get("authCode", "2238230713001534401107183161486001168389")
    if sample["name"] not in ("authcode-not-usable-or-unlinked", "unknown-token"):
        simulator.install_binding(
            customer="CUST-000123", phone="62857957868761", code=code, token=_customer_token(sample)
        )
    answer = simulator.handle(request["method"], request["path"], request["headers"], compact(request["body"]))
    expected = sample["response"]["body"]["responseCode"]
    if sample["name"] in REFUSED_AT_THE_GATE:
        assert answer.code == expected
        assert answer.body == compact(sample["response"]["body"])
        return
    assert answer.code[3:5] == operation["serviceCode"]
    if sample["name"] in ("authcode-not-usable-or-unlinked", "unknown-token"):
        assert answer.code == expected
        return
    if sample["name"] == "refresh-token":
        assert parsed(answer)["responseMessage"] == "Unauthorized. Invalid Refresh Token"
        return
    assert answer.code[:3] + answer.code[5:] not in GATE_CASES, parsed(answer)


@pytest.mark.parametrize("name", ["accountBinding", "payment", "otpVerification", "checkStatus", "refund"])
def test_a_changed_sample_fails_the_signature_check(name: str) -> None:
    sample = OPERATIONS[name]["samples"][0]
    simulator = _simulator(sample)
    request = sample["request"]
    body = compact({**request["body"], "added": "1"})
    answer = simulator.handle(request["method"], request["path"], request["headers"], body)
    assert parsed(answer)["responseMessage"] == "Unauthorized. Invalid Signature"


def test_the_seed_journey_is_answered_as_the_samples_say() -> None:
    """The seed's payment sample gives 4035413 under HTTP 403, its unbinding sample 4030913."""
    for name, index, code in (("payment", 0, "4035413"), ("accountUnbinding", 0, "4030913")):
        sample = OPERATIONS[name]["samples"][index]
        simulator = _simulator(sample)
        simulator.install_binding(customer="C", phone="62857957868761", code="1", token=_customer_token(sample))
        request = sample["request"]
        answer = simulator.handle("POST", request["path"], request["headers"], compact(request["body"]))
        assert (answer.status, answer.code) == (403, code)
        assert set(sample["response"]["body"]) <= set(parsed(answer))
