"""The simulator over real sockets: API, faults on the wire, notifications, controls, the command line."""

import http.client
import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.doku_simulator.running import HttpMerchant, Receiver, answered, configuration, running_simulator
from tests.patience import PATIENCE_SECONDS
from tests.unit.doku_simulator.merchant import OTP, PAY, UNBIND, otp_body, unbind_body
from tools.local_cloud.executions import poll_until


def _debits(merchant: HttpMerchant) -> list[tuple[str, str]]:
    return [(entry["kind"], entry["reference"]) for entry in merchant.control("ledger")["entries"]]


def test_the_whole_journey(merchant: HttpMerchant, receiver: Receiver) -> None:
    token = merchant.link_account()
    binding = receiver.next()
    assert (binding.authentic, binding.path) == (True, "/doku/v1.0/registration-account-binding/notify")
    assert binding.body["additionalInfo"]["status"] == "SUCCESS"

    pay = merchant.pay(token)
    assert (pay.status, answered(pay)) == (403, "4035413")
    assert _debits(merchant) == []
    assert answered(merchant.verify(token)) == "2000400"
    paid = receiver.next()
    assert (paid.authentic, paid.body["latestTransactionStatus"]) == (True, "00")
    assert answered(merchant.refund(token)) == "2005800"
    assert receiver.next().body["latestTransactionStatus"] == "04"
    assert answered(merchant.send(UNBIND, unbind_body(token))) == "4030913"
    assert answered(merchant.send(OTP, otp_body(token, None))) == "2000400"
    assert _debits(merchant) == [("debit", "PAY000000001"), ("refund", "PAY000000001")]
    assert receiver.tokens_asked == 3


def test_the_signature_covers_the_query_as_sent(merchant: HttpMerchant) -> None:
    token = merchant.link_account()
    body = b'{"additionalInfo":{"channel":"DIRECT_DEBIT_CIMB_SNAP"}}'
    target = "/direct-debit/core/v1/balance-inquiry?a=%20b&c"
    answer = merchant.send(target, body, authorization_customer=f"Bearer {token}")
    assert answered(answer) == "2001100"
    assert answer.headers["content-type"] == "application/json"


def test_a_dropped_answer_is_really_dropped_after_the_effect(merchant: HttpMerchant) -> None:
    token = merchant.link_account()
    merchant.pay(token)
    merchant.control("dials", {"operation": "otp", "fault": "drop", "when": "after"})
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        merchant.verify(token)
    assert _debits(merchant) == [("debit", "PAY000000001")]
    assert json.loads(merchant.status().body)["latestTransactionStatus"] == "00"


def test_a_dropped_request_had_no_effect(merchant: HttpMerchant) -> None:
    token = merchant.link_account()
    merchant.control("dials", {"operation": "payment", "fault": "drop", "when": "before"})
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        merchant.pay(token)
    assert answered(merchant.status()) == "4045501"


def test_a_hanging_answer_times_the_client_out(merchant: HttpMerchant, server: HttpMerchant) -> None:
    token = merchant.link_account()
    merchant.control("dials", {"operation": "payment", "fault": "hang"})

    def worked_on() -> None:
        poll_until("the request", lambda: server.control("requests?operation=payment")["requests"], PATIENCE_SECONDS)

    merchant.gives_up_after = worked_on
    with pytest.raises(TimeoutError):
        merchant.pay(token)
    merchant.gives_up_after = None
    assert json.loads(merchant.status().body)["latestTransactionStatus"] == "03"


def test_half_a_body(merchant: HttpMerchant) -> None:
    token = merchant.link_account()
    merchant.control("dials", {"operation": "payment", "fault": "garbage", "garbage": "half"})
    with pytest.raises(http.client.IncompleteRead):
        merchant.pay(token)


def test_a_large_body_and_a_plain_503(merchant: HttpMerchant) -> None:
    merchant.control("dials", {"operation": "status", "fault": "garbage", "garbage": "large"})
    assert len(merchant.status().body) > 10_000_000
    merchant.control("dials", {"operation": "status", "fault": "status", "status": 503, "retryAfter": 9})
    answer = merchant.status()
    assert (answer.status, answer.headers["retry-after"]) == (503, "9")


def test_a_delayed_answer_arrives(merchant: HttpMerchant) -> None:
    merchant.control("dials", {"operation": "status", "fault": "delay", "delaySeconds": 0.2})
    assert answered(merchant.status()) == "4045501"


def test_a_failed_notification_comes_again_on_the_schedule(merchant: HttpMerchant, receiver: Receiver) -> None:
    receiver.answers = [200, 500, 200]
    token = merchant.link_account()
    receiver.next()
    _pay(merchant, token)
    assert receiver.next().authentic
    # The next attempt is counted from the end of this one.
    while merchant.control("deliveries")["deliveries"][-1]["results"] != [500]:
        pass
    merchant.control("clock", {"shift": 1_801})
    again = receiver.next()
    assert (again.authentic, again.body["latestTransactionStatus"]) == (True, "00")


def test_notification_faults_over_the_control_api(merchant: HttpMerchant, receiver: Receiver) -> None:
    token = merchant.link_account()
    receiver.next()
    merchant.control("notifications/duplicate", {"count": 1})
    _pay(merchant, token)
    assert [receiver.next().body["originalPartnerReferenceNo"] for _ in range(2)] == ["PAY000000001"] * 2
    merchant.control("notifications/resend", {"reference": "PAY000000001"})
    assert receiver.next().authentic
    merchant.control("notifications/forge", {"reference": "PAY000000001", "forgery": "signature"})
    assert not receiver.next().authentic
    merchant.control("notifications/fail", {"count": 1})
    resent = merchant.control("notifications/resend", {"reference": "PAY000000001"})["delivery"]["id"]
    while merchant.control("deliveries")["deliveries"][resent - 1]["results"] != [None]:
        pass
    merchant.control("clock", {"shift": 1_801})
    assert receiver.next().authentic
    states = [item["state"] for item in merchant.control("deliveries?reference=PAY000000001")["deliveries"]]
    assert states.count("given_up") == 1


def test_the_notification_may_come_before_the_answer(merchant: HttpMerchant, receiver: Receiver) -> None:
    token = merchant.link_account()
    receiver.next()
    merchant.pay(token)
    merchant.control("variant", {"notification_before_answer": True})
    merchant.verify(token)
    assert receiver.received.get_nowait().body["latestTransactionStatus"] == "00"


def test_a_merchant_that_is_down_gets_it_later(merchant: HttpMerchant, receiver: Receiver) -> None:
    merchant.control("merchant", {"tokenUrl": "http://127.0.0.1:9/t", "notifyUrl": "http://127.0.0.1:9/n"})
    merchant.link_account()
    # the clock's shift comes only after the first attempt was refused, whichever comes first on the wire
    while merchant.control("deliveries")["deliveries"][0]["results"] != [None]:
        pass
    merchant.control("merchant", receiver.endpoints)
    merchant.control("clock", {"shift": 1_801})
    assert receiver.next().authentic


def test_controls_show_the_truth_and_no_secret(merchant: HttpMerchant) -> None:
    token = merchant.link_account()
    _pay(merchant, token)
    state = merchant.control("state")
    assert state["payments"][0]["state"] == "PAID"
    assert state["bindings"][0]["phone"].endswith("•761")
    assert merchant.control("requests?operation=payment")["requests"][0]["responseCode"] == "4035413"
    shown = json.dumps([state, merchant.control("requests"), merchant.control("deliveries")])
    happened, magic, _ = merchant.handle("GET", "/", {}, b"").body.decode().partition("Magic values")
    assert magic  # the codes that anybody may use stand behind what happened
    shown += happened
    for secret in (token, merchant.token, "62857957868761", "123456"):
        assert secret not in shown
    assert "PAY000000001" in shown


def test_controls_change_tokens_customers_and_accounts(merchant: HttpMerchant) -> None:
    token = merchant.link_account()
    merchant.control("accounts", {"phone": "62857957868761", "balance": 5})
    assert answered(merchant.pay(token, "A")) == "4035414"
    merchant.control("tokens/expire", {"kind": "b2b"})
    assert answered(merchant.pay(token, "B")) == "4015401"
    merchant.login()
    merchant.control("tokens/expire", {"kind": "customer", "customer": "CUST-1"})
    assert answered(merchant.pay(token, "C")) == "4015402"
    assert merchant.control("customers/CUST-1/unlink", {})["unlinked"] == 1
    merchant.control("dials", {"operation": "*", "fault": "status"})
    assert merchant.control("dials/clear", {})["dials"] == 0
    assert answered(merchant.status()) == "4045501"


@pytest.mark.parametrize(
    ("path", "document", "status"),
    [
        ("clock", {}, 400),
        ("clock", {"shift": "1"}, 400),
        ("dials", {"operation": "x", "fault": "drop"}, 400),
        ("variant", {"nothing": 1}, 400),
        ("merchant", {"tokenUrl": "x"}, 400),
        ("notifications/explode", {}, 404),
        ("notifications/resend", {"reference": "NOTHING"}, 404),
        ("notifications/forge", {"reference": "X", "forgery": "roses"}, 400),
        ("bindings/nothing/complete", {}, 404),
        ("bindings/nothing/complete", {"outcome": "maybe"}, 400),
        ("tokens/expire", {"kind": "roses"}, 400),
        ("accounts", {"phone": "1", "balance": -1}, 400),
    ],
)
def test_bad_controls_say_why(merchant: HttpMerchant, path: str, document: dict[str, object], status: int) -> None:
    answer = merchant.control(path, document)
    assert answer["_status"] == status
    assert answer["error"]


def test_reset_forgets_everything(merchant: HttpMerchant) -> None:
    token = merchant.link_account()
    _pay(merchant, token)
    merchant.control("reset", {})
    assert _debits(merchant) == []
    assert answered(merchant.pay(token)) == "4015401"


def test_unknown_paths_and_methods_are_dokus_business(merchant: HttpMerchant) -> None:
    assert answered(merchant.handle("POST", "/nowhere", {}, b"")) == "4040002"
    assert answered(merchant.handle("GET", PAY, {}, b"")) == "4055400"


# -- the command line


def test_it_runs_on_its_own_and_ends_at_once(tmp_path: Path) -> None:
    credentials = tmp_path / "credentials.json"
    command = [sys.executable, "-m", "tools.doku_simulator", "--credentials-file", str(credentials)]
    for ending in (signal.SIGTERM, signal.SIGINT):
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(3)]
            match = re.search(r"http://(127\.0\.0\.1:\d+)/", lines[-1])
            assert match is not None
            connection = http.client.HTTPConnection(match[1], timeout=PATIENCE_SECONDS)
            connection.request("POST", "/_control/dials", b'{"operation":"*","fault":"hang"}')
            connection.getresponse().read()
            connection.request("POST", PAY, b"{}")  # hangs, and must not keep the process alive
            process.send_signal(ending)
            _, errors = process.communicate(timeout=PATIENCE_SECONDS)
            connection.close()
            assert "Traceback" not in errors
    assert set(json.loads(credentials.read_text())) == {
        "clientId",
        "secretKey",
        "merchantPrivateKey",
        "dokuPublicKey",
    }
    assert credentials.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [("not json", "not JSON"), ("[]", "object"), (json.dumps(configuration(clientId="")), "clientId")],
)
def test_a_bad_configuration_is_named(tmp_path: Path, content: str, message: str) -> None:
    config = tmp_path / "config.json"
    config.write_text(content)
    command = [sys.executable, "-m", "tools.doku_simulator", "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)
    assert done.returncode == 2
    assert message in done.stderr


def test_two_simulators_run_side_by_side(merchant: HttpMerchant, tmp_path: Path) -> None:
    with running_simulator(tmp_path, variant={"otp_required": False}) as other:
        other.login()
        assert other.url != merchant.url
        assert answered(other.pay(other.link_account())) == "2005400"
    assert _debits(merchant) == []


def _pay(merchant: HttpMerchant, token: str) -> None:
    assert answered(merchant.pay(token)) == "4035413"
    assert answered(merchant.verify(token)) == "2000400"
