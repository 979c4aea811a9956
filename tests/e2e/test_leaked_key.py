"""The attack of findings/security.md, S1, on the deployed stack, and the runbook's commands that end it.

Somebody has the whole secret as it was. He is harmless as soon as a key that he needs is replaced, and refused once
what was replaced is revoked. Where the operator waits for a minute, until every function has read the secret anew, the
doors' processes are replaced here: a new one reads it too.
"""

import json
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from direct_debit.adapters.doku_inbound import issued_token_key_id
from doku_snap.inbound import issue_token
from tests.e2e.shop import PAYS_WITH_OTP, Doku, Shop, new_ref, wait_for
from tools.documents import read_blocks
from tools.local_cloud.checkout import ROOT
from tools.local_cloud.stack import LocalStack
from tools.ops.__main__ import main
from tools.ops.secret_versions import SecretVersions
from tools.ops.system import System, find_system

pytestmark = pytest.mark.e2e

_DOORS = ("issue_token", "receive_payment_notification", "receive_binding_notification")


@dataclass
class Operator:
    """Runs the operator's commands on the deployed stack."""

    stack: LocalStack
    capsys: pytest.CaptureFixture[str]

    def run(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """Run a command; returns its status and its document."""
        self.capsys.readouterr()
        place = ["--stack", self.stack.name, "--endpoint-url", self.stack.cloud.endpoint]
        status = main([*arguments, *place, "--region", self.stack.cloud.region, "--json"], find=self._find)
        told = self.capsys.readouterr()
        return status, json.loads(told.out or told.err)

    def is_questioned(self, ref: str) -> bool:
        """Whether something was told of a payment that is not believed before DOKU is asked."""
        cloud = self.stack.cloud
        system = find_system(self.stack.name, endpoint=cloud.endpoint, region=cloud.region)
        payment = system.ports.payments.get(ref)
        return payment is not None and payment.questioned_at is not None

    def _find(self, *given: Any, **options: Any) -> System:  # noqa: ANN401 - whatever `find_system` takes
        system = find_system(*given, **options)
        return replace(system, outside=replace(system.outside, pause=lambda _: let_a_minute_pass(self.stack)))


def let_a_minute_pass(stack: LocalStack) -> None:
    """Let the doors read the secret anew."""
    for door in _DOORS:
        Shop(stack).kill_workers(door)


@pytest.fixture
def stolen(stack: LocalStack) -> Iterator[str]:
    """The secret as somebody has it; afterwards it is as it was."""
    secret = stack.outputs["DokuSecretId"]
    client = stack.cloud.secrets()
    before = client.get_secret_value(SecretId=secret)["SecretString"]
    try:
        yield before
    finally:
        client.put_secret_value(SecretId=secret, SecretString=before)
        SecretVersions(client, secret).end("AWSPREVIOUS")
        let_a_minute_pass(stack)


@pytest.fixture
def operator(stack: LocalStack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Operator:
    for name, value in stack.cloud.environment().items():
        monkeypatch.setenv(name, value)
    return Operator(stack, capsys)


def forge_token(stack: LocalStack, stolen: str) -> str:
    """Make a token as the stack would have issued it, with the stolen key."""
    fields = json.loads(stolen)
    key = b64decode(fields["issuedTokenKey"])
    return issue_token(
        key_id=issued_token_key_id(key),
        key=key,
        issuer=stack.api_url,
        audience=fields["dokuClientKey"],
        client_id=fields["dokuClientKey"],
        now=datetime.now(UTC),
    ).token


def runbook(key: str) -> list[list[str]]:
    """The commands of docs/operations.md for a key that has leaked."""
    page = (ROOT / "docs/operations.md").read_text()
    (block,) = [one for one in read_blocks(page) if one.heading == "A key has leaked"]
    lines = [line.partition("#")[0].split() for line in block.shell.splitlines()]
    return [words[1:] for words in lines if words and words[0] == "./ops" and key in words]


def test_leaked_keys_are_harmless_once_one_is_replaced_and_refused_once_it_is_revoked(
    stack: LocalStack, stolen: str, operator: Operator
) -> None:
    shop, doku, ref = Shop(stack), Doku(stack), new_ref()
    binding = shop.link()
    customer = shop.insist("GET", f"/bindings/{binding}").body["customerId"]
    assert shop.pay(binding, ref, PAYS_WITH_OTP).body["state"] == "OTP_PENDING"

    def attack() -> int:
        return doku.notify(forge_token(stack, stolen), ref, customer=customer, amount=PAYS_WITH_OTP).status

    rotate, revoke = runbook("issuedTokenKey")
    status, facts = operator.run(*rotate)
    assert (status, facts["rotated"]) == (0, True)
    let_a_minute_pass(stack)
    assert attack() == 200  # heard, since DOKU itself may still have such a token
    wait_for("the question to DOKU to be planned", lambda: operator.is_questioned(ref))
    assert shop.payment(ref)["state"] == "OTP_PENDING"
    assert shop.entries(ref) == []

    status, facts = operator.run(*revoke)
    assert status == 0, facts
    assert facts["trials"][1] == "tried: a notification by the old issuedTokenKey is refused (answered 4015601)"
    assert attack() == 401
    assert shop.payment(ref)["state"] == "OTP_PENDING"
    assert shop.entries(ref) == []

    status, facts = operator.run("doctor")
    assert status == 0, facts
    shop.verify(ref)  # and the customer's own code is told by DOKU with the keys in use
    shop.wait_for_state(ref, "PAID")
    assert shop.entries(ref) == ["debit"]


def test_the_secret_is_filled_and_tells_what_to_register(stack: LocalStack, operator: Operator) -> None:
    status, facts = operator.run("onboard")
    assert (status, facts["filled"]) == (0, False)
    assert facts["merchantPublicKey"] == stack.credentials.merchant_public_key
    assert facts["urls"]["payment notification URL"] == f"{stack.api_url}/doku/v1.0/debit/notify"
