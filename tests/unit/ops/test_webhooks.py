"""What the operator sees of the webhooks, and sends again: the same events, to the webhooks' queue only."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from direct_debit.adapters.dynamodb.items import Item, write_instant
from direct_debit.adapters.dynamodb.webhook_log import DynamoDbWebhookLog
from direct_debit.application.ports.messages import OutboxEvent
from direct_debit.application.ports.webhooks import WebhookAnswer, WebhookTry
from direct_debit.application.webhooks.webhook import read_webhook
from tests.fakes.processes import BINDINGS
from tests.unit.ops.conftest import REF, Desk
from tools.ops.__main__ import main
from tools.ops.failure import OpsError
from tools.ops.redrive import redrive
from tools.ops.system import QueuePair, System, WebhookPart
from tools.ops.webhooks import replay, resend, show_webhooks


@pytest.fixture
def shop(desk: Desk) -> Desk:
    """A desk of a stack that sends webhooks, with a paid payment."""
    url = desk.sqs.create_queue(QueueName="webhook")["QueueUrl"]
    dead = desk.sqs.create_queue(QueueName="webhook-dead")["QueueUrl"]
    store = desk.house.world.store

    def scan(table: str, begin: datetime, end: datetime) -> Iterator[Item]:
        newest = {
            (record.keys["pk"]["S"], record.keys["sk"]["S"]): record.new
            for record in store.stream(table)
            if record.new is not None
        }
        for _, item in sorted(newest.items()):
            if write_instant(begin) <= item.get("at", {}).get("S", "") < write_instant(end):
                yield cast("Item", item)

    log = DynamoDbWebhookLog(desk.system.store, BINDINGS)  # any table will do here
    desk.system = replace(
        desk.system,
        queues={**desk.system.queues, "webhook": QueuePair(url, dead)},
        webhooks=WebhookPart(log=log, log_table=BINDINGS, queue_url=url, scan=scan),
    )
    desk.pay()
    desk.house.call("verify_payment_otp", {"otp": "123456"}, path={"ref": REF})
    desk.house.world.run_for(120)
    for event in told(desk):
        if event.name.startswith("binding."):
            envelope = {"detail-type": event.name, "detail": dict(event.to_json())}
            webhook = read_webhook(envelope)
            log.keep_event(webhook.subject, webhook.id, webhook.name, webhook.occurred_at, webhook.detail)
    return desk


def told(desk: Desk) -> list[OutboxEvent]:
    return desk.house.world.events.published


def queued(desk: Desk) -> list[dict[str, Any]]:
    bodies = [json.loads(body) for body in desk.bodies(desk.system.queues["webhook"].url)]
    for body in bodies:
        read_webhook(body)  # as the worker does
    return bodies


def as_sent(events: list[OutboxEvent]) -> list[dict[str, Any]]:
    return sorted((dict(event.to_json()) for event in events), key=lambda detail: str(detail["eventId"]))


def whole_time(desk: Desk) -> tuple[str, str]:
    now = desk.house.world.clock.now()
    return (now - timedelta(days=1)).isoformat(), (now + timedelta(days=1)).isoformat()


def test_each_try_is_shown(shop: Desk) -> None:
    assert shop.system.webhooks is not None
    at = shop.house.world.clock.now()
    for seconds, answer in ((0, WebhookAnswer(None, "timeout", 10_000)), (5, WebhookAnswer(204, None, 31))):
        moment = at + timedelta(seconds=seconds)
        one = WebhookTry(subject=REF, webhook_id=f"{REF}:5:payment~paid", name="payment.paid", at=moment, answer=answer)
        shop.system.webhooks.log.add_try(one)
    report = show_webhooks(REF, shop.system)
    assert [line.split()[1:] for line in report.lines[1:]] == [
        ["payment.paid", f"{REF}:5:payment~paid", "-", "timeout", "10000"],
        ["payment.paid", f"{REF}:5:payment~paid", "204", "taken", "31"],
    ]
    assert json.loads(json.dumps(report.facts))["tries"][1]["status"] == 204
    assert "no webhook about NOBODY" in show_webhooks("NOBODY", shop.system).lines[0]


def test_one_event_is_sent_again_as_it_was(shop: Desk) -> None:
    paid = next(event for event in told(shop) if event.name == "payment.paid")
    for written in (paid.id, paid.id.replace(".", "~")):
        assert resend(written, shop.system, send=False).lines[-1] == "1 would be sent; --send sends them"
        assert queued(shop) == []
        assert resend(written, shop.system, send=True).facts["events"] == 1
        assert [body["detail"] for body in queued(shop)] == as_sent([paid])


def test_a_link_s_event_is_sent_again_from_what_was_kept(shop: Desk) -> None:
    activated = next(event for event in told(shop) if event.name == "binding.activated")
    resend(activated.id, shop.system, send=True)
    assert [body["detail"] for body in queued(shop)] == as_sent([activated])


@pytest.mark.parametrize("written", ["NOBODY:5:payment.paid", f"{REF}:99:payment.paid", "nolink:3", "text"])
def test_what_there_is_not_is_not_sent(shop: Desk, written: str) -> None:
    with pytest.raises(OpsError, match="there is no event"):
        resend(written, shop.system, send=True)
    assert queued(shop) == []


def test_all_of_a_range_is_sent_again_each_event_once_and_twice_is_the_same(shop: Desk) -> None:
    begin, end = whole_time(shop)
    shown = replay(begin, end, shop.system, send=False)
    assert shown.facts["byName"] == {"binding.activated": 1, "payment.otp_pending": 1, "payment.paid": 1}
    assert queued(shop) == []
    for _ in range(2):
        assert replay(begin, end, shop.system, send=True).facts["events"] == len(told(shop)) == 3
        sent = [body["detail"] for body in queued(shop)]
        assert sorted(sent, key=lambda detail: str(detail["eventId"])) == as_sent(told(shop))


def test_only_what_is_in_the_range_is_sent(shop: Desk) -> None:
    sent_a_code, paid = (event for event in told(shop) if event.name.startswith("payment."))
    earlier, later = sent_a_code.at.isoformat(), (sent_a_code.at + timedelta(microseconds=1)).isoformat()
    assert replay(earlier, later, shop.system, send=False).facts["byName"] == {
        "binding.activated": 1,  # at the same moment of the world's clock
        "payment.otp_pending": 1,
    }
    before, after = paid.at.isoformat(), (paid.at + timedelta(microseconds=1)).isoformat()
    assert replay(before, after, shop.system, send=False).facts["byName"] == {"payment.paid": 1}
    assert replay(after, whole_time(shop)[1], shop.system, send=False).facts["events"] == 0


def test_many_are_sent_in_tens(shop: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shop.system.webhooks is not None
    detail = {"bindingId": "b", "eventId": "b:1", "occurredAt": "2026-03-02T09:00:00+00:00"}
    for number in range(25):
        shop.system.webhooks.log.keep_event(
            f"b{number}", f"b{number}:1", "binding.unbound", "2026-03-02T09:00:00+00:00", json.dumps(detail)
        )
    sizes: list[int] = []
    real = shop.sqs.send_message_batch

    def count(**request: Any) -> Any:  # noqa: ANN401 - boto3's
        sizes.append(len(request["Entries"]))
        return real(**request)

    monkeypatch.setattr(shop.sqs, "send_message_batch", count)
    report = replay(*whole_time(shop), shop.system, send=True)
    assert report.facts["events"] == 28
    assert sizes == [10, 10, 8]


def test_a_queue_that_takes_only_some_is_told_of(shop: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shop.sqs, "send_message_batch", lambda **_: {"Failed": [{"Id": "0"}], "Successful": []})
    with pytest.raises(OpsError, match="do it again"):
        replay(*whole_time(shop), shop.system, send=True)


@pytest.mark.parametrize(
    ("begin", "end", "told"),
    [
        ("yesterday", "2026-03-02", "is no time"),
        ("2026-03-02", "2026-03-02", "later"),
        ("2026-03-03", "2026-03-02", "later"),
    ],
)
def test_a_wrong_range_is_refused(shop: Desk, begin: str, end: str, told: str) -> None:
    with pytest.raises(OpsError, match=told):
        replay(begin, end, shop.system, send=True)


def test_a_date_is_its_beginning_in_utc(shop: Desk) -> None:
    assert replay("2026-03-02", "2026-03-03", shop.system, send=False).facts["events"] == 3
    assert replay("2026-03-02T09:00:00+07:00", "2026-03-02T09:00:00Z", shop.system, send=False).facts["events"] == 0


def test_what_was_put_aside_is_told_by_its_events_id_and_given_back(shop: Desk) -> None:
    paid = next(event for event in told(shop) if event.name == "payment.paid")
    resend(paid.id, shop.system, send=True)
    (body,) = queued(shop)
    shop.sqs.send_message(QueueUrl=shop.system.queues["webhook"].dead_url, MessageBody=json.dumps(body))
    shown = redrive("webhook", shop.system, dry_run=True)
    assert shown.lines[0].endswith(f"  eventId {paid.id}")
    assert "CUST" not in "".join(shown.lines)
    redrive("webhook", shop.system)
    assert [one["detail"] for one in queued(shop)] == as_sent([paid])


def test_where_no_webhooks_are_sent_it_says_so(desk: Desk) -> None:
    with pytest.raises(OpsError, match="WebhookUrl is empty"):
        show_webhooks(REF, desk.system)
    with pytest.raises(OpsError, match="WebhookUrl is empty"):
        resend("a:1:payment.paid", desk.system, send=True)
    with pytest.raises(OpsError, match="WebhookUrl is empty"):
        replay("2026-03-02", "2026-03-03", desk.system, send=True)


def test_the_command_line_only_shows_unless_it_is_told_to_send(shop: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    def find(*_: object, **__: object) -> System:
        return shop.system

    paid = next(event for event in told(shop) if event.name == "payment.paid")
    assert main(["resend", paid.id, "--stack", "s"], find=find) == 0
    assert main(["replay", *whole_time(shop), "--stack", "s"], find=find) == 0
    assert queued(shop) == []
    assert main(["resend", paid.id, "--send", "--stack", "s"], find=find) == 0
    assert main(["webhooks", REF, "--stack", "s"], find=find) == 0
    assert len(queued(shop)) == 1
    assert "1 sent to the webhooks' queue" in capsys.readouterr().out
