"""Starts executions of the deployed workflows and waits for their end."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tools.local_cloud.aws import Cloud
from tools.local_cloud.failure import LocalCloudError

_PATIENCE_SECONDS = 600.0  # a busy machine is slow, and what hangs is rare
_POLL_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Ended:
    """How an execution ended. `states` are those entered, in order; `history` is all that AWS would keep, as text."""

    status: str
    output: Any
    error: str | None
    states: list[str]
    history: str


class Executions:
    """The executions of one state machine."""

    def __init__(self, cloud: Cloud, machine: str) -> None:
        self._client = cloud.stepfunctions()
        self._machine = machine

    def start(self, name: str, given: Mapping[str, object]) -> str:
        """Start an execution; returns its ARN."""
        started = self._client.start_execution(stateMachineArn=self._machine, name=name, input=json.dumps(given))
        return started["executionArn"]

    def wait(self, arn: str) -> Ended:
        """Wait for an execution's end. Raises LocalCloudError when it does not come."""
        poll_until(
            f"the end of {arn}", lambda: self._client.describe_execution(executionArn=arn)["status"] != "RUNNING"
        )
        shown = self._client.describe_execution(executionArn=arn)
        events = self._events(arn)
        output = json.loads(shown["output"]) if shown.get("output") else None
        return Ended(shown["status"], output, shown.get("error"), _entered(events), json.dumps(events, default=str))

    def wait_for_state(self, arn: str, state: str) -> None:
        """Wait until an execution has entered a state. Raises LocalCloudError when it does not."""
        poll_until(f"{state} of {arn}", lambda: state in _entered(self._events(arn)))

    def _events(self, arn: str) -> list[Any]:
        pages = self._client.get_paginator("get_execution_history").paginate(executionArn=arn)
        return [event for page in pages for event in page["events"]]


def _entered(events: list[Any]) -> list[str]:
    return [event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event]


def poll_until(what: str, done: Callable[[], object], patience_seconds: float = _PATIENCE_SECONDS) -> None:
    """Ask until the answer is true. Raises LocalCloudError when that takes too long."""
    deadline = time.monotonic() + patience_seconds
    while not done():
        if time.monotonic() > deadline:
            raise LocalCloudError(f"waited {patience_seconds:.0f} s in vain for {what}")
        time.sleep(_POLL_SECONDS)
