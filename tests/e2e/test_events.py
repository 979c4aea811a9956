"""Every deployed function, invoked with every one of its event files."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from direct_debit.entrypoint.errors import ERROR_NAMES
from tests.fakes.poison import with_poisoned_message
from tools.example_world import make_example_world
from tools.local_cloud.stack import LocalStack
from tools.make_events import Event, make_events

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]
OPERATIONS = sorted(folder.name for folder in (ROOT / "functions").iterdir() if (folder / "handler.py").exists())
KINDS = ("", "_direct", "_sqs", "_stream", "_schedule")
NAMED_ERRORS = {error.__name__ for error in ERROR_NAMES} - {"InternalError"}
# Who is called by whom; what is missing here or in events/ is named by the first test.
ENTRIES = {
    **{
        operation: ["", "_direct"]
        for operation in (
            *("bind_account", "confirm_unbinding", "get_balance", "get_binding", "get_payment", "get_refund"),
            *(
                "list_bindings",
                "list_payments",
                "make_payment",
                "refund_payment",
                "return_from_binding",
                "unbind_account",
            ),
            "verify_payment_otp",
        )
    },
    **{
        operation: [""]
        for operation in (
            *("issue_token", "receive_binding_notification", "receive_payment_notification"),
            "explain_problem",
        )
    },
    **{operation: ["_sqs"] for operation in ("inquire_status", "process_notification", "process_refund")},
    "resolve_pending": ["_schedule"],
    "publish_events": ["_stream"],
    "deliver_webhook": ["_sqs"],
    "authorise_call": [],  # only where callers bring tokens: test_access_tokens.py
}
FILES = [f"{operation}{kind}" for operation, kinds in ENTRIES.items() for kind in kinds]


def operation_of(file: str) -> str:
    """The function that an event file is for."""
    return next(file.removesuffix(kind) for kind in reversed(KINDS) if file.removesuffix(kind) in OPERATIONS)


def test_no_function_and_no_file_is_missing() -> None:
    operations_without_entry = sorted(set(OPERATIONS) - set(ENTRIES))
    files_without_entry = sorted({path.stem for path in (ROOT / "events").glob("*.json")} - set(FILES))
    entries_without_file = sorted(name for name in FILES if not (ROOT / "events" / f"{name}.json").exists())
    assert (operations_without_entry, files_without_entry, entries_without_file) == ([], [], [])


# How each operation answers when it finds what its event refers to; 200 otherwise.
STATUS = {"bind_account": {201}, "make_payment": {201}, "refund_payment": {202}, "unbind_account": {202}}
STATUS["return_from_binding"] = {302}


@pytest.fixture(scope="module")
def events(stack: LocalStack) -> Mapping[str, Event]:
    """The events as `make events RUNNING=1` writes them for this stack."""
    ids, signer = make_example_world(stack)
    return make_events(signer, ids)


@pytest.mark.parametrize("file", FILES)
def test_the_deployed_function_does_what_the_event_asks(
    stack: LocalStack, events: Mapping[str, Event], file: str
) -> None:
    operation = operation_of(file)
    invoked = stack.cloud.functions().invoke(
        FunctionName=stack.function_name(operation), Payload=json.dumps(events[file]).encode()
    )
    answer: Any = json.loads(invoked["Payload"].read())
    assert invoked.get("FunctionError") is None, answer
    if file.endswith("_direct"):
        assert "statusCode" not in answer
    elif file == operation:
        assert answer["statusCode"] in STATUS.get(operation, {200}), answer
    elif file.endswith(("_sqs", "_stream")):
        assert answer == {"batchItemFailures": []}
    else:
        assert answer["failed"] == 0


@pytest.mark.parametrize("operation", ["process_notification", "process_refund", "inquire_status"])
def test_a_message_that_can_not_be_read_comes_again_and_its_neighbours_do_not(
    stack: LocalStack, events: Mapping[str, Event], operation: str
) -> None:
    event = with_poisoned_message(dict(events[f"{operation}_sqs"]))
    answer: Any = stack.invoke(operation, event)
    assert answer == {"batchItemFailures": [{"itemIdentifier": event["Records"][-1]["messageId"]}]}


@pytest.mark.parametrize("file", [file for file in FILES if file.endswith("_direct")])
def test_what_an_event_refers_to_and_is_not_there_is_told_by_name(stack: LocalStack, file: str) -> None:
    invoked = stack.cloud.functions().invoke(
        FunctionName=stack.function_name(operation_of(file)),
        Payload=(ROOT / "events" / f"{file}.json").read_bytes(),
    )
    answer: Any = json.loads(invoked["Payload"].read())
    assert invoked.get("FunctionError") is None or answer["errorType"] in NAMED_ERRORS, answer
