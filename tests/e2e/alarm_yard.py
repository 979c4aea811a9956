"""The deployed alarms under watch, and the hands that bring about what they are for."""

import contextlib
import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import replace as changed
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from direct_debit.application.errors import PaymentChanged
from direct_debit.domain.payment import Payment
from tests.e2e.shop import PAYS_WITH_OTP, Doku, Shop, new_phone, new_ref, wait_for
from tools.local_cloud.alarms import Alarms
from tools.local_cloud.executions import Executions
from tools.local_cloud.metrics_bridge import Figure, MetricsBridge
from tools.local_cloud.resources import StackResources
from tools.local_cloud.stack import LocalStack
from tools.ops.queues import Depth, read_depth
from tools.ops.system import System

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True)
class Watch:
    """Whoever is on duty: has the figures copied and the alarms evaluated, now or after a time without news."""

    bridge: MetricsBridge
    alarms: Alarms

    def look(self, *, later: timedelta = timedelta(0)) -> set[str]:
        """The alarms that ring, by the template's names, when so much more time has passed."""
        moment = datetime.now(UTC) + later
        self.bridge.copy(moment)
        # A figure of this very moment lies before the end of the periods that are looked at.
        states = self.alarms.evaluate(moment + timedelta(seconds=1))
        return {name for name, state in states.items() if state == "ALARM"}

    def put(self, alarm: str, value: float, *, later: timedelta = timedelta(0)) -> None:
        """Put a value under the namespace, the name and the dimensions that the deployed alarm watches."""
        watched = self.alarms.describe()[alarm]
        dimensions = tuple((one["Name"], one["Value"]) for one in watched["Dimensions"])
        moment = datetime.now(UTC) + later
        self.bridge.put([Figure(watched["Namespace"], watched["MetricName"], dimensions, value, moment)])


@dataclass(frozen=True)
class Yard:
    """A stack with its merchant, DOKU's hand, the operator's eyes and the watch."""

    stack: LocalStack
    resources: StackResources
    watch: Watch
    system: System
    binding: str
    customer: str

    @cached_property
    def _functions(self) -> "LambdaClient":
        return self.stack.cloud.functions(retries=0)

    @cached_property
    def _sqs(self) -> "SQSClient":
        return self.stack.cloud.sqs()

    @property
    def shop(self) -> Shop:
        """The merchant's own system."""
        return Shop(self.stack)

    @property
    def doku(self) -> Doku:
        """DOKU's sender of notifications."""
        return Doku(self.stack)

    # --- functions ---------------------------------------------------------------------------------------------------

    def crash(self, operation: str, event: bytes = b"{}") -> None:
        """Have a function end by an exception."""
        answer = self._functions.invoke(FunctionName=self.stack.function_name(operation), Payload=event)
        assert answer.get("FunctionError") == "Unhandled", answer["Payload"].read()

    @contextlib.contextmanager
    def without_rights(self, function: str) -> Iterator[None]:
        """Let the role of a function be refused by the tables, for a while."""
        iam, role, name = self.stack.cloud.iam(), self._role(function), "no-tables"
        statement = {"Effect": "Deny", "Action": "dynamodb:*", "Resource": "*"}
        iam.put_role_policy(
            RoleName=role,
            PolicyName=name,
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        )
        try:
            yield
        finally:
            iam.delete_role_policy(RoleName=role, PolicyName=name)

    def _role(self, function: str) -> str:
        name = self.resources.physical_ids("AWS::Lambda::Function")[function]
        arn: str = self._functions.get_function_configuration(FunctionName=name)["Role"]
        return arn.rsplit("/", 1)[1]

    def throttle(self, function: str, times: int) -> None:
        """Call a function so often while no concurrency is left for it."""
        functions = self._functions
        # The emulator applies the limit to the function's own name only; the metric is the same for its alias.
        name = self.resources.physical_ids("AWS::Lambda::Function")[function]
        functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
        try:
            for _ in range(times):
                with pytest.raises(ClientError, match="TooManyRequestsException"):
                    functions.invoke(FunctionName=name, Payload=b"{}")
        finally:
            functions.delete_function_concurrency(FunctionName=name)

    @contextlib.contextmanager
    def switched_off(self, *mappings: str) -> Iterator[None]:
        """Let these event source mappings, by the template's names, hand out nothing for a while."""
        functions = self._functions
        ids = self.resources.physical_ids("AWS::Lambda::EventSourceMapping")
        for mapping in mappings:
            functions.update_event_source_mapping(UUID=ids[mapping], Enabled=False)
        try:
            yield
        finally:
            for mapping in mappings:
                functions.update_event_source_mapping(UUID=ids[mapping], Enabled=True)

    @contextlib.contextmanager
    def no_schedule(self) -> Iterator[None]:
        """Let the schedule of the sweep be switched off for a while."""
        events = self.stack.cloud.events()
        rule = self.resources.physical_ids("AWS::Events::Rule")["ResolvePendingEachMinute"]
        events.disable_rule(Name=rule)
        try:
            yield
        finally:
            events.enable_rule(Name=rule)

    # --- queues ------------------------------------------------------------------------------------------------------

    def send(self, queue: str, body: str) -> None:
        """Put a message into a queue, by its name in the template."""
        self._sqs.send_message(QueueUrl=self.stack.queue_url(queue), MessageBody=body)

    def depth(self, queue: str) -> Depth:
        """How many messages a queue holds, by its name in the template."""
        return read_depth(self._sqs, self.stack.queue_url(queue))

    def empty(self, *queues: str) -> None:
        """Throw away what queues hold; all of it was made by tests."""
        for queue in queues:
            self._sqs.purge_queue(QueueUrl=self.stack.queue_url(queue))
            wait_for(f"{queue} to be empty", partial(self._is_empty, queue))

    def _is_empty(self, queue: str) -> bool:
        return self.depth(queue).all == 0

    def hold(self, queue: str, body: str) -> None:
        """Have a message lie in a queue whose mapping is switched off; a look that was under way may take one more."""

        def lies_there() -> bool:
            depth = self.depth(queue)
            if depth.waiting + depth.in_flight == 0:
                self.send(queue, body)
            return depth.waiting > 0

        wait_for(f"a message in {queue}", lies_there)

    @contextlib.contextmanager
    def impatient(self, queue: str) -> Iterator[None]:
        """Let a queue set a message aside after its first failure, for a while, instead of the fifth."""
        sqs, url = self._sqs, self.stack.queue_url(queue)
        usual = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout", "RedrivePolicy"])
        policy = json.loads(usual["Attributes"]["RedrivePolicy"]) | {"maxReceiveCount": 1}
        sqs.set_queue_attributes(
            QueueUrl=url, Attributes={"VisibilityTimeout": "0", "RedrivePolicy": json.dumps(policy)}
        )
        try:
            yield
        finally:
            sqs.set_queue_attributes(QueueUrl=url, Attributes=usual["Attributes"])

    # --- payments ----------------------------------------------------------------------------------------------------

    def pending(self, amount: str = PAYS_WITH_OTP) -> str:
        """A payment that waits for its OTP."""
        ref = new_ref()
        assert self.shop.pay(self.binding, ref, amount).body["state"] == "OTP_PENDING"
        return ref

    def paid(self, amount: str = PAYS_WITH_OTP) -> str:
        """A payment of which DOKU's notification says that it is paid, whatever DOKU's status will say."""
        ref = self.pending(amount)
        self.shop.lose_notifications(1)
        self.shop.verify(ref)
        self.tell(ref, amount)
        self.shop.wait_for_state(ref, "PAID")
        return ref

    def tell(self, ref: str, amount: str, *, secret: str | None = None, token: str | None = None) -> int:
        """Notify that a payment is paid; returns the HTTP status."""
        sent = self.doku.notify(token or self.doku.token(), ref, customer=self.customer, amount=amount, secret=secret)
        return sent.status

    def rewrite(self, ref: str, change: Callable[[Payment], Payment]) -> None:
        """Change a payment's record as time or a defect would have."""

        def written() -> bool:
            payment = self.system.ports.payments.get(ref)
            assert payment is not None
            now = self.system.ports.clock.now()
            try:
                self.system.ports.payments.save(payment, change(payment.noted(now)))
            except PaymentChanged:
                return False
            return True

        wait_for(f"{ref} to be written", written)

    def ask_status(self, ref: str) -> None:
        """Have the worker ask DOKU about a payment that is due."""
        message = {"messageId": "1", "body": json.dumps({"ref": ref, "attempt": 0})}
        self.stack.invoke("inquire_status", {"Records": [message]})

    def long_ago(self, payment: Payment) -> Payment:
        """The payment, sent two days ago, asked about since then, and due."""
        now = self.system.ports.clock.now()
        then = now - timedelta(days=2)
        return changed(payment, sent_at=then, questioned_at=then, due_at=now)

    def close_circuit(self) -> None:
        """Let DOKU answer: the circuit breaker forgets what failed before."""
        self.stack.simulator.control("dials/clear", {})
        assert self.shop.insist("GET", f"/bindings/{self.binding}/balance").status == 200

    # --- workflows ---------------------------------------------------------------------------------------------------

    def executions(self, output: str) -> Executions:
        """The executions of a workflow, by the output that names it."""
        return Executions(self.stack.cloud, self.stack.outputs[output])

    def order(self, binding: str) -> Mapping[str, Any]:
        """What collect_payment is started with."""
        return {
            "bindingId": binding,
            "amount": {"value": PAYS_WITH_OTP, "currency": "IDR"},
            "remarks": "Alarm",
        }

    def link_request(self) -> Mapping[str, Any]:
        """What link_account is started with."""
        return {
            "customerId": "CUST-" + secrets.token_hex(6).upper(),
            "phone": new_phone(),
            "successUrl": "https://merchant.example/linked",
            "failedUrl": "https://merchant.example/not-linked",
        }

    def stop(self, execution: str) -> None:
        """Stop an execution, as an operator would."""
        self.stack.cloud.stepfunctions().stop_execution(executionArn=execution)
