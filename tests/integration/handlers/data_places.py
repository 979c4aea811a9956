"""Where data is, by name: the fields that the models write, and those that a played life has really stored or sent."""

import io
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from inspect import signature
from random import Random
from typing import Any, cast

from pydantic.alias_generators import to_camel

from direct_debit.adapters.dynamodb.binding_item import write_binding
from direct_debit.adapters.dynamodb.client import Store
from direct_debit.adapters.dynamodb.history_item import write_history
from direct_debit.adapters.dynamodb.inbox import write_inbox_item
from direct_debit.adapters.dynamodb.payment_item import write_payment
from direct_debit.adapters.dynamodb.webhook_log import DynamoDbWebhookLog
from direct_debit.adapters.sqs import SqsQueue, SqsQueues
from direct_debit.application.outbox.record_change import list_events
from direct_debit.application.ports.fleet import CircuitState
from direct_debit.application.ports.history import HistoryEntry
from direct_debit.application.ports.inbox import InboxItem, InboxKind
from direct_debit.application.ports.telemetry import Metric
from direct_debit.application.ports.webhooks import WebhookAnswer, WebhookTry
from direct_debit.domain.binding import Binding, BindingState, SealedTokens
from direct_debit.domain.evidence import Evidence, EvidenceSource
from direct_debit.domain.money import Amount
from direct_debit.domain.move import Move
from direct_debit.domain.payment import FailureReason, Payment, PaymentFailure, PaymentState, ReviewReason
from direct_debit.domain.refund import Refund
from direct_debit.entrypoint.command import Command
from direct_debit.entrypoint.observability import Observability
from direct_debit.entrypoint.operations.get_balance import CoverView
from direct_debit.entrypoint.operations.list_bindings import BindingList
from direct_debit.entrypoint.settings import read_environment
from direct_debit.entrypoint.views.binding import BindingView
from direct_debit.entrypoint.views.payment import FailureView, PaymentView
from direct_debit.entrypoint.views.refund import RefundOfPaymentView
from tests.fakes.clock import FakeClock
from tests.fakes.environment import COMPLETE
from tests.fakes.ids import SeededIds
from tests.fakes.in_memory_dynamodb import InMemoryDynamoDb
from tests.fakes.processes import BINDINGS, TRANSACTIONS
from tests.integration.handlers.house import REPOSITORY, House, binding_body, payment_body
from tools.operations import ROUTES
from tools.ops.forget import forget
from tools.ops.system import System

AT = datetime(2026, 11, 27, 9, tzinfo=UTC)
SEEN = Evidence(EvidenceSource.STATUS, AT, "00")
MOVE = Move(version=1, at=AT, state="PAID", source="status")
LOG = "webhook-log"
# What of an item's attributes is whose: by the sort key's beginning.
_KINDS = {
    "PAYMENT": "Payment",
    "HISTORY": "Step",
    "KEY": "Idempotency key",
    "INBOX": "Notification",
    "CIRCUIT": "Circuit",
    "BINDING": "Link",
    "ACCOUNT": "Claim",
    "CUSTOMER": "Claim",
    "RETURN": "Return pointer",
    "TOKEN": "Shared token",
    "FORGET": "Being forgotten",
    "TRY": "Try",
    "EVENT": "Kept event",
}

type Places = dict[str, set[str]]
_NUMBERS = itertools.count()


def a_full_payment() -> Payment:
    """A payment with all that one may have, whether it may be together or not."""
    refund = Refund(
        number="R1",
        requested_by="arn:aws:iam::1:role/shop",
        reason="Refund",
        sealed_reason="2.k.n.c",
        request_hash="h",
        requested_at=AT,
        attempt="a",
        attempts=1,
        external_id="1",
        sent_at=AT,
        due_at=AT,
        refund_no="D1",
        refunded_at=AT,
        response_code="2005800",
        automatic=True,
        evidence=SEEN,
    )
    return Payment(
        ref="INV1",
        binding_id="b1",
        customer_id="c1",
        amount=Amount.parse("1.00"),
        remarks="Order",
        request_hash="h",
        state=PaymentState.FAILED,
        version=2,
        created_at=AT,
        updated_at=AT,
        external_id="1",
        attempt="a",
        sent_at=AT,
        released=True,
        metadata={"a": "b"},
        doku_reference="D",
        web_redirect_url="2.k.n.c",
        response_code="2005400",
        failure=PaymentFailure(FailureReason.DECLINED, "06"),
        review=ReviewReason.EXHAUSTED,
        otp_attempts=1,
        otp_accepted=True,
        otp_unclear=True,
        reposted=True,
        late_success=True,
        not_found_count=1,
        not_found_since=AT,
        questioned_at=AT,
        question_heard_at=AT,
        reversed_at=AT,
        review_closed_at=AT,
        last_inquiry_at=AT,
        due_at=AT,
        untold=(MOVE,),
        tell_by=AT,
        task_token="2.k.n.c",
        evidence=SEEN,
        refund=refund,
    )


def a_full_binding() -> Binding:
    """A link with all that one may have, whether it may be together or not."""
    return Binding(
        id="b1",
        customer_id="c1",
        account="hash",
        phone_hint="761",
        success_url="2.k.n.c",
        failed_url="2.k.n.c",
        request_hash="h",
        return_state_hash="h",
        state=BindingState.PENDING,
        version=2,
        created_at=AT,
        updated_at=AT,
        lease_until=AT,
        external_id="1",
        metadata={"a": "b"},
        redirect_url="2.k.n.c",
        auth_code="2.k.n.c",
        page_ended=True,
        earlier_pages={"1": "2.k.n.c"},
        tokens=SealedTokens("2.k.n.c", AT, "2.k.n.c", AT),
        attempt="a",
        attempt_until=AT,
        unbind_external_id="1",
        unbind_requested_at=AT,
        unbind_redirect_url="2.k.n.c",
        unbind_requested_by="arn:aws:iam::1:role/shop",
        unbind_unclear=True,
        otp_attempts=1,
        token_lease_until=AT,
        response_code="2000700",
        due_at=AT,
        open_payments=frozenset({"INV1"}),
        untold=(MOVE,),
        tell_by=AT,
        task_token="2.k.n.c",
        evidence=SEEN,
    )


def a_full_notice() -> InboxItem:
    """A notification with all that one may have."""
    return InboxItem(
        id="n1",
        kind=InboxKind.PAYMENT,
        subject="INV1",
        received_at=AT,
        fresh=True,
        is_by_replaced_key=True,
        body="2.k.n.c",
        reason="stale",
        told="1.00 IDR",
        attempts=1,
        due_at=AT,
    )


def a_full_step() -> HistoryEntry:
    """A step with all that one may have."""
    return HistoryEntry(2, AT, "PAID", "REFUNDED", "status", "00", "declined", "2005400", "arn:aws:iam::1:role/shop")


def list_unset(record: object) -> list[str]:
    """Name the fields that a record leaves empty: of a full one there is none."""
    of = fields(record)  # type: ignore[arg-type]  # records are dataclasses
    return [one.name for one in of if getattr(record, one.name) in (None, "", False, (), {}, frozenset())]


def read_models() -> Places:
    """What the models can write, sent or stored, by the headings of docs/data-map.md."""
    payment, binding = a_full_payment(), a_full_binding()
    return {
        "Payment": set(write_payment(payment)),
        "Link": set(write_binding(binding)),
        "Notification": set(write_inbox_item(a_full_notice())),
        "Step": set(write_history("INV1", a_full_step())),
        "Requests": {name for route in ROUTES for name in _list_fields(route.request)},
        "Events of payments": _list_event_fields(payment),
        "Events of links": _list_event_fields(binding),
        "Messages": _list_message_fields(),
        "Log lines": _list_log_fields(),
        "Access log": _list_access_log_fields(),
        "Workflow histories": _list_brief_fields(),
    }


def _list_fields(model: type[Command], prefix: str = "") -> Iterator[str]:
    for name, info in model.model_fields.items():
        yield prefix + (info.alias or name)


def _list_event_fields(record: Payment | Binding) -> set[str]:
    moved = replace(MOVE, state=record.state, refund_state="REQUESTED", refund_moved=True)
    if isinstance(record, Binding):
        moved = replace(MOVE, state="ACTIVE")
    return {name for event in list_events(record, moved) for name in event.to_json()}


@dataclass
class _Messages:
    """A queue that keeps what it gets."""

    bodies: list[Mapping[str, object]] = field(default_factory=list)
    attributes: list[str] = field(default_factory=list)

    def send_message(self, **request: Any) -> None:  # noqa: ANN401 - boto3's
        self.bodies.append(json.loads(request["MessageBody"]))
        self.attributes += [name for name in request if name not in ("QueueUrl", "MessageBody", "DelaySeconds")]


def _list_message_fields() -> set[str]:
    kept = _Messages()
    queue = SqsQueue(cast("Any", kept), "url")
    queues = SqsQueues(notifications=queue, refunds=queue, inquiries=queue)
    queues.send_notification("n1")
    queues.send_refund("INV1", 1, 0)
    queues.send_inquiry("INV1", 1, 0)
    failures = re.search(r"failure = \{(.*?)\n    \}", _read("entrypoint/stream.py"), re.DOTALL)
    assert failures is not None
    return {name for body in kept.bodies for name in body} | set(re.findall(r'^ +"(\w+)":', failures[1], re.MULTILINE))


def list_message_attributes() -> list[str]:
    """What is sent with a message beside its body: nothing may be."""
    kept = _Messages()
    SqsQueue(cast("Any", kept), "url").send({"ref": "INV1"}, 3)
    return kept.attributes


def _read(path: str) -> str:
    return (REPOSITORY / "layers/direct_debit/python/direct_debit" / path).read_text("utf-8")


def _list_log_fields() -> set[str]:
    """Every line that can be written, with everything that can be in it."""
    stream = io.StringIO()
    # Loggers live as long as the process, by name.
    log = Observability(service=f"data-map-{next(_NUMBERS)}", level="DEBUG", namespace="Test", stream=stream)
    given: dict[str, Any] = {"message": "m", "status": 200, "error": RuntimeError("x"), "metric": Metric.NEWS_LATE}
    for name in ("begin", "note", "answered", "failed"):
        method = getattr(log, name)
        method(**{one: given.get(one, "x") for one in signature(method).parameters if one != "amount"})
    return {name for line in stream.getvalue().splitlines() for name in json.loads(line)}


def _list_access_log_fields() -> set[str]:
    template = (REPOSITORY / "template.yaml").read_text("utf-8")
    formats = re.findall(r"Format: '(\{.*\})'", template)
    assert len(formats) == 1
    return set(json.loads(formats[0]))


def _list_brief_fields() -> set[str]:
    views = (BindingView, BindingList, PaymentView, FailureView, RefundOfPaymentView, CoverView)
    return {to_camel(name) for view in views for name in view.brief}


def play_a_life() -> Places:
    """Play what a customer may do, and return the attributes of each kind of item that was ever stored."""
    with House().open() as house:
        _play(house)
        store = house.world.store
        log = _fill_webhook_log()
        house.ports.circuit.replace(CircuitState(), CircuitState(1, AT, AT))
        _forget(house)
        places: Places = {}
        for table, of in ((BINDINGS, store), (TRANSACTIONS, store), (LOG, log)):
            for record in of.stream(table):
                for item in filter(None, (record.old, record.new)):
                    kind = _KINDS[str(record.keys["sk"]["S"]).partition("#")[0]]
                    places.setdefault(kind, set()).update(item)
    return places


def _play(house: House) -> None:
    world = house.world
    token = {"taskToken": "AQCanary"}
    linked = house.invoke("bind_account", binding_body(**token, metadata={"a": "b"}))
    (page,) = world.simulator.world.bindings.values()
    world.simulator.customer.complete(page.code)
    world.run_for(60)
    binding, ref = linked["bindingId"], "INV000000001"
    order = payment_body(binding, **token, metadata={"a": "b"}, deviceId="abc", ipAddress="203.0.113.7")
    house.invoke("make_payment", {**order, "idempotencyKey": "key"})
    house.invoke("verify_payment_otp", {"partnerReferenceNo": ref, "otp": "123456"})
    world.run_for(300)
    house.invoke("refund_payment", {"partnerReferenceNo": ref, "reason": "why"})
    world.run_for(300)
    house.invoke("unbind_account", {"bindingId": binding})
    house.invoke("confirm_unbinding", {"bindingId": binding, "otp": "123456"})
    world.run_for(1200)


def _forget(house: House) -> None:
    """As `./ops forget` does; its writes go where all others go."""
    store = Store(house.world.store, house.world.clock, house.world.ids)
    environment = read_environment({**COMPLETE, "BINDINGS_TABLE": BINDINGS, "TRANSACTIONS_TABLE": TRANSACTIONS})
    system = System(
        name="test",
        environment=environment,
        ports=house.ports,
        store=store,
        sqs=cast("Any", None),
        queues={},
        invoke=lambda *_: {},
        inquire_status="",
        publish_events="",
        secret=cast("Any", None),
        outside=cast("Any", None),
        pages=cast("Any", None),
    )
    forget("CUST-1", system)


def _fill_webhook_log() -> InMemoryDynamoDb:
    tables = InMemoryDynamoDb(LOG)
    log = DynamoDbWebhookLog(Store(tables, FakeClock(), SeededIds(Random(1))), LOG)  # noqa: S311 - a test's
    answer = WebhookAnswer(500, "status", 7)
    log.add_try(WebhookTry(subject="INV1", webhook_id="w", name="payment.paid", at=AT, answer=answer))
    log.keep_event("b1", "w", "binding.activated", AT.isoformat(), "{}")
    return tables
