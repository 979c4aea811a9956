"""What only a replaced key proves moves no money before DOKU's status says so (findings/security.md, S1)."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from direct_debit.application.ports.telemetry import Metric
from direct_debit.domain.binding import BindingState
from direct_debit.domain.payment import PaymentState
from direct_debit.entrypoint import container
from doku_snap.keys import load_private_key
from doku_snap.signing import asymmetric_string_to_sign, format_timestamp, sign_asymmetric
from tests.integration.handlers.house import (
    IN_USE,
    KEYS,
    REPLACED,
    House,
    binding_body,
    payment_body,
    read_keys,
    verify_with,
)
from tests.integration.handlers.test_inbound import event
from tools.doku_simulator.magic_values import RIGHT_OTP
from tools.make_events import BINDING_NOTIFY_PATH, NOTIFY_PATH, Signer, vector_signer

REF = "INV000000001"


def signer(house: House, **keys: Any) -> Signer:  # noqa: ANN401 - the fields of a signer
    return replace(vector_signer(), at=house.world.clock.now(), **keys)


def thief(house: House) -> Signer:
    """Has the secret key and the key of issued tokens that were replaced."""
    return signer(house, secret_key=REPLACED.secret_keys[0], issued_token_key=REPLACED.issued_token_keys[0])


def send(
    house: House,
    by: Signer,
    content: Mapping[str, object],
    name: str = "receive_payment_notification",
    token: str | None = None,
) -> int:
    path = NOTIFY_PATH if name == "receive_payment_notification" else BINDING_NOTIFY_PATH
    body = json.dumps(content)
    headers = by.notification_headers(path, body.encode(), "1", token)
    status: int = house.invoke(name, {**event(name), "path": path, "headers": headers, "body": body})["statusCode"]
    return status


def paid(status: str = "00") -> dict[str, object]:
    return {
        "originalPartnerReferenceNo": REF,
        "latestTransactionStatus": status,
        "amount": {"value": "10000.00", "currency": "IDR"},
        "additionalInfo": {"custIdMerchant": "CUST-1"},
    }


def pay(house: House) -> None:
    house.call("make_payment", payment_body(house.link(), partnerReferenceNo=REF))


def state(house: House) -> PaymentState:
    payment = house.ports.payments.get(REF)
    assert payment is not None
    return payment.state


def test_leaked_keys_that_were_replaced_pay_nothing(house: House) -> None:
    pay(house)
    assert send(house, thief(house), paid()) == 200
    house.world.pump()
    house.world.run_for(90)
    assert state(house) is PaymentState.OTP_PENDING
    assert house.world.telemetry.counts[Metric.NOTIFICATION_BY_REPLACED_KEY] == 1


@pytest.mark.parametrize("status", ["04", "05", "06"])
def test_nor_do_they_end_a_payment(house: House, status: str) -> None:
    pay(house)
    assert send(house, thief(house), paid(status)) == 200
    house.world.pump()
    assert state(house) is PaymentState.OTP_PENDING


@pytest.mark.parametrize(
    "keys",
    [{"secret_key": REPLACED.secret_keys[0]}, {"issued_token_key": REPLACED.issued_token_keys[0]}],
    ids=["the secret key", "the key of issued tokens"],
)
def test_during_a_rotation_what_is_true_counts_as_soon_as_doku_confirms_it(house: House, keys: dict[str, Any]) -> None:
    pay(house)
    house.world.simulator.notifications.dials.clear()
    house.call("verify_payment_otp", {"otp": RIGHT_OTP}, path={"ref": REF})
    assert state(house) is PaymentState.PROCESSING
    house.world.clock.tick(5)
    assert send(house, signer(house, **keys), paid()) == 200
    house.world.pump()
    house.world.run_for(120)
    assert state(house) is PaymentState.PAID


def test_a_token_that_a_replaced_key_of_dokus_got_pays_nothing(house: House) -> None:
    """Its request was proved by that key alone; the notification's own signature is by the key in use."""
    pay(house)
    old = load_private_key(KEYS["merchantPrivateKeyPkcs8Pem"])
    token = granted(house, old)
    house.world.clock.tick(1)
    ours = signer(house)
    assert send(house, ours, paid(), token=token) == 200
    house.world.pump()
    assert state(house) is PaymentState.OTP_PENDING
    fresh = granted(house, load_private_key(KEYS["dokuPrivateKeyPkcs8Pem"]))
    assert send(house, ours, paid(), token=fresh) == 200
    house.world.pump()
    assert state(house) is PaymentState.PAID


def test_a_false_one_does_not_stand_for_the_true_one(house: House) -> None:
    pay(house)
    assert send(house, thief(house), paid()) == 200
    house.world.pump()
    assert send(house, signer(house), paid()) == 200
    house.world.pump()
    assert state(house) is PaymentState.PAID


def test_a_replaced_key_puts_no_auth_code_to_a_link_and_ends_none(house: House) -> None:
    linked = house.call("bind_account", binding_body(customerId="CUST-1")).json
    asked = house.ports.bindings.get(linked["bindingId"])
    assert asked is not None
    without_code = replace(asked.noted(house.world.clock.now()), auth_code=None)
    binding = house.ports.bindings.save(asked, without_code)  # DOKU's answer brought none (contract 3.3)
    for status in ("SUCCESS", "FAILED"):
        content: Mapping[str, object] = {
            "originalExternalId": binding.external_id,
            "additionalInfo": {"status": status, "authCode": "stolen-code", "custIdMerchant": "CUST-1"},
        }
        assert send(house, thief(house), content, "receive_binding_notification") == 200
        house.world.pump()
        after = house.ports.bindings.get(binding.id)
        assert after is not None
        assert (after.state, after.auth_code) == (BindingState.PENDING, binding.auth_code)


def test_keys_that_may_have_been_replaced_prove_as_little(house: House) -> None:
    """Secrets Manager does not answer: whether the kept keys are in use still is not known."""
    pay(house)
    doubtful = replace(IN_USE, are_in_use=False)
    inbound = verify_with(lambda _: doubtful, house.world.clock)
    with container.install(replace(house.services, inbound=inbound)):
        assert send(house, signer(house), paid()) == 200
    house.world.pump()
    assert state(house) is PaymentState.OTP_PENDING


def test_after_the_overlap_a_replaced_key_is_refused(house: House) -> None:
    pay(house)
    inbound = verify_with(lambda _: IN_USE, house.world.clock)
    assert read_keys(previous=True) != IN_USE
    with container.install(replace(house.services, inbound=inbound)):
        assert send(house, thief(house), paid()) == 401


def granted(house: House, key: RSAPrivateKey) -> str:
    timestamp = format_timestamp(house.world.clock.now())
    headers = {
        "X-CLIENT-KEY": KEYS["clientId"],
        "X-TIMESTAMP": timestamp,
        "X-SIGNATURE": sign_asymmetric(asymmetric_string_to_sign(KEYS["clientId"], timestamp), key),
    }
    body = '{"grantType": "client_credentials"}'
    result = house.invoke("issue_token", {**event("issue_token"), "headers": headers, "body": body})
    assert result["statusCode"] == 200, result["body"]
    token: str = json.loads(result["body"])["accessToken"]
    return token
