"""The Python client against the deployed stack, through a proxy that loses answers. The bank's ledger is the judge."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import anyio
import httpx
import pytest

from direct_debit_client import (
    AsyncClient,
    BindingState,
    Client,
    CustomerActionRequired,
    InvalidRequest,
    NotAllowed,
    NotFound,
    Pace,
    PaymentState,
    RefundState,
    RetryPolicy,
    SigV4,
)
from tests.e2e.losing_proxy import LosingProxy, losing_proxy
from tests.e2e.shop import ANSWER_LOST, OTP, PAYS_WITH_OTP, Shop, new_phone, new_ref
from tests.patience import PATIENCE_SECONDS
from tools.local_cloud.bank_pages import walk
from tools.local_cloud.stack import LocalStack

pytestmark = pytest.mark.e2e

PATIENT = httpx.Timeout(PATIENCE_SECONDS)
QUICK = Pace(first=0.25, longest=0.5)
SOON = RetryPolicy(first_wait=0.05)


@pytest.fixture(scope="module")
def proxy(stack: LocalStack) -> Iterator[LosingProxy]:
    """What stands between the client and the API."""
    with losing_proxy(stack.api_url) as running:
        yield running


@pytest.fixture
def shop(stack: LocalStack) -> Shop:
    """The bank's ledger and dials."""
    stack.simulator.control("dials/clear", {})
    return Shop(stack)


@pytest.fixture(scope="module")
def binding(stack: LocalStack) -> str:
    """A linked account."""
    return Shop(stack).link()


def sign(stack: LocalStack) -> SigV4:
    return SigV4.from_keys(stack.cloud.region, stack.caller_key.key_id, stack.caller_key.secret)


@contextmanager
def blocking(stack: LocalStack, proxy: LosingProxy) -> Iterator[Client]:
    with Client(proxy.url, sign(stack), timeout=PATIENT, pace=QUICK, retry=SOON) as client:
        yield client


def finish_pages(stack: LocalStack, redirect_url: str | None, phone: str) -> None:
    """The customer at the simulated bank, by its pages, and back."""
    assert redirect_url is not None
    answers = {"phone": phone, "otp": OTP, "pin": "123456"}
    back = walk(redirect_url, answers, f"{stack.api_url}/bindings/return/")
    assert stack.unsigned().call("GET", back.removeprefix(stack.api_url)).status == 302


def test_the_whole_journey_though_each_writes_answer_is_lost_once(
    stack: LocalStack, shop: Shop, proxy: LosingProxy
) -> None:
    ref, customer, phone = new_ref(), "CUST-" + secrets.token_hex(6).upper(), new_phone()
    pages = {"success_url": "https://merchant.example/linked", "failed_url": "https://merchant.example/not-linked"}
    with blocking(stack, proxy) as client:
        proxy.next("lose", path="/bindings")
        linking = client.bind_account(customer_id=customer, phone=phone, metadata={"test": "python"}, **pages)
        assert (linking.state, linking.metadata) == (BindingState.PENDING, {"test": "python"})
        finish_pages(stack, linking.redirect_url, phone)
        linked = client.wait_until_linked(linking.binding_id, PATIENCE_SECONDS)
        assert linked.state is BindingState.ACTIVE
        assert client.get_binding(linked.binding_id).phone_hint == phone[-3:]
        assert [one.binding_id for one in client.each_binding(customer_id=customer, state="ACTIVE")] == [
            linked.binding_id
        ]
        assert client.get_balance(linked.binding_id).balances[0].amount.value > 0

        proxy.next("lose", path="/payments", count=2)
        asked = client.make_payment(
            binding_id=linked.binding_id, partner_reference_no=ref, amount=Decimal(PAYS_WITH_OTP), remarks="Order 1"
        )
        assert asked.state is PaymentState.OTP_PENDING
        with pytest.raises(CustomerActionRequired, match="read the code again") as wrong:
            client.verify_payment_otp(ref, "111111")
        assert (wrong.value.slug, wrong.value.response_code) == ("otp-wrong", "4040415")
        proxy.next("lose", path=f"/{ref}/otp")
        assert client.verify_payment_otp(ref, OTP).state is not PaymentState.OTP_PENDING
        paid = client.wait_until_final(ref, PATIENCE_SECONDS)
        assert (paid.state, paid.amount.value) == (PaymentState.PAID, Decimal(PAYS_WITH_OTP))
        assert [one.partner_reference_no for one in client.each_payment(customer_id=customer, limit=1)] == [ref]

        proxy.next("lose", path=f"/{ref}/refund")
        client.refund_payment(ref, reason="python")
        refund = client.wait_until_refunded(ref, PATIENCE_SECONDS)
        assert (refund.state, refund.reason) == (RefundState.REFUNDED, None)  # the reason is not kept
        assert client.get_refund(ref).partner_refund_no == refund.partner_refund_no

        proxy.next("lose", path=f"/bindings/{linked.binding_id}")
        assert client.unbind_account(linked.binding_id).state is BindingState.UNBIND_OTP_PENDING
        proxy.next("lose", path=f"/{linked.binding_id}/otp")
        assert client.confirm_unbinding(linked.binding_id, OTP).state is BindingState.UNBOUND
    assert proxy.is_idle
    assert shop.entries(ref) == ["debit", "refund"]


def test_a_payment_without_a_name_is_made_once_though_answers_are_lost(
    stack: LocalStack, shop: Shop, proxy: LosingProxy, binding: str
) -> None:
    async def pay() -> str:
        async with AsyncClient(proxy.url, sign(stack), timeout=PATIENT, pace=QUICK, retry=SOON) as client:
            proxy.next("lose", path="/payments", count=2)
            made = await client.make_payment(binding_id=binding, amount=Decimal(PAYS_WITH_OTP), remarks="Order 2")
            await client.verify_payment_otp(made.partner_reference_no, OTP)
            paid = await client.wait_until_final(made.partner_reference_no, PATIENCE_SECONDS)
            assert paid.state is PaymentState.PAID
            return paid.partner_reference_no

    before = len(shop.requests("payment"))
    ref = anyio.run(pay)
    assert proxy.is_idle
    assert shop.entries(ref) == ["debit"]
    assert len(shop.requests("payment")) == before + 1


def test_unknown_is_waited_for_and_not_paid_again(
    stack: LocalStack, shop: Shop, proxy: LosingProxy, binding: str
) -> None:
    ref = new_ref()
    with blocking(stack, proxy) as client:
        unknown = client.make_payment(
            binding_id=binding, partner_reference_no=ref, amount=ANSWER_LOST, remarks="Order 3"
        )
        assert unknown.state is PaymentState.UNKNOWN
        assert client.wait_until_final(ref, PATIENCE_SECONDS).state is PaymentState.PAID
    assert [one["reference"] for one in shop.requests("payment")].count(ref) == 1
    assert shop.entries(ref) == ["debit"]


def test_what_is_surely_not_done_is_repeated_when_the_service_says(
    stack: LocalStack, shop: Shop, proxy: LosingProxy, binding: str
) -> None:
    ref, pauses = new_ref(), list[float]()
    stack.simulator.control("tokens/expire", {"kind": "b2b"})
    shop.dial("b2b_token", "status", when="before", status=503)
    proxy.next("throttle", path="/payments")
    with Client(proxy.url, sign(stack), timeout=PATIENT, sleep=pauses.append, chance=lambda: 0.0) as client:
        made = client.make_payment(
            binding_id=binding, partner_reference_no=ref, amount=Decimal(PAYS_WITH_OTP), remarks="Order 4"
        )
    assert made.state is PaymentState.OTP_PENDING
    # Nobody sleeps here, so that the service may say once more that it is too early.
    throttled, not_done, *again = pauses
    assert throttled == 1  # as API Gateway said
    assert min([not_done, *again]) > 1  # as the service said each time: longer than the client would wait by itself
    assert [one["reference"] for one in shop.requests("payment")].count(ref) == 1


def test_refusals_say_what_to_do(stack: LocalStack, proxy: LosingProxy, binding: str) -> None:
    with blocking(stack, proxy) as client:
        with pytest.raises(InvalidRequest) as invalid:
            client.make_payment(binding_id=binding, partner_reference_no="no blanks", amount=1, remarks="näh")
        assert {error.pointer for error in invalid.value.errors} == {"/partnerReferenceNo", "/remarks"}
        assert invalid.value.request_id
        assert invalid.value.remedy in str(invalid.value)
        with pytest.raises(NotFound) as missing:
            client.get_payment("NO-SUCH-PAYMENT")
        assert (missing.value.status, missing.value.slug) == (404, "not-found")
    nobody = SigV4.from_keys(stack.cloud.region, "AKIANOBODY", "wrong")
    with Client(proxy.url, nobody, timeout=PATIENT) as stranger, pytest.raises(NotAllowed, match="execute-api:Invoke"):
        stranger.list_bindings(customer_id="CUST-1")
