"""The attack of findings/security.md, S1, on the deployed stack, and the runbook's commands that end it.

Somebody has the whole secret as it was. He is harmless as soon as a key that he needs is replaced, and refused once
what was replaced is revoked. Where the operator waits for a minute, until every function has read the secret anew, the
doors' processes are replaced here: a new one reads it too. That those that stay warm read it within the minute, and
that the overlap ends by itself, is seen in test_workflows.py, whose stack has time for it.
"""

from collections.abc import Iterator

import pytest

from tests.e2e.leak import Operator, Thief, let_a_minute_pass, put_back, read_secrets
from tests.e2e.shop import PAYS_WITH_OTP, Shop, new_ref, wait_for
from tools.documents import read_blocks
from tools.local_cloud.checkout import ROOT
from tools.local_cloud.stack import LocalStack

pytestmark = pytest.mark.e2e


@pytest.fixture
def thief(stack: LocalStack) -> Iterator[Thief]:
    """Somebody with the secret; afterwards it is as it was."""
    before = read_secrets(stack)
    try:
        yield Thief(stack)
    finally:
        put_back(stack, before)


@pytest.fixture
def operator(stack: LocalStack) -> Operator:
    return Operator(stack)


def runbook(key: str) -> list[list[str]]:
    """The commands of docs/operations.md for a key that has leaked."""
    page = (ROOT / "docs/operations.md").read_text()
    (block,) = [one for one in read_blocks(page) if one.heading == "A key has leaked"]
    lines = [line.partition("#")[0].split() for line in block.shell.splitlines()]
    return [words[1:] for words in lines if words and words[0] == "./ops" and key in words]


def test_leaked_keys_are_harmless_once_one_is_replaced_and_refused_once_it_is_revoked(
    stack: LocalStack, thief: Thief, operator: Operator
) -> None:
    shop, ref = Shop(stack), new_ref()
    binding = shop.link()
    customer = shop.insist("GET", f"/bindings/{binding}").body["customerId"]
    assert shop.pay(binding, ref, PAYS_WITH_OTP).body["state"] == "OTP_PENDING"

    def attack() -> int:
        return thief.tell_paid(ref, customer=customer, amount=PAYS_WITH_OTP)

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
