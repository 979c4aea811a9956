"""Every function, invoked with every one of its event files; a function without files fails here by name."""

import json

import pytest

from direct_debit.application.errors import DirectDebitError, NotFound
from tests.fakes.poison import with_poisoned_message, with_poisoned_record
from tests.integration.handlers.house import REPOSITORY, House
from tools.make_events import AT, make_events, vector_signer
from tools.operations import ROUTES

EVENTS = REPOSITORY / "events"
FUNCTIONS = sorted(folder.name for folder in (REPOSITORY / "functions").iterdir() if (folder / "handler.py").is_file())
MERCHANT = [route.name for route in ROUTES]

# What each event of a merchant's operation brings in an empty house; 201 or 200 otherwise.
API_STATUS = {"bind_account": 201, "list_bindings": 200, "list_payments": 200}
KINDS = {
    **dict.fromkeys(MERCHANT, ("", "_direct")),
    "explain_problem": ("",),
    "issue_token": ("",),
    "receive_payment_notification": ("",),
    "receive_binding_notification": ("",),
    "process_notification": ("_sqs",),
    "process_refund": ("_sqs",),
    "inquire_status": ("_sqs",),
    "resolve_pending": ("_schedule",),
    "publish_events": ("_stream",),
    "deliver_webhook": ("_sqs",),
    "authorise_call": (),  # a token of an issuer that only a stack has: tests/e2e/test_access_tokens.py
}


def read(name: str) -> object:
    """One event file."""
    return json.loads((EVENTS / f"{name}.json").read_text("utf-8"))


def test_every_function_has_its_event_files_and_every_file_a_function() -> None:
    assert sorted(KINDS) == FUNCTIONS
    wanted = {f"{name}{kind}.json" for name, kinds in KINDS.items() for kind in kinds}
    assert {file.name for file in EVENTS.iterdir()} == wanted


def test_the_files_are_what_the_script_makes() -> None:
    for name, event in make_events(vector_signer()).items():
        assert read(name) == event, f"{name}.json is stale: run `make events`"


@pytest.mark.parametrize("name", MERCHANT)
def test_api_event(house: House, name: str) -> None:
    response = house.invoke(name, read(name))
    assert response["statusCode"] == API_STATUS.get(name, 404)
    assert json.loads(response["body"])
    assert response["headers"]["X-Request-Id"] == "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"


@pytest.mark.parametrize("name", MERCHANT)
def test_plain_command(house: House, name: str) -> None:
    if name in API_STATUS:
        assert "statusCode" not in house.invoke(name, read(f"{name}_direct"))
        return
    with pytest.raises(NotFound):
        house.invoke(name, read(f"{name}_direct"))


def test_token_request_then_notifications(house: House) -> None:
    house.world.clock.set(AT)
    issued = house.invoke("issue_token", read("issue_token"))
    assert issued["statusCode"] == 200
    body = json.loads(issued["body"])
    assert (body["responseCode"], body["tokenType"], body["expiresIn"]) == ("2007300", "Bearer", 900)
    paid = house.invoke("receive_payment_notification", read("receive_payment_notification"))
    assert (paid["statusCode"], json.loads(paid["body"])["responseCode"]) == (200, "2005600")
    linked = house.invoke("receive_binding_notification", read("receive_binding_notification"))
    assert (linked["statusCode"], json.loads(linked["body"])["responseCode"]) == (200, "2000700")
    assert [message.queue for _, _, message, _ in house.world.queues.waiting] == ["notification", "notification"]


@pytest.mark.parametrize(
    ("name", "body"),
    [("process_notification", "not JSON"), ("process_refund", '{"attempt": 1}'), ("inquire_status", "[]")],
)
def test_one_poisoned_message_keeps_its_neighbours(
    house: House, name: str, body: str, capsys: pytest.CaptureFixture[str]
) -> None:
    example = read(f"{name}_sqs")
    assert isinstance(example, dict)
    event = with_poisoned_message(example, body)
    failures = house.invoke(name, event, seconds=60)["batchItemFailures"]
    assert failures == [{"itemIdentifier": event["Records"][1]["messageId"]}]
    assert '"PoisonedMessage"' in capsys.readouterr().out  # counted in CloudWatch's embedded metric format


def test_schedule(house: House) -> None:
    assert house.invoke("resolve_pending", read("resolve_pending_schedule"), seconds=60) == {"visited": 0, "failed": 0}


def test_stream(house: House) -> None:
    example = read("publish_events_stream")
    assert isinstance(example, dict)
    event = with_poisoned_record(example)
    assert house.invoke("publish_events", event, seconds=60) == {"batchItemFailures": []}
    assert [event.name for event in house.world.events.published] == ["payment.paid", "binding.activated"]
    assert [failure["pk"] for failure in house.failures.sent] == ["PAYMENT#POISON"]
    assert "NewImage" not in json.dumps(house.failures.sent)
    assert len(house.ports.payments.history("INV202603020")) == 1


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("event", [None, [], "text", 7, {}, {"Records": "no list"}])
def test_an_event_of_no_kind_is_refused_by_name(house: House, name: str, event: object) -> None:
    if name == "resolve_pending":
        assert house.invoke(name, event, seconds=60) == {"visited": 0, "failed": 0}
        return
    with pytest.raises(DirectDebitError) as caught:
        house.invoke(name, event)
    assert type(caught.value).__name__ == "InvalidRequest"
