"""Both workflows on a deployed stack with short lifetimes and a merchant's fulfilment function.

These tests take their minutes. Beside them a replaced key comes to its end, in real time and in functions that stay
warm: the leak of test_leaked_key.py, where nobody revokes anything.
"""

import io
import json
import secrets
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

import jwt
import pytest
from botocore.exceptions import ClientError

from direct_debit.application.errors import PaymentChanged
from tests.e2e.leak import DOORS, Operator, Thief
from tests.e2e.shop import PAYS_WITH_OTP, Doku, Shop, all_at_once, new_ref
from tests.fakes.leaks import find_leaks
from tools.local_cloud.bank_pages import walk
from tools.local_cloud.executions import Ended, Executions, poll_until
from tools.local_cloud.journey import ledger
from tools.local_cloud.progress import Progress
from tools.local_cloud.stack import LocalStack, local_stack
from tools.ops.secret_versions import SecretVersions
from tools.ops.system import System, find_system

pytestmark = pytest.mark.e2e

OTP = "123456"
WRONG_OTP = "000000"
PIN = "123456"
NOTE = "canary-note-of-the-merchant"
PAGE = "who=canary-in-the-query"
FULFILMENT = "merchant-fulfilment"
ACCOUNT = "000000000000"
FUNCTION_SECONDS = 30  # more than an API function's own limit (template.yaml)
# The merchant's own function: delivers, unless the order says that there is nothing to deliver.
FULFILMENT_CODE = """
class OutOfStock(Exception):
    pass


def handler(event, context):
    if event.get("metadata", {}).get("stock") == "none":
        raise OutOfStock(event["partnerReferenceNo"])
    return {"shipped": event["partnerReferenceNo"]}
"""
PARAMETERS = {
    "AwsClients": "botocore",  # the way back of decision 0056
    "SecretLayout": "one",  # as stacks have it that are older than three secrets
    "FulfilmentFunctionArn": f"arn:aws:lambda:ap-southeast-3:{ACCOUNT}:function:{FULFILMENT}:live",
    # Looks are cheap, and there are enough for a quarter of an hour. How long a customer may take is not shortened:
    # the two who never come are made to have waited.
    "WorkflowLookSeconds": "2",
    "WorkflowMaxLooks": "500",
    "FirstInquirySeconds": "1",
    "InquiryScheduleSeconds": "2,4,6,8,10,15,20,40,80",
    "RefreshMinSeconds": "1",
    # The minute within which a change of the secret reaches every function: what was replaced is refused after it.
    "KeyOverlapSeconds": "60",
}


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    """A stack of its own: these lifetimes would disturb the other tests."""
    with local_stack(Progress(), PARAMETERS) as deployed:
        _deploy_fulfilment(deployed)
        yield deployed


@pytest.fixture(scope="module")
def links(stack: LocalStack) -> Executions:
    return Executions(stack.cloud, stack.outputs["LinkAccountArn"])


@pytest.fixture(scope="module")
def payments(stack: LocalStack) -> Executions:
    return Executions(stack.cloud, stack.outputs["CollectPaymentArn"])


def _deploy_fulfilment(stack: LocalStack) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr("index.py", FULFILMENT_CODE)
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = stack.cloud.iam().create_role(
        RoleName=FULFILMENT, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    functions = stack.cloud.functions()
    functions.create_function(
        FunctionName=FULFILMENT,
        Runtime="python3.13",
        Handler="index.handler",
        Role=role["Role"]["Arn"],
        Code={"ZipFile": archive.getvalue()},
        Publish=True,
    )
    functions.create_alias(FunctionName=FULFILMENT, Name="live", FunctionVersion="1")


class Customer:
    """One customer with the bank's pages and the merchant's API."""

    def __init__(self, stack: LocalStack, phone_end: str = "77") -> None:
        self.stack = stack
        self.api = stack.signed()
        self.id = "CUST-" + secrets.token_hex(4).upper()
        self.phone = f"62812{secrets.randbelow(10**7):07d}{phone_end}"

    def link_request(self) -> dict[str, object]:
        return {
            "customerId": self.id,
            "phone": self.phone,
            "successUrl": f"https://merchant.example/linked?{PAGE}",
            "failedUrl": f"https://merchant.example/not-linked?{PAGE}",
            "metadata": {"note": NOTE},
        }

    def bindings(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = self.api.call("GET", f"/bindings?customerId={self.id}").body["bindings"]
        return found

    def finish_at_the_bank(self) -> str:
        """Walk the bank's pages and come back; returns the binding's id."""
        poll_until("the bank's page", lambda: any("redirectUrl" in binding for binding in self.bindings()))
        (binding,) = self.bindings()
        pages = f"{self.stack.api_url}/bindings/return/"
        address = walk(binding["redirectUrl"], {"phone": self.phone, "otp": OTP, "pin": PIN}, pages)
        back = self.stack.unsigned().call("GET", address.removeprefix(self.stack.api_url))
        assert back.status == 302
        return binding["bindingId"]

    def linked(self) -> str:
        """Link through the API; returns the binding's id."""
        assert self.api.call("POST", "/bindings", self.link_request()).status == 201
        return self.finish_at_the_bank()

    def payment(self, ref: str) -> Mapping[str, object]:
        answer = self.api.call("GET", f"/payments/{ref}")
        return answer.body if answer.status == 200 else {}

    def wait_for_otp(self, ref: str) -> None:
        poll_until(f"the OTP of {ref}", lambda: self.payment(ref).get("state") == "OTP_PENDING")

    def enter_otp(self, ref: str, otp: str) -> int:
        return self.api.call("POST", f"/payments/{ref}/otp", {"otp": otp}).status


@pytest.fixture(scope="module")
def customer(stack: LocalStack) -> Customer:
    return Customer(stack)


@pytest.fixture(scope="module")
def binding(customer: Customer) -> str:
    return customer.linked()


@pytest.fixture(scope="module")
def system(stack: LocalStack) -> Iterator[System]:
    """The stack as the operator's tools find it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in stack.cloud.environment().items():
            patch.setenv(name, value)
        yield find_system(stack.name, endpoint=stack.cloud.endpoint, region=stack.cloud.region)


def impatient(stack: LocalStack, output: str, waiting: str) -> Executions:
    """The deployed workflow, but that it waits for its callback only as long as the function before it may run."""
    client = stack.cloud.stepfunctions()
    deployed = client.describe_state_machine(stateMachineArn=stack.outputs[output])
    definition = json.loads(deployed["definition"])
    assert "TimeoutSeconds" in definition["States"][waiting]
    definition["States"][waiting]["TimeoutSeconds"] = FUNCTION_SECONDS
    made = client.create_state_machine(
        name=f"impatient-{output}", definition=json.dumps(definition), roleArn=deployed["roleArn"]
    )
    return Executions(stack.cloud, made["stateMachineArn"])


@pytest.fixture(scope="module", autouse=True)
def nobody_came(stack: LocalStack) -> tuple[Customer, Executions, str]:
    """A link whose customer never goes to the bank, started early since its workflow waits a while."""
    customer = Customer(stack)
    links = impatient(stack, "LinkAccountArn", "BindAndWait")
    return customer, links, links.start("L" + secrets.token_hex(5), customer.link_request())


@pytest.fixture(scope="module", autouse=True)
def nobody_typed(stack: LocalStack, binding: str) -> tuple[str, Executions, str]:
    """A payment whose OTP nobody enters, started early since its workflow waits a while."""
    ref = reference()
    payments = impatient(stack, "CollectPaymentArn", "PayAndWait")
    return ref, payments, payments.start(ref, order(binding))


@dataclass(frozen=True, slots=True)
class Leak:
    """A key that was replaced while the doors' processes were warm, and the payment of which its thief tells."""

    ref: str
    warm: Mapping[str, frozenset[int]]
    replaced_at: datetime


@pytest.fixture(scope="module", autouse=True)
def leak(stack: LocalStack, binding: str) -> Leak:
    """Replace a key that has leaked, early, since a minute has to pass."""
    shop, operator, ref = Shop(stack), Operator(stack), new_ref()
    assert shop.pay(binding, ref, PAYS_WITH_OTP).body["state"] == "OTP_PENDING"
    status, facts = operator.run("doctor")  # it knocks at each door, so that each has read the secret
    assert status == 0, facts
    warm = {door: shop.workers(door) for door in DOORS}
    status, facts = operator.run("rotate", "issuedTokenKey")
    assert (status, facts["rotated"]) == (0, True)
    secret = SecretVersions(stack.cloud.secrets(), stack.outputs["DokuSecretId"])
    return Leak(ref, warm, secret.read_current().created_at)


def sweep(stack: LocalStack) -> None:
    """What the schedule does each minute, now."""
    stack.cloud.functions().invoke(FunctionName=stack.function_name("resolve_pending"), Payload=b"{}")


def reference() -> str:
    return "W" + secrets.token_hex(5).upper()


def order(binding: str, value: str = "25000.00", **more: object) -> dict[str, object]:
    return {"bindingId": binding, "amount": {"value": value, "currency": "IDR"}, "remarks": "Workflow", **more}


def money(stack: LocalStack, ref: str) -> list[object]:
    """What the bank's own book says about a payment."""
    return [entry["kind"] for entry in ledger(stack) if entry["reference"] == ref]


def pay(customer: Customer, payments: Executions, given: Mapping[str, object]) -> tuple[str, Ended]:
    """Run a payment whose customer enters the right OTP at once."""
    ref = reference()
    execution = payments.start(ref, given)
    customer.wait_for_otp(ref)
    assert customer.enter_otp(ref, OTP) in {200, 202}
    return ref, payments.wait(execution)


# --- link_account ----------------------------------------------------------------------------------------------------


def test_a_link_waits_for_its_customer(stack: LocalStack, links: Executions) -> None:
    customer = Customer(stack)
    execution = links.start("L" + secrets.token_hex(5), customer.link_request())
    binding = customer.finish_at_the_bank()
    ended = links.wait(execution)
    assert (ended.status, ended.output) == ("SUCCEEDED", {"bindingId": binding, "state": "ACTIVE"})
    assert ended.states == ["StartedAlready", "BindAndWait", "DecideByBindingState", "Linked"]


def test_a_link_that_doku_refuses_ends_as_failed(stack: LocalStack, links: Executions) -> None:
    ended = links.wait(links.start("L" + secrets.token_hex(5), Customer(stack, "0015").link_request()))
    assert (ended.status, ended.output["state"], ended.states[-1]) == ("SUCCEEDED", "FAILED", "NotLinked")


def test_a_link_started_at_the_api_is_watched_without_personal_data(stack: LocalStack, links: Executions) -> None:
    customer = Customer(stack)
    started = customer.api.call("POST", "/bindings", customer.link_request())
    execution = links.start("L" + secrets.token_hex(5), {"bindingId": started.body["bindingId"]})
    links.wait_for_state(execution, "WaitBeforeNextLook")  # it has seen the link with its page
    customer.finish_at_the_bank()
    ended = links.wait(execution)
    assert (ended.status, ended.output["state"]) == ("SUCCEEDED", "ACTIVE")
    auth_code = started.body["redirectUrl"].rsplit("/", 1)[1]
    about_the_person = [customer.phone, customer.id, NOTE, PAGE, auth_code, started.body["redirectUrl"]]
    assert find_leaks(about_the_person, {"history": ended.history}) == []


def test_a_link_that_the_workflow_starts_has_no_code_in_its_history(stack: LocalStack, links: Executions) -> None:
    """What is in the input is the caller's; what the bank answered is nobody's."""
    customer = Customer(stack)
    execution = links.start("L" + secrets.token_hex(5), customer.link_request())
    poll_until("the bank's page", lambda: any("redirectUrl" in binding for binding in customer.bindings()))
    (binding,) = customer.bindings()
    page = binding["redirectUrl"]
    customer.finish_at_the_bank()
    ended = links.wait(execution)
    assert find_leaks([page, page.rsplit("/", 1)[1]], {"history": ended.history}) == []


def test_a_link_for_an_account_that_is_linked_already_ends_at_once(
    customer: Customer, binding: str, links: Executions
) -> None:
    ended = links.wait(links.start("L" + secrets.token_hex(5), customer.link_request()))
    assert ended.output == {"bindingId": binding, "state": "ACTIVE"}
    assert "FindBinding" not in ended.states


def test_a_bad_link_request_fails_by_name(links: Executions) -> None:
    ended = links.wait(links.start("L" + secrets.token_hex(5), {"customerId": "CUST-1", "phone": "08123"}))
    assert (ended.status, ended.error, ended.states[-1]) == ("FAILED", "InvalidRequest", "Refused")


def test_a_link_whose_customer_never_comes_fails_after_its_lease(
    stack: LocalStack, system: System, nobody_came: tuple[Customer, Executions, str]
) -> None:
    customer, links, execution = nobody_came
    links.wait_for_state(execution, "WaitBeforeNextLook")
    pending = system.ports.bindings.get(customer.bindings()[0]["bindingId"])
    assert pending is not None
    over = system.ports.clock.now() - timedelta(seconds=1)
    system.ports.bindings.save(pending, replace(pending, lease_until=over, due_at=over))

    def given_up() -> bool:
        sweep(stack)
        return customer.bindings()[0]["state"] == "FAILED"

    poll_until("the end of the lease", given_up)
    ended = links.wait(execution)
    assert (ended.status, ended.output["state"], ended.states[-1]) == ("SUCCEEDED", "FAILED", "NotLinked")
    assert {"FindBinding", "ReadBinding", "WaitBeforeNextLook"} <= set(ended.states)
    after_the_wait = ended.history[ended.history.index("FindBinding") :]
    assert customer.phone not in after_the_wait


# --- collect_payment -------------------------------------------------------------------------------------------------


def test_a_payment_waits_for_its_otp_and_is_fulfilled(
    stack: LocalStack, customer: Customer, binding: str, payments: Executions
) -> None:
    ref, ended = pay(customer, payments, order(binding, checkBalance=True))
    assert ended.output == {"partnerReferenceNo": ref, "state": "PAID", "fulfilled": True}
    assert ended.states[-3:] == ["FulfilmentWanted", "FulfilOrder", "Paid"]
    assert "ReadPayment" not in ended.states
    assert money(stack, ref) == ["debit"]
    assert OTP not in ended.history
    (line, *_) = customer.api.call("GET", f"/bindings/{binding}/balance").body["balances"]
    assert find_leaks([customer.phone, customer.id, NOTE, PAGE, line["amount"]["value"]], {"all": ended.history}) == []
    assert "oken" not in json.dumps(customer.payment(ref))


def test_a_wrong_otp_then_the_right_one(
    stack: LocalStack, customer: Customer, binding: str, payments: Executions
) -> None:
    ref = reference()
    execution = payments.start(ref, order(binding))
    customer.wait_for_otp(ref)
    assert customer.enter_otp(ref, WRONG_OTP) == 422
    assert customer.enter_otp(ref, OTP) in {200, 202}
    ended = payments.wait(execution)
    assert (ended.status, ended.output["state"]) == ("SUCCEEDED", "PAID")
    assert money(stack, ref) == ["debit"]


def test_an_otp_that_nobody_enters(
    stack: LocalStack, system: System, customer: Customer, nobody_typed: tuple[str, Executions, str]
) -> None:
    ref, payments, execution = nobody_typed
    payments.wait_for_state(execution, "ReadPayment")
    now = system.ports.clock.now()

    def made_old() -> bool:
        waiting = system.ports.payments.get(ref)
        assert waiting is not None
        try:
            system.ports.payments.save(waiting, replace(waiting, created_at=now - timedelta(days=2), due_at=now))
        except PaymentChanged:  # its news are being told
            return False
        return True

    poll_until("the payment to be two days old", made_old)

    def given_up() -> bool:
        sweep(stack)
        return customer.payment(ref)["state"] == "FAILED"

    poll_until("the payment to be given up", given_up)
    ended = payments.wait(execution)
    assert ended.output == {"partnerReferenceNo": ref, "state": "FAILED", "reason": "otp_abandoned"}
    assert (ended.states[-1], "ReadPayment" in ended.states) == ("NotPaid", True)
    assert money(stack, ref) == []


def test_a_declined_payment_is_a_result(stack: LocalStack, binding: str, payments: Executions) -> None:
    ref = reference()
    ended = payments.wait(payments.start(ref, order(binding, "10014.00")))
    assert ended.status == "SUCCEEDED"
    assert ended.output == {"partnerReferenceNo": ref, "state": "FAILED", "reason": "declined"}
    assert money(stack, ref) == []


def test_a_lost_answer_is_unknown_until_it_is_resolved(
    stack: LocalStack, customer: Customer, binding: str, payments: Executions
) -> None:
    ref = reference()
    ended = payments.wait(payments.start(ref, order(binding, "10504.00")))
    assert (ended.status, ended.output["state"], ended.states[-1]) == ("SUCCEEDED", "PAID", "Paid")
    history = customer.payment(ref)["history"]
    assert isinstance(history, list)
    assert "UNKNOWN" in [step["state"] for step in history]
    assert money(stack, ref) == ["debit"]


def test_a_failed_fulfilment_gives_the_money_back(
    stack: LocalStack, customer: Customer, binding: str, payments: Executions
) -> None:
    ref, ended = pay(customer, payments, order(binding, metadata={"stock": "none"}))
    assert ended.status == "SUCCEEDED"
    assert ended.output == {
        "partnerReferenceNo": ref,
        "refundState": "REFUNDED",
        "reason": "fulfilment_failed",
        "fulfilmentError": "OutOfStock",
    }
    assert ended.states[-1] == "RefundedAfterFailedFulfilment"
    assert money(stack, ref) == ["debit", "refund"]


def test_starting_twice_pays_once(stack: LocalStack, customer: Customer, binding: str, payments: Executions) -> None:
    ref = reference()
    execution = payments.start(ref, order(binding))
    # AWS answers the same start with the running execution, the emulator refuses: both start nothing.
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        payments.start(ref, order(binding))
    customer.wait_for_otp(ref)
    assert customer.enter_otp(ref, OTP) in {200, 202}
    assert payments.wait(execution).output["state"] == "PAID"
    # A name that could be used again would still meet the record.
    repeat = {"partnerReferenceNo": ref, **order(binding)}
    answer = stack.cloud.functions().invoke(
        FunctionName=stack.function_name("make_payment"), Payload=json.dumps(repeat).encode()
    )
    assert json.loads(answer["Payload"].read())["state"] == "PAID"
    assert money(stack, ref) == ["debit"]


def test_a_balance_that_is_too_low_sends_nothing(stack: LocalStack, payments: Executions) -> None:
    customer = Customer(stack)
    binding = customer.linked()
    stack.simulator.control("accounts", {"phone": customer.phone, "balance": 24999})
    ref = reference()
    ended = payments.wait(payments.start(ref, order(binding, checkBalance=True)))
    assert ended.output == {"partnerReferenceNo": ref, "state": "NOT_SENT", "reason": "balance_too_low"}
    assert customer.payment(ref) == {}


def test_a_payment_of_an_unknown_binding_fails_by_name(payments: Executions) -> None:
    ended = payments.wait(payments.start(reference(), order("0" * 32)))
    assert (ended.status, ended.error, ended.states[-1]) == ("FAILED", "NotFound", "Refused")


# --- meanwhile -------------------------------------------------------------------------------------------------------


@pytest.mark.minute
def test_after_the_overlap_functions_that_stayed_warm_refuse_what_a_replaced_key_proves(
    stack: LocalStack, customer: Customer, leak: Leak
) -> None:
    """Nobody revoked anything, no process was replaced, and no clock was moved."""
    shop, thief, door = Shop(stack), Thief(stack), "receive_payment_notification"
    over = leak.replaced_at + timedelta(seconds=int(PARAMETERS["KeyOverlapSeconds"]))
    poll_until("the end of the overlap", lambda: datetime.now(UTC) >= over)
    workers = shop.workers(door)
    assert leak.warm[door] & workers, "who answers was there before the key was replaced"
    attack = partial(thief.tell_paid, leak.ref, customer=customer.id, amount=PAYS_WITH_OTP)
    assert all_at_once([attack] * len(workers)) == [401] * len(workers)
    assert leak.warm["issue_token"] & shop.workers("issue_token")
    assert jwt.get_unverified_header(Doku(stack).token())["kid"] != thief.key_id
    assert shop.payment(leak.ref)["state"] == "OTP_PENDING"
    assert shop.entries(leak.ref) == []
    shop.verify(leak.ref)
    shop.wait_for_state(leak.ref, "PAID")
    assert shop.entries(leak.ref) == ["debit"]
