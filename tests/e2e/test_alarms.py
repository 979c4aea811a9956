"""Each alarm of the template is rung by what it is for, as far as a local stack can have it, and by nothing else.

The bridge copies the figures, the alarms are evaluated by CloudWatch's rules, and the emulator says their states. Where
a cause can not be had here (`put`), the figure is put under the metric that the deployed alarm watches. That this is
one that AWS documents is held by tests/template/test_alarms.py, which also fails for an alarm that nothing here rings.
"""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from dataclasses import replace as changed
from datetime import UTC, datetime, timedelta

import pytest

from direct_debit.adapters.dynamodb.keys import payment_key
from direct_debit.application.outbox.event_types import EVENTS_BY_NAME
from tests.e2e.alarm_yard import Watch, Yard
from tests.e2e.shop import PAYS_WITH_OTP, Shop, new_ref, payment_body, wait_for
from tools.event_catalogue import make_envelope
from tools.local_cloud.alarms import Alarms
from tools.local_cloud.metrics_bridge import Figure, MetricsBridge
from tools.local_cloud.resources import stack_resources
from tools.local_cloud.stack import LocalStack
from tools.ops.system import find_system

pytestmark = pytest.mark.e2e

LIVE_QUEUES = ("NotificationQueue", "RefundRetryQueue", "StatusInquiryQueue", "WebhookQueue")
DECLINED = "10014.00"
# DOKU takes the OTP, and ends the payment as failed.
FAILS_AFTER_OTP = "10006.00"
SET_ASIDE = (*(f"{queue}Dead" for queue in LIVE_QUEUES), "StreamFailureQueue")
SILENT = "ResolvePendingSilentAlarm"
# On a slow machine any test's calls may meet the gateway's own 5xx, and the schedule may be late.
ANYBODYS = {SILENT, "ApiServerErrorAlarm"}
AGES = tuple(f"{queue}AgeAlarm" for queue in LIVE_QUEUES)
MAPPINGS = (
    "ProcessNotificationMessages",
    "ProcessRefundMessages",
    "InquireStatusMessages",
    "DeliverWebhookMessages",
)
# Messages about what is not there: their workers are done with them at once.
NOBODYS = {
    "NotificationQueue": json.dumps({"inboxId": "NOBODY"}),
    "RefundRetryQueue": json.dumps({"ref": "NOBODY", "attempt": 0}),
    "StatusInquiryQueue": json.dumps({"ref": "NOBODY", "attempt": 0}),
    "WebhookQueue": json.dumps(make_envelope(EVENTS_BY_NAME["payment.paid"])),
}


@dataclass(frozen=True, slots=True)
class Cause:
    """What rings exactly these alarms, and what is to be tidied up afterwards."""

    alarms: tuple[str, ...]
    happen: Callable[[Yard], None]
    tidy: Callable[[Yard], None] = lambda _: None


# --- silence and lateness --------------------------------------------------------------------------------------------


def put(*values: tuple[str, float]) -> Cause:
    """A cause that the local stack can not have: only its figure is put."""

    def happen(yard: Yard) -> None:
        for alarm, value in values:
            yard.watch.put(alarm, value)

    return Cause(tuple(alarm for alarm, _ in values), happen)


DOORS_OF_DOKU = ("IssueToken", "ReceivePaymentNotification", "ReceiveBindingNotification")
BEHIND_THE_DOORS = (
    "ProcessNotification",
    "ProcessRefund",
    "InquireStatus",
    "ResolvePending",
    "PublishEvents",
    "DeliverWebhook",
)


def no_concurrency_left(yard: Yard) -> None:
    for function in (*DOORS_OF_DOKU, *BEHIND_THE_DOORS):
        yard.throttle(function, 5)


# --- failures --------------------------------------------------------------------------------------------------------


CONSUMERS = {
    "ProcessNotification": "process_notification",
    "ProcessRefund": "process_refund",
    "InquireStatus": "inquire_status",
    "PublishEvents": "publish_events",
    "DeliverWebhook": "deliver_webhook",
}


def consumers_crash(yard: Yard) -> None:
    """Each gets what is no event of its source."""
    for operation in CONSUMERS.values():
        yard.crash(operation)


def sweep_without_rights(yard: Yard) -> None:
    with yard.without_rights("ResolvePending"):
        yard.crash("resolve_pending")


def poison_all_queues(yard: Yard) -> None:
    with contextlib.ExitStack() as soon:
        for queue in LIVE_QUEUES:
            soon.enter_context(yard.impatient(queue))
            yard.send(queue, "{}")
        wait_for("the dead-letter queues", lambda: all(yard.depth(f"{queue}Dead").all for queue in LIVE_QUEUES))


def empty_what_was_set_aside(yard: Yard) -> None:
    yard.empty(*SET_ASIDE)


UNREADABLE = new_ref()


def record_of_a_newer_release(yard: Yard) -> None:
    """A payment in a state that this code does not know: the outbox puts its change aside, the sweep leaves it."""
    assert yard.shop.pay(yard.binding, UNREADABLE).body["state"] == "OTP_PENDING"
    yard.stack.cloud.dynamodb().update_item(
        TableName=yard.stack.transactions_table,
        Key=payment_key(UNREADABLE),
        UpdateExpression="SET #state = :newer, dueAt = createdAt",
        ExpressionAttributeNames={"#state": "state"},
        ExpressionAttributeValues={":newer": {"S": "OF_A_NEWER_RELEASE"}},
    )
    wait_for("the failure queue", lambda: yard.depth("StreamFailureQueue").all)
    yard.shop.sweep()


def forget_the_record(yard: Yard) -> None:
    yard.stack.cloud.dynamodb().delete_item(TableName=yard.stack.transactions_table, Key=payment_key(UNREADABLE))
    yard.empty(*SET_ASIDE)


def server_errors(yard: Yard) -> None:
    """DOKU is silent: the circuit opens, and callers are told to come later."""
    binding = yard.shop.link()
    refused: list[str] = []

    def refused_often() -> bool:
        ref = new_ref()
        status = yard.shop.call("POST", "/payments", payment_body(binding, ref, PAYS_WITH_OTP)).status
        assert status in (202, 503)
        refused.extend([ref] if status == 503 else [])
        return len(refused) >= 5

    try:
        # Any other answer of DOKU's would close the circuit.
        with yard.switched_off(*MAPPINGS):
            yard.shop.dial("payment", "drop", when="before", count=1000)
            wait_for("five refusals", refused_often)
    finally:
        yard.close_circuit()


def payment_of_nobody(yard: Yard) -> None:
    ended = yard.executions("CollectPaymentArn")
    assert ended.wait(ended.start(new_ref(), yard.order("0" * 32))).status == "FAILED"


def collect_payment_stopped(yard: Yard) -> None:
    """Somebody stops it while the customer looks for the code."""
    ref = new_ref()
    execution = yard.executions("CollectPaymentArn").start(ref, yard.order(yard.binding))
    wait_for("the payment", lambda: yard.shop.call("GET", f"/payments/{ref}").body.get("state") == "OTP_PENDING")
    yard.stop(execution)


def link_account_stopped(yard: Yard) -> None:
    """Somebody stops it while the customer is at the bank."""
    running, request = yard.executions("LinkAccountArn"), yard.link_request()
    execution = running.start("A" + new_ref(), request)
    customer = f"/bindings?customerId={request['customerId']}"
    wait_for("the link", lambda: yard.shop.insist("GET", customer).body["bindings"])
    yard.stop(execution)


# --- what the application counts -------------------------------------------------------------------------------------


def contradiction(yard: Yard) -> None:
    """DOKU declined the payment, and later says that the money moved."""
    ref = new_ref()
    assert yard.shop.pay(yard.binding, ref, DECLINED).body["state"] == "FAILED"
    assert yard.tell(ref, DECLINED) == 200
    yard.shop.wait_for_state(ref, "NEEDS_REVIEW")


def unsendable_refund(yard: Yard) -> None:
    """A record with an external id that no request may carry: our own model refuses it, and a person has to look."""
    ref = yard.paid()
    yard.rewrite(ref, lambda payment: changed(payment, external_id="x" * 500))
    assert yard.shop.insist("POST", f"/payments/{ref}/refund", {"partnerRefundNo": new_ref()}).status == 202


def notification_of_no_payment(yard: Yard) -> None:
    assert yard.tell(new_ref(), PAYS_WITH_OTP) == 200


def answers_about_others(yard: Yard) -> None:
    """Twenty payments whose answers name another payment: no evidence, so that each outcome is unknown."""
    binding = yard.shop.link()
    yard.shop.dial("payment", "garbage", garbage="wrong_reference", count=1000)
    for _ in range(20):
        assert yard.shop.pay(binding, new_ref()).body["state"] == "UNKNOWN"
    yard.close_circuit()


def refused_key(yard: Yard) -> None:
    yard.shop.dial("balance", "code", code="40100", count=3)
    assert yard.shop.call("GET", f"/bindings/{yard.binding}/balance").status == 503
    yard.close_circuit()


def relinks(yard: Yard) -> None:
    """One customer unlinks at the bank; then as many figures as if nineteen others had, too."""
    binding = yard.shop.link()
    customer = yard.shop.insist("GET", f"/bindings/{binding}").body["customerId"]
    yard.stack.simulator.control(f"customers/{customer}/unlink", {})
    assert yard.shop.insist("GET", f"/bindings/{binding}/balance").status == 422
    assert "RelinkRequiredAlarm" not in yard.watch.look()
    yard.watch.put("RelinkRequiredAlarm", 19)


def reversal(yard: Yard) -> None:
    """DOKU tells of a payment as paid, and its status says that it failed."""
    ref = yard.paid(FAILS_AFTER_OTP)
    yard.rewrite(ref, lambda payment: changed(yard.long_ago(payment), questioned_at=None))
    yard.ask_status(ref)


def unanswered_question(yard: Yard) -> None:
    ref = yard.paid()
    # No other question's silence may add to this one's, for the circuit breaker.
    with yard.switched_off(*MAPPINGS):
        yard.shop.dial("status", "status", status=503, when="before", count=1000)
        yard.rewrite(ref, yard.long_ago)
        yard.ask_status(ref)
        yard.close_circuit()


def late_news(yard: Yard) -> None:
    """The stream is not read; ten minutes later, the sweep tells."""
    with yard.switched_off("PublishEventsPaymentChanges"):
        ref = yard.pending()
        now = yard.system.ports.clock.now()
        yard.rewrite(ref, lambda payment: changed(payment, tell_by=now))
        yard.shop.sweep()


def refused_notifications(yard: Yard) -> None:
    token = yard.doku.token()
    for _ in range(5):
        assert yard.tell(new_ref(), PAYS_WITH_OTP, secret="somebody-else", token=token) == 401


def refused_token_requests(yard: Yard) -> None:
    for _ in range(5):
        answer = yard.stack.unsigned().call("POST", "/doku/authorization/v1/access-token/b2b", {})
        assert answer.status in (400, 401)


def receiver_is_down(yard: Yard) -> None:
    """The merchant's receiver answers 500 for a while; what it did not take is tried again, and taken."""
    yard.stack.webhooks.answer_with(500)
    try:
        for number in range(20):
            paid = make_envelope(EVENTS_BY_NAME["payment.paid"])
            yard.send("WebhookQueue", json.dumps(paid).replace("INV202603020", f"DOWN{number}"))
        wait_for("twenty refusals", lambda: yard.stack.webhooks.refused >= 20)
    finally:
        yard.stack.webhooks.answer_with(200)


CAUSES = (
    put(
        ("ResolvePendingDroppedAlarm", 3),
        ("ResolvePendingNotCalledAlarm", 3),
        ("PublishEventsLateAlarm", 300_000),
        ("CollectPaymentTimedOutAlarm", 1),
        ("LinkAccountTimedOutAlarm", 1),
        # Other tests of this stack count the secret's versions.
        ("SecretUnusableAlarm", 1),
        ("NotificationByReplacedKeyAlarm", 1),
        # This stack takes signatures. What counts these is tried by unit/entrypoint/test_authoriser.py.
        ("AccessTokenRefusedAlarm", 20),
        ("IssuerUnavailableAlarm", 3),
        # The emulator writes no access log. What counts as one is tried by template/test_access_log_filters.py.
        ("MerchantCallRefusedAlarm", 5),
        ("DokuAddressRefusedAlarm", 5),
    ),
    Cause(
        tuple(f"{function}ThrottledAlarm" for function in (*DOORS_OF_DOKU, *BEHIND_THE_DOORS)),
        no_concurrency_left,
    ),
    Cause(tuple(f"{function}ErrorAlarm" for function in CONSUMERS), consumers_crash),
    Cause(("ResolvePendingErrorAlarm",), sweep_without_rights),
    Cause(tuple(f"{queue}DeadAlarm" for queue in LIVE_QUEUES), poison_all_queues, empty_what_was_set_aside),
    Cause(("StreamFailureQueueAlarm", "RecordUnreadableAlarm"), record_of_a_newer_release, forget_the_record),
    Cause(("CircuitOpenedAlarm", "ApiServerErrorAlarm"), server_errors),
    Cause(("CollectPaymentFailedAlarm",), payment_of_nobody),
    Cause(("CollectPaymentAbortedAlarm",), collect_payment_stopped),
    Cause(("LinkAccountAbortedAlarm",), link_account_stopped),
    Cause(("PaymentNeedsReviewAlarm",), contradiction),
    Cause(("UnsendableMessageAlarm", "RefundNeedsReviewAlarm"), unsendable_refund),
    Cause(("NotificationQuarantinedAlarm",), notification_of_no_payment),
    Cause(("PaymentOutcomeUnknownAlarm", "AnswerContradictsAlarm"), answers_about_others),
    Cause(("CredentialsRefusedAlarm",), refused_key),
    Cause(("RelinkRequiredAlarm",), relinks),
    Cause(("PaymentReversedAlarm",), reversal),
    Cause(("QuestionUnansweredAlarm",), unanswered_question),
    Cause(("NewsLateAlarm",), late_news),
    Cause(("NotificationRefusedAlarm",), refused_notifications),
    Cause(("TokenRequestRefusedAlarm",), refused_token_requests),
    Cause(("WebhookFailedAlarm",), receiver_is_down),
)


@pytest.fixture(scope="module")
def yard(stack: LocalStack) -> Iterator[Yard]:
    resources = stack_resources(stack.cloud, stack.name)
    # Other tests of this stack have left their figures, and what they had set aside.
    watch = Watch(MetricsBridge(stack.cloud, resources), Alarms(stack.cloud, resources, since=datetime.now(UTC)))
    binding = Shop(stack).link()
    customer = Shop(stack).insist("GET", f"/bindings/{binding}").body["customerId"]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in stack.cloud.environment().items():
            patch.setenv(name, value)
        system = find_system(stack.name, endpoint=stack.cloud.endpoint, region=stack.cloud.region)
        made = Yard(stack, resources, watch, system, binding, customer)
        watch.bridge.skip()
        made.empty(*SET_ASIDE)
        yield made


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.happen.__name__)
def test_the_alarm_is_rung_by_its_cause_and_no_other_one_is(yard: Yard, cause: Cause) -> None:
    before = yard.watch.look()
    own = set(cause.alarms) - ANYBODYS
    assert not before & own
    cause.happen(yard)
    rung: set[str] = set()

    def rings() -> bool:
        ringing = yard.watch.look()
        rung.update(ringing - before - ANYBODYS)
        return rung >= own and ringing >= set(cause.alarms) & ANYBODYS

    wait_for(" and ".join(cause.alarms), rings)
    cause.tidy(yard)
    assert rung == own


def test_a_schedule_that_stands_still_is_heard_by_its_silence(yard: Yard) -> None:
    with yard.no_schedule():
        yard.shop.sweep()
        assert SILENT not in yard.watch.look()
        assert SILENT in yard.watch.look(later=timedelta(minutes=6))
    yard.shop.sweep()
    assert SILENT not in yard.watch.look()


def test_messages_that_nobody_takes_are_noticed_by_their_age(yard: Yard) -> None:
    notification = AGES[0]
    with yard.switched_off(*MAPPINGS):
        for queue, body in NOBODYS.items():
            yard.hold(queue, body)
        assert not yard.watch.look(later=timedelta(minutes=5)) & set(AGES)
        assert yard.watch.look(later=timedelta(minutes=16)) & set(AGES) == {notification}
        assert yard.watch.look(later=timedelta(minutes=31)) >= set(AGES)
    wait_for("the notification to be taken", lambda: yard.depth("NotificationQueue").all == 0)
    assert notification not in yard.watch.look(later=timedelta(minutes=32))
    assert not yard.watch.look() & set(AGES)


def test_figures_of_other_things_ring_nothing(yard: Yard) -> None:
    before, now = yard.watch.look(), datetime.now(UTC)
    yard.watch.bridge.put(
        [
            Figure("AWS/Lambda", "Errors", (("FunctionName", "another-stacks"),), 9, now),
            Figure("AWS/Lambda", "Throttles", (), 9, now),
            Figure("AWS/Lambda", "IteratorAges", (("FunctionName", yard.stack.name + "-publish-events"),), 10**6, now),
            Figure("DirectDebit/another-stack", "NewsLate", (("service", "direct-debit"),), 9, now),
        ]
    )
    # Neither for the emulator, which would ring for the first two, nor for those who evaluate.
    rings = {name for name, alarm in yard.watch.alarms.describe().items() if alarm["StateValue"] == "ALARM"}
    assert rings == before
    assert yard.watch.look() <= before


def test_what_rang_is_calm_again_when_nothing_more_happens(yard: Yard) -> None:
    hours = timedelta(hours=3)
    yard.watch.put("CollectPaymentTimedOutAlarm", 1, later=hours)
    yard.watch.put("TokenRequestRefusedAlarm", 5, later=hours)
    assert yard.watch.look(later=hours) >= {"CollectPaymentTimedOutAlarm", "TokenRequestRefusedAlarm"}
    # Nothing has run for hours by then, and what waits in the queues for its own time is as old as that.
    assert yard.watch.look(later=2 * hours) <= {SILENT, *AGES}


OVER_TIME = (SILENT, *AGES)
"""Rung by the two tests of what does not happen."""
