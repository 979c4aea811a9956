"""Delivering webhooks: until they are taken, for a day, under one id, and nobody else's trouble."""

import itertools
import json
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from direct_debit.application.errors import StoreUnavailable
from direct_debit.application.ports.messages import OutboxEvent
from direct_debit.application.ports.telemetry import Metric
from direct_debit.application.ports.webhooks import WebhookAnswer, WebhookSecretUnusable
from direct_debit.application.webhooks.deliver_webhook import LONGEST_GAP, STANDARD_SCHEDULE, plan_next
from direct_debit.entrypoint import webhooks as door
from direct_debit.entrypoint.webhooks import open_webhook_door
from tests.fakes.webhooks import DOWN, KEYS, TAKEN, Mailbox
from tests.integration.handlers.house import Context
from tests.unit.application.support import paid

DAY = timedelta(days=1)


def event(number: int = 1, name: str = "payment.paid", subject: str = "partnerReferenceNo") -> OutboxEvent:
    at = datetime.fromisoformat("2026-03-02T09:00:00+00:00")
    ref = f"INV.{number}"
    identity = f"{ref}:5:{name}" if subject == "partnerReferenceNo" else f"{ref}:5"
    return OutboxEvent(name, identity, at, {subject: ref, "state": "PAID", "recordVersion": 5})


def down_until(end: datetime, answer: WebhookAnswer = DOWN) -> Callable[[datetime], WebhookAnswer]:
    return lambda now: answer if now < end else TAKEN


# --- what is sent ----------------------------------------------------------------------------------------------------


def test_an_event_is_sent_by_the_convention() -> None:
    mailbox = Mailbox()
    mailbox.publish(event())
    mailbox.run()
    (request,) = mailbox.requests
    assert json.loads(request.body) == {
        "type": "payment.paid",
        "timestamp": "2026-03-02T09:00:00+00:00",
        "data": dict(event().to_json()),
    }
    assert request.headers["webhook-id"] == "INV~1:5:payment~paid"
    assert request.headers["webhook-timestamp"] == str(int(request.at.timestamp()))
    assert request.headers["Content-Type"] == "application/json"
    text = request.body.decode()
    expected = Webhook(KEYS[0]).sign(request.headers["webhook-id"], request.at, text)
    assert request.headers["webhook-signature"] == expected


def test_the_id_has_no_full_stop_by_which_the_signed_text_could_be_read_in_another_way() -> None:
    mailbox = Mailbox()
    mailbox.publish(event())
    mailbox.run()
    assert "." not in mailbox.requests[0].headers["webhook-id"]


def test_while_one_key_replaces_another_both_sign() -> None:
    both = (b"new" * 11, b"old" * 11)
    mailbox = Mailbox(keys=lambda: both)
    mailbox.publish(event())
    mailbox.run()
    (request,) = mailbox.requests
    text = request.body.decode()
    signatures = [Webhook(key).sign(request.headers["webhook-id"], request.at, text) for key in both]
    assert request.headers["webhook-signature"].split(" ") == signatures


def test_each_try_has_the_same_body_and_id_and_a_time_of_its_own() -> None:
    mailbox = Mailbox()
    mailbox.behaves = down_until(mailbox.clock.now() + timedelta(hours=1))
    mailbox.publish(event())
    mailbox.run()
    assert len(mailbox.requests) > 3
    assert len({(one.body, one.headers["webhook-id"]) for one in mailbox.requests}) == 1
    assert len({one.headers["webhook-timestamp"] for one in mailbox.requests}) == len(mailbox.requests)


def test_what_a_life_publishes_carries_nothing_personal() -> None:
    merchant, mailbox = paid(), Mailbox()
    for one in merchant.world.events.published:
        mailbox.publish(one)
    mailbox.run()
    assert len(mailbox.taken) == len(merchant.world.events.published) > 2
    sent = b"".join(one.body for one in mailbox.requests).decode()
    for personal in (merchant.phone, merchant.phone[-3:] + '"', "shop.example", "phone", "redirect"):
        assert personal not in sent


# --- until it is taken -----------------------------------------------------------------------------------------------


def test_after_a_days_outage_nothing_is_lost_and_nothing_comes_under_two_ids() -> None:
    """An event each quarter of an hour, for two days; the receiver is down for the first of them."""
    mailbox = Mailbox()
    begin = mailbox.clock.now()
    mailbox.behaves = down_until(begin + DAY)
    published = 0
    while published < 192:
        due = begin + published * timedelta(minutes=15)
        while mailbox.waiting and mailbox.waiting[0][0] <= due:
            mailbox.deliver_next()
        mailbox.clock.set(max(due, mailbox.clock.now()))
        mailbox.publish(event(published))
        published += 1
    mailbox.run()
    assert Counter(mailbox.taken) == Counter({f"INV~{number}:5:payment~paid": 1 for number in range(192)})
    assert mailbox.dead == []
    # When it is back, no event waits for longer than the longest gap; those of the second day not at all.
    late = max(one.at for one in mailbox.requests if one.headers["webhook-id"].startswith("INV~0:")) - begin - DAY
    assert late <= timedelta(seconds=LONGEST_GAP)
    asked = Counter(one.headers["webhook-id"] for one in mailbox.requests)
    assert {asked[f"INV~{number}:5:payment~paid"] for number in range(97, 192)} == {1}
    assert max(asked.values()) <= len(STANDARD_SCHEDULE) + 1


def test_a_receiver_that_hangs_for_a_day_starves_its_own_workers_and_loses_nothing() -> None:
    """Each try takes ten seconds, and there are more to do than the one worker can; new events wait behind."""
    mailbox = Mailbox(workers=1)
    begin = mailbox.clock.now()
    mailbox.behaves = down_until(begin + DAY, WebhookAnswer(None, "timeout", 10_000))
    for number in range(2100):
        mailbox.clock.set(begin + number * timedelta(seconds=45))
        mailbox.publish(event(number))
    mailbox.run()
    in_time = [one for one in mailbox.requests if one.at < begin + DAY]
    assert len(in_time) > 0.99 * DAY / timedelta(seconds=10)  # it had no moment to spare
    assert Counter(mailbox.taken) == Counter({f"INV~{number}:5:payment~paid": 1 for number in range(2100)})
    assert mailbox.dead == []
    assert max(one.at for one in mailbox.requests) - begin - DAY <= timedelta(seconds=LONGEST_GAP)


def test_who_is_down_for_longer_finds_everything_in_the_dead_letter_queue_as_it_came() -> None:
    mailbox = Mailbox(behaves=lambda _: DOWN)
    mailbox.publish(event())
    came = mailbox.waiting[0][3]
    mailbox.run()
    assert mailbox.dead == [came]
    assert len(mailbox.requests) == len(STANDARD_SCHEDULE) + 1
    assert mailbox.requests[-1].at - mailbox.requests[0].at >= DAY
    assert mailbox.telemetry.counts[Metric.WEBHOOK_GIVEN_UP] == 1
    assert mailbox.telemetry.counts[Metric.WEBHOOK_FAILED] == len(mailbox.requests)
    fields = {"ref": "INV.1", "state": "payment.paid", "reason": "connect"}
    not_taken = [("webhook not taken", fields)] * len(mailbox.requests)
    assert mailbox.telemetry.notes == [*not_taken, ("webhook given up", fields)]


def test_a_redriven_message_gets_another_day() -> None:
    mailbox = Mailbox(behaves=lambda _: DOWN)
    mailbox.publish(event())
    mailbox.run()
    mailbox.behaves = down_until(mailbox.clock.now() + DAY)
    mailbox.send(mailbox.dead.pop())
    mailbox.run()
    assert mailbox.taken == ["INV~1:5:payment~paid"]


@pytest.mark.parametrize(
    "answer",
    [
        WebhookAnswer(500, "status", 5),  # perhaps it has taken it all the same: it knows by the id
        WebhookAnswer(301, "redirect", 5),
        WebhookAnswer(None, "timeout", 10_000),
        WebhookAnswer(None, "closed", 5),
        WebhookAnswer(401, "status", 5),
        WebhookAnswer(410, "status", 5),
    ],
)
def test_whatever_is_no_2xx_is_tried_again_and_written_down(answer: WebhookAnswer) -> None:
    mailbox = Mailbox()
    mailbox.behaves = down_until(mailbox.clock.now() + timedelta(seconds=20), answer)
    mailbox.publish(event())
    mailbox.run()
    assert mailbox.taken == ["INV~1:5:payment~paid"]
    tries = mailbox.log.list_tries("INV.1")
    assert [one.answer for one in tries] == [answer] * (len(tries) - 1) + [TAKEN]
    assert len(tries) == 3
    assert {(one.webhook_id, one.name) for one in tries} == {("INV~1:5:payment~paid", "payment.paid")}


def test_a_slow_or_throttled_delivery_costs_no_try() -> None:
    """What AWS could not deliver in time counts as a delivery, and as no try: the schedule goes by the event's age."""
    mailbox = Mailbox(behaves=lambda _: DOWN)
    mailbox.publish(event())
    mailbox.deliver_next()
    at, number, sent, body = mailbox.waiting.pop()
    mailbox.waiting.append((at + timedelta(hours=5), number, sent, body))
    mailbox.deliver_next()
    assert mailbox.waiting[0][0] - sent >= timedelta(seconds=28800)
    assert mailbox.dead == []


def test_a_key_that_is_not_there_yet_loses_nothing() -> None:
    mailbox, keys = Mailbox(), list[bytes]()

    def read() -> Sequence[bytes]:
        if not keys:
            raise WebhookSecretUnusable("put one key in")
        return keys

    mailbox.keys = read
    mailbox.publish(event())
    mailbox.deliver_next()
    assert mailbox.requests == []
    assert mailbox.telemetry.counts[Metric.SECRET_UNUSABLE] == 1
    keys.extend(KEYS)
    mailbox.run()
    assert mailbox.taken == ["INV~1:5:payment~paid"]
    assert [one.answer.failure for one in mailbox.log.tries] == ["secret", None]


def test_a_secret_that_can_not_be_read_now_loses_nothing() -> None:
    mailbox = Mailbox()

    def fail() -> Sequence[bytes]:
        raise StoreUnavailable("Secrets Manager answered ThrottlingException")

    mailbox.keys = fail
    mailbox.publish(event())
    mailbox.deliver_next()
    mailbox.keys = lambda: KEYS
    mailbox.run()
    assert mailbox.taken == ["INV~1:5:payment~paid"]


def test_a_log_that_does_not_answer_holds_nothing_back() -> None:
    mailbox = Mailbox()
    mailbox.log.broken = True
    mailbox.publish(event())
    mailbox.publish(event(2, "binding.activated", "bindingId"))
    mailbox.run()
    assert mailbox.taken == ["INV~1:5:payment~paid", "INV~2:5"]


def test_a_queue_that_does_not_answer_loses_nothing() -> None:
    mailbox = Mailbox(behaves=lambda _: DOWN)
    mailbox.broken = True
    mailbox.publish(event())
    began = mailbox.clock.now()
    while mailbox.clock.now() < began + 2 * DAY:
        mailbox.deliver_next()  # neither hidden nor put aside: it comes again by the queue's own visibility
    mailbox.broken = False
    mailbox.run()
    assert len(mailbox.dead) == 1


def test_events_of_links_are_kept_for_a_replay_and_those_of_payments_are_not() -> None:
    mailbox = Mailbox(behaves=lambda _: DOWN)
    mailbox.publish(event())
    mailbox.publish(event(2, "binding.activated", "bindingId"))
    mailbox.run()
    assert {key: json.loads(kept)["state"] for key, kept in mailbox.log.kept.items()} == {"INV~2:5": "PAID"}


# --- the door --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "not JSON",
        "[]",
        "{}",
        '{"detail-type":"payment.paid","detail":"text"}',
        '{"detail-type":"payment.paid","detail":{"eventId":"1","occurredAt":"2026-03-02T09:00:00+00:00"}}',
        '{"detail-type":"payment.paid","detail":{"partnerReferenceNo":"INV1","occurredAt":"2026-03-02T09:00:00+00:00"}}',
        '{"detail":{"partnerReferenceNo":"INV1","eventId":"1","occurredAt":"2026-03-02T09:00:00+00:00"}}',
        '{"detail-type":"binding.unbound","detail":{"bindingId":"b","eventId":"1","occurredAt":"x"}}',
        '{"detail-type":"binding.unbound","detail":{"bindingId":"b","eventId":"1","occurredAt":"2026-03-02T09:00:00"}}',
        json.dumps({"detail-type": "payment.paid", "detail": {**event().to_json(), "eventId": "1\r\nX: y"}}),
    ],
)
def test_what_is_no_event_is_put_aside_at_once_and_nothing_is_sent(body: str) -> None:
    mailbox = Mailbox()
    mailbox.send(body)
    mailbox.publish(event())
    mailbox.run()
    assert mailbox.dead == [body]
    assert mailbox.taken == ["INV~1:5:payment~paid"]
    assert mailbox.telemetry.counts[Metric.POISONED_MESSAGE] == 1


def test_a_defect_keeps_the_message_and_is_counted() -> None:
    mailbox = Mailbox()

    def fail(_: datetime) -> WebhookAnswer:
        raise RuntimeError("canary")

    mailbox.behaves = fail
    mailbox.publish(event())
    mailbox.deliver_next()
    assert mailbox.telemetry.counts[Metric.POISONED_MESSAGE] == 1
    mailbox.behaves = lambda _: TAKEN
    mailbox.run()
    assert mailbox.taken == ["INV~1:5:payment~paid"]


def test_a_message_without_a_time_is_new() -> None:
    mailbox = Mailbox(behaves=lambda _: DOWN)
    envelope = {"detail-type": "payment.paid", "detail": dict(event().to_json())}
    record = {"messageId": "m", "receiptHandle": "r", "body": json.dumps(envelope)}
    with door.install(mailbox.services()):
        answer = open_webhook_door("deliver_webhook")({"Records": [record]}, Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m"}]}
    assert 5 <= mailbox._hidden["r"] < 6


# --- the schedule ----------------------------------------------------------------------------------------------------


def test_the_steps_grow_and_no_gap_is_longer_than_sqs_hides() -> None:
    gaps = [later - earlier for earlier, later in itertools.pairwise((0, *STANDARD_SCHEDULE))]
    assert gaps == sorted(gaps[:-1]) + gaps[-1:]
    assert max(gaps) <= LONGEST_GAP
    assert STANDARD_SCHEDULE[-1] > DAY.total_seconds()


@given(
    age=st.floats(min_value=0, max_value=100_000, allow_nan=False),
    jitter=st.floats(min_value=0, max_value=1, exclude_max=True),
)
def test_the_next_try_is_after_the_next_step_by_a_tenth_at_most_and_within_what_sqs_hides(
    age: float, jitter: float
) -> None:
    wait = plan_next(STANDARD_SCHEDULE, age, jitter)
    if wait is None:
        assert age >= STANDARD_SCHEDULE[-1]
        return
    following = min(step for step in STANDARD_SCHEDULE if step > age)
    assert following - age <= wait <= (following - age) * 1.1 + 1e-6
    assert wait <= LONGEST_GAP + 600
