"""Waiting executions of the merchant's workflows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol, Unpack

from botocore.exceptions import BotoCoreError, ClientError

from direct_debit.application.errors import StoreUnavailable, Undeliverable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_stepfunctions.type_defs import SendTaskSuccessInputTypeDef

# The task was completed before, ran into its time-out, or never was: nobody is waiting any more.
_GONE = frozenset({"TaskDoesNotExist", "TaskTimedOut", "InvalidToken"})
_NEVER = frozenset({"InvalidOutput", "ValidationException"})


class StepFunctions(Protocol):
    """What is used of boto3's client, with its arguments, responses and errors."""

    def send_task_success(self, **kwargs: Unpack[SendTaskSuccessInputTypeDef]) -> object:
        """Complete a task that waits for its token."""
        ...


class StepFunctionsWorkflows:
    """Implements `Workflows`."""

    def __init__(self, client: StepFunctions) -> None:
        self._client = client

    def succeed(self, task_token: str, output: Mapping[str, str | None]) -> None:
        """Complete a waiting task with the outcome only. A task that is gone is fine.

        Raises StoreUnavailable, or Undeliverable for what Step Functions can not read.
        """
        try:
            self._client.send_task_success(taskToken=task_token, output=json.dumps(dict(output), separators=(",", ":")))
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _NEVER:
                raise Undeliverable(f"Step Functions can not take the outcome: {code}", aws_code=code) from error
            if code not in _GONE:
                raise StoreUnavailable(f"Step Functions answered {code}", code=code) from error
        except BotoCoreError as error:
            raise StoreUnavailable(f"Step Functions did not answer: {type(error).__name__}") from error
