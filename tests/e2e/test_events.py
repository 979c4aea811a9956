"""Every deployed function, invoked with every one of its event files."""

import json
from pathlib import Path
from typing import Any

import pytest

from direct_debit.entrypoint.errors import ERROR_NAMES
from tools.local_cloud.stack import LocalStack

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


@pytest.mark.parametrize("file", FILES)
def test_the_deployed_function_takes_the_event(stack: LocalStack, file: str) -> None:
    operation = operation_of(file)
    invoked = stack.cloud.functions().invoke(
        FunctionName=stack.function_name(operation), Payload=(ROOT / "events" / f"{file}.json").read_bytes()
    )
    answer: Any = json.loads(invoked["Payload"].read())
    if file.endswith("_direct"):
        # A plain result, or an error by one of our names: the example's binding and payment are not in this stack.
        assert "statusCode" not in answer
        assert invoked.get("FunctionError") is None or answer["errorType"] in NAMED_ERRORS, answer
        return
    assert invoked.get("FunctionError") is None, answer
    if file == operation:
        assert 200 <= answer["statusCode"] < 500, answer
    elif file.endswith("_sqs"):
        # One record of each example is poisoned: it comes again, and its neighbours do not.
        assert len(answer["batchItemFailures"]) == 1
    elif file.endswith("_stream"):
        assert answer == {"batchItemFailures": []}
