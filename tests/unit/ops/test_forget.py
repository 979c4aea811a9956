"""`./ops forget`: the money records stay, the person goes; refused while anything is open, repeatable after a death."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest

from direct_debit.adapters.dynamodb.binding_item import read_binding
from direct_debit.adapters.dynamodb.client import DynamoDb, Store
from direct_debit.adapters.dynamodb.inbox import INBOX_KIND, read_inbox_item
from direct_debit.adapters.dynamodb.items import Item, text
from direct_debit.adapters.dynamodb.keys import binding_key, payment_key
from direct_debit.adapters.dynamodb.payment_item import read_payment
from direct_debit.adapters.dynamodb.webhook_log import DynamoDbWebhookLog
from direct_debit.application.errors import StoreUnavailable
from direct_debit.application.notifications.accept_notification import AcceptNotification, accept_notification
from direct_debit.application.notifications.notices import PaymentNotice
from direct_debit.application.ports.inbox import InboxItem, InboxKind, InboxState
from direct_debit.application.webhooks.webhook import read_webhook
from direct_debit.domain.binding import BindingState
from direct_debit.domain.payment import PaymentState
from tests.fakes.processes import BINDINGS, TRANSACTIONS
from tests.integration.handlers.house import Response, binding_body, payment_body
from tests.unit.ops.conftest import PHONE, REF, Desk
from tools.ops.__main__ import main
from tools.ops.failure import OpsError
from tools.ops.forget import forget
from tools.ops.system import System, WebhookPart

CUSTOMER = "CUST-CANARY-1"
LOG = "webhook-log"
OTP = "123456"
SECOND = "INV000000002"
ABOUT_THE_PERSON = (
    CUSTOMER,
    "Canary Siti",
    "canary-remark",
    "canary-meta",
    "canary-page",
    "canary-reason",
    "canarydevice",
    "203.0.113.77",
    "canary-task",
)
REMARKS = "canary-remark"


def listed(desk: Desk, table: str) -> list[Item]:
    """What a table holds now."""
    return cast("list[Item]", list(desk.house.world.store.items(table)))


def everything(desk: Desk) -> str:
    return json.dumps([list(map(dict, listed(desk, table))) for table in (BINDINGS, TRANSACTIONS, LOG)], default=str)


def call(desk: Desk, name: str, body: object = None, **path: str) -> Response:
    return desk.house.call(name, body, path=path)


@pytest.fixture
def life(desk: Desk) -> Desk:
    """A customer who linked, paid twice, got one payment back, and is linked still."""
    world = desk.house.world
    world.store.create_table(LOG)
    log = DynamoDbWebhookLog(desk.system.store, LOG)

    def list_notices() -> Iterator[InboxItem]:
        for item in listed(desk, TRANSACTIONS):
            if item["kind"].get("S") == INBOX_KIND:
                yield read_inbox_item(item)

    part = WebhookPart(log=log, log_table=LOG, queue_url="", scan=lambda *_: iter(()))
    desk.system = replace(desk.system, webhooks=part, list_notices=list_notices)
    link(desk)
    for ref in (REF, SECOND):
        body = payment_body(
            binding_of(desk),
            partnerReferenceNo=ref,
            remarks=REMARKS,
            metadata={"note": "canary-meta"},
            successUrl="https://shop.example/paid?who=canary-page",
            failedUrl="https://shop.example/not?who=canary-page",
            deviceId="canarydevice",
            ipAddress="203.0.113.77",
        )
        assert call(desk, "make_payment", body).status == 201
        assert call(desk, "verify_payment_otp", {"otp": OTP}, ref=ref).status == 200
        world.run_for(120)
    assert call(desk, "refund_payment", {"reason": "canary-reason"}, ref=REF).status == 202
    world.run_for(300)
    return desk


def link(desk: Desk, customer: str = CUSTOMER) -> None:
    body = binding_body(
        customerId=customer,
        phone=PHONE,
        customerName="Canary Siti",
        metadata={"note": "canary-meta"},
        successUrl="https://shop.example/linked?who=canary-page",
        failedUrl="https://shop.example/not-linked?who=canary-page",
        taskToken="canary-task",
    )
    started = desk.house.invoke("bind_account", body)
    (page,) = [one for one in desk.house.world.simulator.world.bindings.values() if one.customer == customer]
    assert desk.house.world.simulator.customer.complete(page.code).linked
    desk.house.world.run_for(60)
    assert call(desk, "get_binding", id=started["bindingId"]).json["state"] == "ACTIVE"


def binding_of(desk: Desk, customer: str = CUSTOMER) -> str:
    (found,) = desk.house.ports.bindings.list_by_customer(customer).bindings
    return found.id


def unlink(desk: Desk) -> str:
    """Unlink, and let all be told; the events of the link are kept in the webhooks' log. Returns the link's id."""
    binding = binding_of(desk)
    assert call(desk, "unbind_account", id=binding).status == 202
    assert call(desk, "confirm_unbinding", {"otp": OTP}, id=binding).json["state"] == "UNBOUND"
    desk.house.world.run_for(1200)
    assert desk.system.webhooks is not None
    for event in desk.house.world.events.published:
        if event.name.startswith("binding."):
            webhook = read_webhook({"detail-type": event.name, "detail": dict(event.to_json())})
            desk.system.webhooks.log.keep_event(
                webhook.subject, webhook.id, webhook.name, webhook.occurred_at, webhook.detail
            )
    return binding


def money(desk: Desk, ref: str) -> Mapping[str, object]:
    """What has to stay of a payment."""
    item = stored(desk, TRANSACTIONS, payment_key(ref))
    names = ("amount", "state", "createdAt", "updatedAt", "sentAt", "dokuReference", "externalId", "evidenceAt")
    refund = ("refundNumber", "refundState", "refundNo", "refundRefundedAt", "refundRequestedAt")
    return {name: item.get(name) for name in (*names, *refund)}


def stored(desk: Desk, table: str, key: Item) -> Item:
    (found,) = [one for one in listed(desk, table) if (one["pk"], one["sk"]) == (key["pk"], key["sk"])]
    return found


def test_the_person_goes_and_the_money_stays(life: Desk) -> None:
    binding = unlink(life)
    account = read_binding(stored(life, BINDINGS, binding_key(binding))).account
    before = {ref: money(life, ref) for ref in (REF, SECOND)}
    told = len(life.house.world.events.published)
    assert CUSTOMER in everything(life)

    report = forget(CUSTOMER, life.system)

    assert report.facts["forgotten"] is True
    left = everything(life)
    assert [word for word in (*ABOUT_THE_PERSON, account) if word in left] == []
    assert {ref: money(life, ref) for ref in (REF, SECOND)} == before
    forgotten = read_binding(stored(life, BINDINGS, binding_key(binding)))
    assert (forgotten.account, forgotten.phone_hint, forgotten.request_hash) == ("", "", "")
    assert (forgotten.state, forgotten.tokens, forgotten.auth_code) == (BindingState.UNBOUND, None, None)
    tokens = {read_payment(stored(life, TRANSACTIONS, payment_key(ref))).customer_id for ref in (REF, SECOND)}
    assert tokens == {forgotten.customer_id} == {report.facts["token"]}
    assert forgotten.is_forgotten
    assert not [item for item in listed(life, BINDINGS) if item["sk"].get("S") in ("FORGET", "CUSTOMER", "ACCOUNT")]
    life.house.world.run_for(1200)
    assert len(life.house.world.events.published) == told  # to remove a person is no news


def test_what_is_forgotten_still_answers(life: Desk) -> None:
    binding = unlink(life)
    forget(CUSTOMER, life.system)
    shown = call(life, "get_payment", ref=REF).json
    assert (shown["state"], shown["amount"]["value"], shown["remarks"]) == ("REFUNDED", "10000.00", "")
    assert [step["state"] for step in shown["history"]][-1] == "REFUNDED"
    assert call(life, "get_binding", id=binding).json["state"] == "UNBOUND"
    assert call(life, "list_payments").status == 422
    body = payment_body(binding, partnerReferenceNo=SECOND, remarks=REMARKS)
    assert call(life, "make_payment", body).status == 409  # its reference can not be paid again
    assert len(life.house.world.simulator.world.payments[SECOND]) == 1


def test_who_was_forgotten_may_come_again(life: Desk) -> None:
    unlink(life)
    forget(CUSTOMER, life.system)
    life.house.world.simulator.world.bindings.clear()
    link(life)
    assert binding_of(life)


@pytest.mark.parametrize("open_", ["link", "unlinking"])
def test_a_customer_whose_link_is_open_is_not_forgotten(life: Desk, open_: str) -> None:
    life.house.world.run_for(1200)
    if open_ == "unlinking":
        call(life, "unbind_account", id=binding_of(life))
    before = everything(life)
    with pytest.raises(OpsError, match=r"unlink it first \(DELETE /bindings/"):
        forget(CUSTOMER, life.system)
    assert everything(life) == before


def test_a_customer_whose_payment_is_open_is_not_forgotten(life: Desk) -> None:
    body = payment_body(binding_of(life), partnerReferenceNo="INV-OPEN")
    assert call(life, "make_payment", body).json["state"] == "OTP_PENDING"
    before = everything(life)
    with pytest.raises(OpsError, match="the payment INV-OPEN is OTP_PENDING"):
        forget(CUSTOMER, life.system)
    assert everything(life) == before


def test_a_payment_that_waits_for_a_person_is_forgotten_once_somebody_has_looked(life: Desk) -> None:
    unlink(life)
    payment = life.house.ports.payments.get(SECOND)
    assert payment is not None
    now = life.house.world.clock.now()
    life.house.ports.payments.save(payment, replace(payment.noted(now), state=PaymentState.NEEDS_REVIEW))
    life.house.world.run_for(1200)
    with pytest.raises(OpsError, match="waits for a person"):
        forget(CUSTOMER, life.system)
    forget(CUSTOMER, life.system, reviewed=True)
    assert CUSTOMER not in everything(life)


def test_a_notification_that_waits_for_a_person_comes_first(life: Desk) -> None:
    unlink(life)
    item = InboxItem(
        id="n1",
        kind=read_inbox_item(next(a_notice(life))).kind,
        subject=REF,
        received_at=life.house.world.clock.now(),
        fresh=True,
        body="2.k.n.c",
        state=InboxState.QUARANTINED,
        reason="amount_mismatch",
    )
    life.house.ports.inbox.put(item)
    with pytest.raises(OpsError, match="the notification n1 about INV000000001 is QUARANTINED: close it first"):
        forget(CUSTOMER, life.system)


def a_notice(desk: Desk) -> Iterator[Item]:
    return (item for item in listed(desk, TRANSACTIONS) if item["kind"].get("S") == INBOX_KIND)


def test_notifications_of_earlier_releases_lose_their_content_on_request(life: Desk) -> None:
    unlink(life)
    notice = read_inbox_item(next(item for item in a_notice(life) if item["subject"].get("S") == REF))
    assert notice.body == ""  # this release keeps none once it is processed
    assert notice.state is InboxState.PROCESSED
    life.house.ports.inbox.settle(notice, replace(notice, body="2.k.n.canary"))
    forget(CUSTOMER, life.system, notices=True)
    assert "2.k.n.canary" not in everything(life)


def test_a_dry_run_changes_nothing(life: Desk) -> None:
    unlink(life)
    before = everything(life)
    report = forget(CUSTOMER, life.system, dry_run=True)
    assert report.lines == ["1 links and 2 payments would be kept without their customer"]
    assert everything(life) == before


class Dying:
    """A store that dies at its nth write."""

    def __init__(self, store: DynamoDb, writes: int) -> None:
        self._store = store
        self.left = writes

    def __getattr__(self, name: str) -> object:
        method = getattr(self._store, name)

        def one(**request: object) -> object:
            if name in ("put_item", "update_item", "transact_write_items"):
                if self.left == 0:
                    raise StoreUnavailable("it died")
                self.left -= 1
            return method(**request)

        return one


def test_after_a_death_in_the_middle_it_is_run_again(life: Desk) -> None:
    """At each write in turn: what is done stays done, and all ends under one token."""
    unlink(life)
    for writes in range(100):
        dying = Dying(life.house.world.store, writes)
        store = Store(dying, life.house.world.clock, life.house.world.ids)  # type: ignore[arg-type]  # as much of a store as is asked
        system: System = replace(life.system, store=store)
        try:
            report = forget(CUSTOMER, system)
            break
        except StoreUnavailable:
            continue
    assert writes > 5
    assert CUSTOMER not in everything(life)
    (token,) = {
        str(item["customerId"]["S"])
        for table in (BINDINGS, TRANSACTIONS)
        for item in listed(life, table)
        if "customerId" in item
    }
    assert token == report.facts["token"]


def test_a_change_in_between_is_not_overwritten(life: Desk) -> None:
    binding = unlink(life)
    key = binding_key(binding)

    class Late(Dying):
        """Somebody writes the link right before it is replaced."""

        def __getattr__(self, name: str) -> object:
            method = getattr(self._store, name)

            def one(**request: object) -> object:
                item = request.get("Item")
                if name == "put_item" and isinstance(item, dict) and item.get("sk") == {"S": "BINDING"}:
                    there = dict(stored(life, BINDINGS, key))
                    there["version"] = {"N": str(int(there["version"]["N"]) + 1)}
                    life.house.world.store.put_item(TableName=BINDINGS, Item=there)
                return method(**request)

            return one

    store = Store(Late(life.house.world.store, 0), life.house.world.clock, life.house.world.ids)  # type: ignore[arg-type]  # as much of a store as is asked
    with pytest.raises(OpsError, match="was changed meanwhile: run it again"):
        forget(CUSTOMER, replace(life.system, store=store))
    forget(CUSTOMER, life.system)
    assert CUSTOMER not in everything(life)


@pytest.mark.parametrize("customer", ["CUST-NOBODY", "forgotten~1", "", "x" * 65])
def test_nobody_is_not_forgotten(life: Desk, customer: str) -> None:
    with pytest.raises(OpsError, match=r"nothing is stored|no customer's id"):
        forget(customer, life.system)


def test_a_late_notification_about_somebody_forgotten_raises_no_alarm(life: Desk) -> None:
    unlink(life)
    forget(CUSTOMER, life.system)
    for customer in (CUSTOMER, None):
        notice = PaymentNotice(
            ref=SECOND, status="00", value="10000.00", currency="IDR", customer_id=customer, doku_reference=None
        )
        late = AcceptNotification(
            kind=InboxKind.PAYMENT, subject=SECOND, fact=f"late {customer}", fresh=True, notice=notice
        )
        accept_notification(late, life.house.ports)
    life.house.world.pump()
    notices = [read_inbox_item(item) for item in a_notice(life)]
    assert {notice.state for notice in notices} == {InboxState.PROCESSED}
    assert CUSTOMER not in everything(life)


def test_the_command_line_does_it(life: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    unlink(life)
    assert main(["forget", CUSTOMER, "--stack", "test"], find=lambda *_args, **_named: life.system) == 0
    printed = capsys.readouterr().out
    assert "are kept under forgotten~" in printed
    assert main(["forget", CUSTOMER, "--stack", "test"], find=lambda *_args, **_named: life.system) == 1
    assert CUSTOMER not in capsys.readouterr().err


def test_an_earlier_item_loses_what_it_had_in_the_clear(life: Desk) -> None:
    """Releases before kept the customer's device and address, which this one does not read."""
    unlink(life)
    item = {**stored(life, TRANSACTIONS, payment_key(SECOND)), "deviceId": text("canarydevice")}
    item |= {"ipAddress": text("203.0.113.77"), "successUrl": text("https://shop.example/?who=canary-page")}
    life.house.world.store.put_item(TableName=TRANSACTIONS, Item=item)
    assert read_payment(item).ref == SECOND
    life.house.world.run_for(timedelta(minutes=1).total_seconds())
    forget(CUSTOMER, life.system)
    assert [word for word in ABOUT_THE_PERSON if word in everything(life)] == []
