"""Waiting executions of the merchant's workflows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from direct_debit.application.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_stepfunctions import SFNClient

# The task was completed before, ran into its time-out, or never was: nobody is waiting any more.
_GONE = frozenset({"TaskDoesNotExist", "TaskTimedOut", "InvalidToken"})


class StepFunctionsWorkflows:
    """Implements `Workflows`."""

    def __init__(self, client: SFNClient) -> None:
        self._client = client

    def succeed(self, task_token: str, output: Mapping[str, str | None]) -> None:
        """Complete a waiting task with the outcome only. A task that is gone is fine. Raises StoreUnavailable."""
        try:
            self._client.send_task_success(taskToken=task_token, output=json.dumps(dict(output), separators=(",", ":")))
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code not in _GONE:
                raise StoreUnavailable(f"Step Functions answered {code}", code=code) from error
        except BotoCoreError as error:
            raise StoreUnavailable(f"Step Functions did not answer: {type(error).__name__}") from error
