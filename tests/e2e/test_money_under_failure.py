"""Money under failure on the deployed stack, with short lifetimes. The bank's ledger is the judge."""

import contextlib
import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from http import HTTPStatus

import boto3
import pytest
import requests
from botocore.config import Config

from direct_debit.adapters.aws.botocore_clients import BotocoreClients
from direct_debit.application.calls.obtain_b2b_token import obtain_b2b_token
from direct_debit.application.deadline import Deadline
from direct_debit.application.errors import NotDone
from direct_debit.application.ports.ports import Ports
from direct_debit.entrypoint.container import build
from tests.e2e.shop import (
    ANSWER_LOST,
    DEBITED_SOON,
    PAYS_WITH_OTP,
    Doku,
    Shop,
    all_at_once,
    new_phone,
    new_ref,
    payment_body,
    wait_for,
)
from tests.patience import PATIENCE_SECONDS
from tools.local_cloud.aws import ROOT_KEY, ROOT_SECRET
from tools.local_cloud.caller import Answer
from tools.local_cloud.progress import Progress
from tools.local_cloud.stack import LocalStack, local_stack
from tools.ops.__main__ import main as ops
from tools.ops.system import System, find_system

pytestmark = pytest.mark.e2e

PARAMETERS = {
    "FirstInquirySeconds": "2",
    "InquiryScheduleSeconds": "6,9,12,20,40,80,160,86400",
    "OtpScheduleSeconds": "30,60,86400",
    "RefundScheduleSeconds": "3,6,12,20,40,80,160,86400",
    "RefreshMinSeconds": "1",
    "CircuitFailures": "4",
    # A machine that needs minutes for a few calls still finds it closed before, and open after, its last failure.
    "CircuitWindowSeconds": "3600",
    "CircuitOpenSeconds": "300",
    # What a killed worker held comes again soon. Shorter than a slow worker takes: it meets its own message again.
    "WorkerVisibilitySeconds": "8",
}


ATTEMPTS = 5


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    """A stack of its own: these lifetimes would disturb the other tests."""
    with local_stack(Progress(), PARAMETERS) as deployed:
        yield deployed


@pytest.fixture
def shop(stack: LocalStack) -> Shop:
    """The merchant, with a DOKU that does as it should until told otherwise."""
    stack.simulator.control("dials/clear", {})
    return Shop(stack)


@pytest.fixture(scope="module")
def binding(stack: LocalStack) -> str:
    """A linked account with much money."""
    return Shop(stack).link()


@pytest.fixture(scope="module")
def system(stack: LocalStack) -> Iterator[System]:
    """The stack as the operator's tools find it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in stack.cloud.environment().items():
            patch.setenv(name, value)
        yield find_system(stack.name, endpoint=stack.cloud.endpoint, region=stack.cloud.region)


def operate(stack: LocalStack, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, object]]:
    """Run the operator's command line as it is deployed; returns its status and its JSON document."""
    capsys.readouterr()
    place = ["--stack", stack.name, "--endpoint-url", stack.cloud.endpoint, "--region", stack.cloud.region]
    status = ops([*arguments, *place, "--json"])
    told = capsys.readouterr()
    document: dict[str, object] = json.loads(told.out or told.err)
    return status, document


def reached(shop: Shop, operation: str, ref: str) -> bool:
    return any(one["reference"] == ref for one in shop.requests(operation))


def customer_of(shop: Shop, binding: str) -> str:
    customer: str = shop.insist("GET", f"/bindings/{binding}").body["customerId"]
    return customer


# --- lost answers ----------------------------------------------------------------------------------------------------


def test_a_lost_answer_is_unknown_and_then_paid_without_a_person(shop: Shop, binding: str) -> None:
    ref = new_ref()
    shop.lose_notifications(1)
    answer = shop.pay(binding, ref, ANSWER_LOST)
    assert (answer.status, answer.body["state"]) == (202, "UNKNOWN")
    assert answer.body["links"]["self"] == f"/payments/{ref}"
    paid = shop.wait_for_state(ref, "PAID")
    assert shop.entries(ref) == ["debit"]
    wait_for("the history", lambda: len(shop.payment(ref)["history"]) >= 3)
    steps = [(step["state"], step["source"]) for step in shop.payment(ref)["history"]]
    assert steps == [("REQUESTED", "caller"), ("UNKNOWN", "no_answer"), ("PAID", "status")], paid


def test_a_repeated_request_after_a_lost_answer_sends_nothing(shop: Shop, binding: str) -> None:
    ref = new_ref()
    assert shop.pay(binding, ref, ANSWER_LOST).status == 202
    again = shop.pay(binding, ref, ANSWER_LOST)
    assert again.status in (200, 202)
    assert again.headers["idempotency-replayed"] == "true"
    shop.wait_for_state(ref, "PAID")
    assert [one["reference"] for one in shop.requests("payment")].count(ref) == 1
    assert shop.entries(ref) == ["debit"]


def kill_the_maker(shop: Shop, binding: str) -> tuple[str, int]:
    """Kill the function that makes a payment while DOKU is silent; returns its reference and what its caller got."""
    ref = new_ref()
    shop.lose_notifications(1)
    shop.dial("payment", "hang", when="after")
    with ThreadPoolExecutor(1) as pool:
        paying = pool.submit(shop.call, "POST", "/payments", payment_body(binding, ref, DEBITED_SOON))
        wait_for("the debit's request", partial(reached, shop, "payment", ref))
        assert shop.kill_workers("make_payment") >= 1
        return ref, paying.result().status


def test_the_sweep_finds_a_payment_whose_maker_was_killed(shop: Shop, binding: str) -> None:
    # The maker lives until it gives DOKU up: where it has, before this machine could kill it, another one has to die.
    ref, status = kill_the_maker(shop, binding)
    for _ in range(ATTEMPTS):
        if status == HTTPStatus.ACCEPTED:
            ref, status = kill_the_maker(shop, binding)
    assert status in (500, 502, 504)
    wait_for("the sweep to bring it on", lambda: shop.sweep() and shop.payment(ref)["state"] == "PAID")
    assert shop.entries(ref) == ["debit"]


def test_a_killed_refund_worker_leaves_one_refund(shop: Shop, binding: str) -> None:
    ref = new_ref()
    shop.paid(binding, ref)
    shop.dial("refund", "hang", when="after")
    assert shop.insist("POST", f"/payments/{ref}/refund", {"partnerRefundNo": new_ref()}).status == 202
    wait_for("the refund's request", partial(reached, shop, "refund", ref))
    assert shop.kill_workers("process_refund") >= 1
    shop.wait_for_state(ref, "REFUNDED")
    assert shop.entries(ref) == ["debit", "refund"]


def test_a_refund_whose_answer_was_lost_is_made_once(shop: Shop, binding: str) -> None:
    ref = new_ref()
    shop.paid(binding, ref)
    shop.dial("refund", "drop", when="after")
    refund = {"partnerRefundNo": new_ref(), "reason": "returned"}
    answers = all_at_once([partial(shop.insist, "POST", f"/payments/{ref}/refund", refund)] * 4)
    assert {answer.status for answer in answers} <= {200, 202}
    shop.wait_for_state(ref, "REFUNDED")
    assert shop.entries(ref) == ["debit", "refund"]
    other = shop.insist("POST", f"/payments/{ref}/refund", {"partnerRefundNo": new_ref()})
    assert other.status == 409


# --- notifications ---------------------------------------------------------------------------------------------------


def test_twenty_deliveries_of_one_notification_at_once_count_once(shop: Shop, binding: str) -> None:
    ref = new_ref()
    shop.lose_notifications(1)
    assert shop.pay(binding, ref).body["state"] == "OTP_PENDING"
    shop.verify(ref)
    doku = Doku(shop.stack)
    token, customer = doku.token(), customer_of(shop, binding)
    answers = all_at_once(
        [partial(doku.notify, token, ref, customer=customer, amount=PAYS_WITH_OTP) for _ in range(20)]
    )
    assert [(answer.status, answer.body["responseCode"]) for answer in answers] == [(200, "2005600")] * 20
    shop.wait_for_state(ref, "PAID")
    wait_for("the history", lambda: shop.payment(ref)["history"][-1]["state"] == "PAID")
    assert Counter(step["state"] for step in shop.payment(ref)["history"])["PAID"] == 1
    assert shop.entries(ref) == ["debit"]


def test_what_is_forged_or_stale_or_names_another_amount_moves_nothing(
    shop: Shop, binding: str, system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    ref = new_ref()
    assert shop.pay(binding, ref).body["state"] == "OTP_PENDING"
    doku = Doku(shop.stack)
    token, customer = doku.token(), customer_of(shop, binding)
    forged = doku.notify(token, ref, customer=customer, amount=PAYS_WITH_OTP, secret="somebody-else")
    assert (forged.status, forged.body["responseCode"][:3]) == (401, "401")
    stolen = doku.notify("x.y.z", ref, customer=customer, amount=PAYS_WITH_OTP)
    assert stolen.status == 401
    stale = doku.notify(token, ref, customer=customer, amount=PAYS_WITH_OTP, age=timedelta(hours=1))
    assert (stale.status, stale.body["responseCode"]) == (200, "2005600")
    mismatched = doku.notify(token, ref, customer=customer, amount="1.00")
    assert (mismatched.status, mismatched.body["responseCode"]) == (200, "2005600")
    another = doku.notify(token, ref, customer="SOMEBODY-ELSE", amount=PAYS_WITH_OTP)
    assert another.status == 200
    wait_for("the notifications to be worked on", lambda: shop.depth("NotificationQueue") == 0)

    def reasons() -> set[str]:
        status, document = operate(shop.stack, capsys, "review")
        assert status in (0, 3)
        waiting = document["waiting"]
        assert isinstance(waiting, list)
        return {row["reason"] for row in waiting}

    wait_for("both mismatches to be put aside", lambda: {*map(_about_payment, MISMATCHES)} <= reasons())
    assert shop.payment(ref)["state"] == "OTP_PENDING"
    assert shop.entries(ref) == []
    shop.verify(ref)
    shop.wait_for_state(ref, "PAID")
    assert shop.entries(ref) == ["debit"]


MISMATCHES = ("amount_mismatch, DOKU told 1.00 IDR", "customer_mismatch")


def _about_payment(reason: str) -> str:
    return f"payment: {reason}"


# --- poison ----------------------------------------------------------------------------------------------------------


def test_poison_is_put_aside_others_go_on_and_once_mended_it_is_redriven(
    shop: Shop, binding: str, system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    poisoned, healthy = new_ref(), new_ref()
    key = {"pk": {"S": f"PAYMENT#{poisoned}"}, "sk": {"S": "PAYMENT"}}
    table, store = shop.stack.transactions_table, shop.stack.cloud.dynamodb()
    assert shop.pay(binding, poisoned).body["state"] == "OTP_PENDING"
    wait_for("its history", lambda: len(shop.payment(poisoned)["history"]) == 2)

    # A record that no code can read: its stream record and the messages about it are poison.
    store.update_item(TableName=table, Key=key, UpdateExpression="REMOVE amount")
    doku = Doku(shop.stack)
    token, customer = doku.token(), customer_of(shop, binding)
    assert doku.notify(token, poisoned, customer=customer, amount=PAYS_WITH_OTP, status="06").status == 200
    wait_for("the stream's failure queue to hold it", lambda: shop.depth("StreamFailureQueue") == 1)

    shop.paid(binding, healthy)  # the others go on, through the same queue and the same stream
    wait_for("the others' history", lambda: shop.payment(healthy)["history"][-1]["state"] == "PAID")
    with shop.redelivering("NotificationQueue", after_seconds=1):
        wait_for("the dead-letter queue to hold it", lambda: shop.depth("NotificationQueueDead") == 1)
    status, listed = operate(shop.stack, capsys, "stream-failures")
    assert status == 3
    assert [row["pk"] for row in listed["failures"]] == [f"PAYMENT#{poisoned}"]  # type: ignore[attr-defined]  # JSON of the command
    status, depths = operate(shop.stack, capsys, "queues")
    assert status == 3
    assert depths["notification"]["dead"] == 1  # type: ignore[index]  # JSON of the command

    # Mended, and given back, twice.
    amount = {":amount": {"S": PAYS_WITH_OTP}}
    store.update_item(
        TableName=table, Key=key, UpdateExpression="SET amount = :amount", ExpressionAttributeValues=amount
    )
    for _ in range(2):
        assert operate(shop.stack, capsys, "redrive", "notification")[0] == 0
    shop.wait_for_state(poisoned, "FAILED")
    assert operate(shop.stack, capsys, "stream-failures", "--redrive")[0] == 0
    assert shop.depth("StreamFailureQueue") == shop.depth("NotificationQueueDead") == 0
    assert shop.entries(poisoned) == []
    assert shop.entries(healthy) == ["debit"]


# --- races -----------------------------------------------------------------------------------------------------------


def test_one_of_two_customers_gets_the_account(shop: Shop) -> None:
    phone = new_phone()
    ask = [partial(shop.start_link, f"RACE-{phone}-{number}", phone) for number in (1, 2)]
    answers = all_at_once(ask)
    assert {answer.status for answer in answers} <= {200, 201}  # an unconfirmed link keeps nobody out
    for answer in answers:
        shop.finish(answer.body["redirectUrl"])
    links = [f"/bindings/{answer.body['bindingId']}" for answer in answers]
    wait_for("a link", lambda: "ACTIVE" in [shop.insist("GET", link).body["state"] for link in links])
    states = [shop.insist("GET", link).body["state"] for link in links]
    assert states.count("ACTIVE") == 1, states
    assert shop.start_link(f"RACE-{phone}-3", phone).status == 409


def test_sixteen_equal_payments_at_once_are_one(shop: Shop, binding: str) -> None:
    ref, callers = new_ref(), 16
    body = payment_body(binding, ref, DEBITED_SOON)
    shop.warm_up("POST", "/payments", callers)

    def pay() -> tuple[Answer, bool]:
        """The answer, and whether it was the first call's."""
        with contextlib.suppress(requests.RequestException):
            answer = shop.call("POST", "/payments", body)
            if answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                return answer, True
        return shop.insist("POST", "/payments", body), False

    paid = all_at_once([pay] * callers)
    answers = [answer for answer, _ in paid]
    states = Counter(answer.status for answer in answers)
    assert set(states) <= {200, 201, 202}, states
    makers = sum("idempotency-replayed" not in answer.headers for answer in answers)
    # Who made the payment is told so, and nobody else. Only where a call took longer than the gateway waits, that
    # one's answer may have been the lost one; its caller asked again and was shown the payment like the others.
    assert makers == 1 or (makers == 0 and not all(first for _, first in paid)), states
    assert {(answer.body["partnerReferenceNo"], answer.body["amount"]["value"]) for answer in answers} == {
        (ref, DEBITED_SOON)
    }
    assert {answer.body["state"] for answer in answers} <= {"REQUESTED", "PROCESSING", "PAID"}
    shop.wait_for_state(ref, "PAID")
    assert [one["reference"] for one in shop.requests("payment")].count(ref) == 1
    assert shop.entries(ref) == ["debit"]
    again = shop.pay(binding, ref, DEBITED_SOON)
    assert (again.status, again.body["state"]) == (200, "PAID")


def test_two_hundred_cold_containers_ask_doku_for_one_token(shop: Shop, system: System) -> None:
    cold = {"pk": {"S": "TOKEN#b2b"}, "sk": {"S": "TOKEN"}}
    shop.stack.cloud.dynamodb().delete_item(TableName=shop.stack.bindings_table, Key=cold)
    before = len(shop.requests("b2b_token"))
    aws = PatientClients(shop.stack)
    containers = [build(system.environment, aws).ports for _ in range(200)]

    def obtain(ports: Ports) -> str:
        # Two hundred threads share one interpreter: who was starved of its time is told so, and comes again.
        last = ports.clock.now() + timedelta(seconds=PATIENCE_SECONDS)
        while True:
            try:
                return obtain_b2b_token(ports, Deadline(last))
            except NotDone:
                if ports.clock.now() >= last:
                    raise

    tokens = all_at_once([partial(obtain, ports) for ports in containers])
    assert len(set(tokens)) == 1
    assert len(shop.requests("b2b_token")) - before == 1


class PatientClients(BotocoreClients):
    """All containers share the clients: one machine is slower than AWS, and its connections are not the subject."""

    def __init__(self, stack: LocalStack) -> None:
        session = boto3.Session(ROOT_KEY, ROOT_SECRET, region_name=stack.cloud.region)
        super().__init__(session.client, stack.cloud.endpoint)
        config = Config(max_pool_connections=200, read_timeout=PATIENCE_SECONDS, proxies={})
        for service, name in (("dynamodb", "dynamodb"), ("secretsmanager", "secrets")):
            client = session.client(service, endpoint_url=stack.cloud.endpoint, config=config)  # type: ignore[call-overload]  # the service's name is a variable
            self.__dict__[name] = client


# --- DOKU is down ----------------------------------------------------------------------------------------------------


def test_when_doku_is_down_new_payments_are_refused_and_the_old_ones_are_resolved(shop: Shop, binding: str) -> None:
    # DOKU answers: the circuit forgets what other tests let fail. One failure more, and it would open too early.
    assert shop.insist("GET", f"/bindings/{binding}/balance").status == 200
    refs = [new_ref() for _ in range(int(PARAMETERS["CircuitFailures"]))]
    shop.lose_notifications(len(refs))
    shop.dial("payment", "status", status=503, when="after", count=len(refs))
    shop.dial("status", "status", status=503, when="before", count=1000)
    for ref in refs:
        answer = shop.pay(binding, ref, DEBITED_SOON)
        assert (answer.status, answer.body["state"]) == (202, "UNKNOWN")
    refused = new_ref()
    answer = shop.call("POST", "/payments", payment_body(binding, refused, PAYS_WITH_OTP))
    assert answer.status == 503, answer.body
    assert 1 <= int(answer.headers["retry-after"]) <= int(PARAMETERS["CircuitOpenSeconds"])
    assert shop.call("GET", f"/payments/{refused}").status == 404  # nothing was written, nothing was sent
    # The old ones are asked about all the same.
    asked = len(shop.requests("status"))
    wait_for("inquiries although the circuit is open", lambda: len(shop.requests("status")) > asked)
    shop.stack.simulator.control("dials/clear", {})
    for ref in refs:
        shop.wait_for_state(ref, "PAID")
        assert shop.entries(ref) == ["debit"]
    # Their answers have closed the circuit.
    assert shop.pay(binding, refused).status in (200, 201)


# --- at the end ------------------------------------------------------------------------------------------------------


def test_nothing_was_doubled_and_nothing_is_stuck(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    entries = Counter(
        (str(entry["kind"]), str(entry["reference"])) for entry in shop.stack.simulator.control("ledger")["entries"]
    )
    assert [one for one, count in entries.items() if count > 1] == []
    for kind, ref in entries:
        state = shop.payment(ref)["state"]
        assert state == ("REFUNDED" if ("refund", ref) in entries else "PAID"), (kind, ref)
    for queue in ("NotificationQueueDead", "RefundRetryQueueDead", "StatusInquiryQueueDead", "StreamFailureQueue"):
        assert shop.depth(queue) == 0, queue
