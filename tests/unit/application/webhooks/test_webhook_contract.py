"""Every event, as a webhook: what the shipped worker sends fits the event's committed schema, and stays as it was."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from direct_debit.application.outbox.event_types import EVENTS_BY_NAME
from direct_debit.application.webhooks.webhook import read_event_id, write_webhook_id
from tests.fakes.event_contract import read_schema
from tests.fakes.webhooks import Mailbox, Request
from tools.event_catalogue import make_envelope, make_example

SENT = Path(__file__).parent / "sent_webhooks.json"
"""Id and body of a webhook of each event, as the first release sent them; changed only by adding."""

NAMES = sorted(EVENTS_BY_NAME)


def send(name: str) -> Request:
    mailbox = Mailbox()
    mailbox.send(json.dumps(make_envelope(EVENTS_BY_NAME[name])))
    mailbox.run()
    (request,) = mailbox.requests
    return request


@pytest.mark.parametrize("name", NAMES)
def test_it_is_by_the_convention_and_its_data_fits_the_schema(name: str) -> None:
    request, event = send(name), make_example(EVENTS_BY_NAME[name])
    body = json.loads(request.body)
    assert list(body) == ["type", "timestamp", "data"]
    assert body["type"] == name
    assert datetime.fromisoformat(body["timestamp"]) == event.at
    Draft202012Validator(read_schema(name)).validate(body["data"])
    assert body["data"] == event.to_json()
    assert read_event_id(request.headers["webhook-id"]) == event.id
    assert set(request.headers) == {"Content-Type", "webhook-id", "webhook-timestamp", "webhook-signature"}


@pytest.mark.parametrize("name", NAMES)
def test_a_receiver_of_the_first_release_finds_all_that_it_knew(name: str) -> None:
    """The id is what a receiver remembers, for ever: an event that is replayed after years is known to it."""
    first: dict[str, Any] = json.loads(SENT.read_text("utf-8"))[name]
    request = send(name)
    assert request.headers["webhook-id"] == first["id"]
    body, known = json.loads(request.body), json.loads(first["body"])
    assert {key: body[key] for key in known if key != "data"} == {key: known[key] for key in known if key != "data"}
    assert {key: body["data"][key] for key in known["data"]} == known["data"]


def test_what_the_page_shows_is_what_is_sent() -> None:
    page = (Path(__file__).parents[4] / "docs" / "webhooks.md").read_text("utf-8")
    request = send("payment.paid")
    assert f"\n{request.body.decode()}\n" in page
    assert f"\nwebhook-id: {request.headers['webhook-id']}\n" in page


def test_no_two_events_have_one_webhook_id() -> None:
    """A reference may hold what the id's full stops become in no other place."""
    ids = ["A.B:5:payment.paid", "A:5:payment.paid", "A.B:5:refund.failed", "A_B:5:payment.paid", "A-B:5:payment.paid"]
    assert len({write_webhook_id(one) for one in ids}) == len(ids)
    assert [read_event_id(write_webhook_id(one)) for one in ids] == ids
