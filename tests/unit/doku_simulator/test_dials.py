"""Faults on demand, determinism, configuration, speed of the core."""

import json
from typing import Literal

import pytest

from tests.unit.doku_simulator.merchant import CLIENT_ID, PAY, SECRET, Merchant, merchant, parsed, rsa_key
from tools.doku_simulator.config import ConfigError, read_config, read_merchant, read_variant
from tools.doku_simulator.dials import FAULTS, GARBAGE, Dial, Fault, Garbage, read_dial
from tools.doku_simulator.signing import private_pem, public_pem


def _linked() -> tuple[Merchant, str]:
    sender = merchant()
    return sender, sender.link()


def test_a_drop_before_the_effect_leaves_nothing() -> None:
    sender, token = _linked()
    sender.simulator.add_dial(Dial("payment", "drop", "before"))
    assert sender.pay(token).dropped
    assert sender.status().code == "4045501"
    assert sender.again().code == "4045501"  # the dropped request's id was never seen


def test_a_drop_after_the_effect_loses_only_the_answer() -> None:
    sender, token = _linked()
    sender.pay(token)
    sender.simulator.add_dial(Dial("otp", "drop", "after"))
    assert sender.verify(token).dropped
    assert len(sender.simulator.bank.ledger) == 1
    assert parsed(sender.status())["latestTransactionStatus"] == "00"


def test_a_request_may_arrive_late() -> None:
    sender, token = _linked()
    sender.simulator.add_dial(Dial("payment", "late", delay_seconds=600))
    assert sender.pay(token).dropped
    sender.clock.forward(599)
    assert sender.status().code == "4045501"
    sender.clock.forward(1)
    assert parsed(sender.status())["latestTransactionStatus"] == "03"


def test_a_late_request_is_not_answered_twice() -> None:
    sender, token = _linked()
    sender.simulator.add_dial(Dial("payment", "late", delay_seconds=10))
    sender.pay(token, x_external_id="77")
    assert sender.again().code == "4095400"
    sender.clock.forward(10)
    again = sender.again()
    assert (again.status, again.code) == (409, "4035413")


def test_a_delay_keeps_the_answer() -> None:
    sender, token = _linked()
    sender.simulator.add_dial(Dial("payment", "delay", delay_seconds=25))
    answer = sender.pay(token)
    assert (answer.code, answer.delay_seconds, answer.dropped) == ("4035413", 25, False)


@pytest.mark.parametrize(("when", "entries"), [("before", 0), ("after", 1)])
@pytest.mark.parametrize("fault", ["status", "code", "garbage", "hang"])
def test_before_and_after(fault: Fault, when: Literal["before", "after"], entries: int) -> None:
    sender, token = _linked()
    sender.pay(token)
    sender.simulator.add_dial(Dial("otp", fault, when, status=503, code="5040400", garbage="truncated"))
    answer = sender.verify(token)
    assert len(sender.simulator.bank.ledger) == entries
    if fault == "status":
        assert (answer.status, answer.headers["Content-Type"]) == (503, "text/html")
    elif fault == "code":
        assert (answer.status, parsed(answer)["responseCode"]) == (504, "5040400")
    elif fault == "hang":
        assert answer.dropped
        assert answer.hang
    else:
        with pytest.raises(ValueError, match=r"."):
            json.loads(answer.body)


def test_too_many_requests_with_retry_after() -> None:
    sender, token = _linked()
    sender.simulator.add_dial(Dial("payment", "code", "before", code="42900", retry_after=7))
    answer = sender.pay(token)
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (429, "4295400", "7")


def test_dials_count_skip_and_select() -> None:
    sender, token = _linked()
    sender.simulator.add_dial(Dial("payment", "status", "before", count=2, skip=1))
    assert sender.status("X").code == "4045501"
    assert [sender.pay(token, name).status for name in "ABCD"] == [403, 500, 500, 403]
    assert sender.simulator.dials.active == []


@pytest.mark.parametrize("kind", GARBAGE)
def test_garbage(kind: Garbage) -> None:
    sender, token = _linked()
    good = sender.pay(token, "A")
    sender.simulator.add_dial(Dial("payment", "garbage", garbage=kind))
    answer = sender.pay(token, "A")
    if kind == "half":
        assert answer.cut_after == len(answer.body) // 2
    else:
        assert answer.body != good.body
    assert len(sender.simulator.world.all_payments()) == 1


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"operation": "payment"},
        {"operation": "nothing", "fault": "drop"},
        {"operation": "payment", "fault": "explode"},
        {"operation": "payment", "fault": "drop", "count": 0},
        {"operation": "payment", "fault": "drop", "count": "1"},
        {"operation": "payment", "fault": "drop", "when": "never"},
        {"operation": "payment", "fault": "code", "code": "abc"},
        {"operation": "payment", "fault": "garbage", "garbage": "roses"},
        {"operation": "payment", "fault": "drop", "colour": "red"},
    ],
)
def test_bad_dials_are_refused(document: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_dial(document)


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_can_be_read(fault: str) -> None:
    dial = read_dial({"operation": "*", "fault": fault, "delaySeconds": 3, "retryAfter": 1})
    assert (dial.fault, dial.delay_seconds, dial.retry_after) == (fault, 3, 1)


def test_the_log_holds_no_secret() -> None:
    sender, token = _linked()
    sender.paid(token)
    sender.simulator.add_dial(Dial("payment", "drop", "after"))
    sender.pay(token, "B")
    log = repr(list(sender.simulator.requests)) + repr(list(sender.simulator.world.bindings.values()))
    for secret in (token, sender.token, "123456", "62857957868761"):
        assert secret not in log
    last = sender.simulator.requests[-1]
    assert (last.operation, last.reference, last.code, last.fault) == ("payment", "B", "4035413", "drop after")


def test_a_shifted_clock() -> None:
    sender, token = _linked()
    sender.pay(token, amount="10202.00")
    sender.simulator.shift_clock(400)
    assert len(sender.simulator.bank.ledger) == 1
    assert sender.status().code == "4015500"
    sender.simulator.shift_clock(-400)
    assert sender.status().code == "2005500"


# -- determinism


def _story(seed: int) -> list[bytes]:
    sender = merchant({"success_delay": (1.0, 50.0)}, seed=seed)
    told: list[bytes] = []
    token = sender.link()
    for number in range(20):
        told.append(sender.pay(token, f"R{number}").body)
        told.append(sender.verify(token, f"R{number}", "123456" if number % 3 else "999999").body)
        sender.clock.forward(7)
        for delivery in sender.simulator.due_deliveries():
            told.append(sender.simulator.build_token_request().headers["X-SIGNATURE"].encode())
            told.append(repr(sender.simulator.build_notification(delivery, "t")).encode())
            sender.simulator.record_result(delivery, 200 if number % 2 else 500)
        told.append(sender.status(f"R{number}").body)
    told.append(repr(sender.simulator.bank.ledger).encode())
    return told


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert _story(7) == _story(7)
    assert _story(7) != _story(8)


# -- configuration


def _document(**changes: object) -> dict[str, object]:
    return {
        "clientId": CLIENT_ID,
        "secretKey": SECRET,
        "merchantPublicKey": public_pem(rsa_key("merchant").public_key()),
        "dokuPrivateKey": private_pem(rsa_key("doku")),
        "merchant": {"tokenUrl": "http://127.0.0.1:1/t", "notifyUrl": "http://127.0.0.1:1/n"},
        "variant": {"status_lag": 5, "success_delay": [1, 2]},
        "otpLifetime": 60,
        "notificationRetries": [1, 2],
    } | changes


def test_a_configuration_is_read() -> None:
    config = read_config(_document())
    assert (config.otp_lifetime, config.notification_retries) == (60.0, (1.0, 2.0))
    assert (config.variant.status_lag, config.variant.success_delay) == (5.0, (1.0, 2.0))
    assert config.merchant is not None
    assert config.merchant.binding_notify_url is None
    assert SECRET not in repr(config)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"clientId": ""}, "clientId"),
        ({"secretKey": 5}, "secretKey"),
        ({"merchantPublicKey": None}, "merchantPublicKey"),
        ({"merchantPublicKey": "not a key"}, "merchantPublicKey"),
        ({"merchant": {"tokenUrl": "http://x/"}}, "merchant.notifyUrl"),
        ({"merchant": []}, "merchant"),
        ({"otpLifetime": "60"}, "otpLifetime"),
        ({"strictLengths": 1}, "strictLengths"),
        ({"notificationRetries": ["a"]}, "notificationRetries"),
        ({"colour": "red"}, "colour"),
        ({"variant": {"colour": "red"}}, "colour"),
        ({"variant": {"not_found_as": "shrug"}}, "not_found_as"),
        ({"variant": {"success_delay": [1]}}, "success_delay"),
    ],
)
def test_bad_settings_are_named(change: dict[str, object], name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        read_config(_document(**change))


def test_variants_and_merchants_are_changed_in_place() -> None:
    variant = read_variant({"otp_required": False}, read_variant({"status_lag": 3}))
    assert (variant.otp_required, variant.status_lag) == (False, 3.0)
    with pytest.raises(ConfigError):
        read_variant("otp")
    with pytest.raises(ConfigError):
        read_merchant({"tokenUrl": "ftp://x", "notifyUrl": "http://x"})


def test_unknown_paths_may_be_dialled_too() -> None:
    sender, _ = _linked()
    sender.simulator.add_dial(Dial("*", "drop", "after"))
    assert sender.send("/nowhere", {}).dropped
    assert sender.send(PAY + "/", {}).code == "4040002"
