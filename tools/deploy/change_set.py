"""One change set: made, looked at, executed, and followed to its end."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from tools.deploy.clients import Clients
from tools.deploy.failure import DeployError
from tools.deploy.stack import Stack, find_stack

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import ResourceChangeTypeDef

_POLL_SECONDS = 2.0
_EMPTY = ("didn't contain changes", "No updates are to be performed")
# A first creation that failed leaves a shell that can only be deleted.
FAILED_CREATION = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"})
_NEW = frozenset({"REVIEW_IN_PROGRESS"})


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """What a deployment would change; nothing, when there is no id."""

    id: str | None
    stack: str
    creates: bool
    changes: "tuple[ResourceChangeTypeDef, ...]"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A packaged template at its address, and its parameters."""

    template_url: str
    parameters: Mapping[str, str]


def make_change_set(
    clients: Clients, stack: Stack | None, name: str, wanted: Wanted, *, tags: Mapping[str, str], poll: float
) -> ChangeSet:
    """Ask CloudFormation what would change. `poll` is the pause between two looks, in seconds. Raises DeployError."""
    creates = stack is None or stack.status in _NEW
    try:
        made = clients.cloudformation.create_change_set(
            StackName=name,
            ChangeSetName=f"deploy-{datetime.now(UTC):%Y%m%dT%H%M%S%f}",
            ChangeSetType="CREATE" if creates else "UPDATE",
            TemplateURL=wanted.template_url,
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in wanted.parameters.items()],
            Capabilities=["CAPABILITY_IAM"],
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )["Id"]
        while True:
            answer = clients.cloudformation.describe_change_set(ChangeSetName=made, StackName=name)
            if answer["Status"] not in {"CREATE_PENDING", "CREATE_IN_PROGRESS"}:
                break
            time.sleep(poll)
        reason = answer.get("StatusReason", "")
        if answer["Status"] == "FAILED":
            clients.cloudformation.delete_change_set(ChangeSetName=made, StackName=name)
            if any(words in reason for words in _EMPTY):
                return ChangeSet(None, name, creates, ())
            raise DeployError(f"CloudFormation refuses the change set: {reason}")
        changes = list(answer["Changes"])
        while "NextToken" in answer:
            answer = clients.cloudformation.describe_change_set(
                ChangeSetName=made, StackName=name, NextToken=answer["NextToken"]
            )
            changes += answer["Changes"]
    except ClientError as error:
        raise DeployError(f"CloudFormation refuses: {error.response['Error'].get('Message', error)}") from None
    found = tuple(change["ResourceChange"] for change in changes if "ResourceChange" in change)
    return ChangeSet(made, name, creates, found)


def drop_change_set(clients: Clients, change_set: ChangeSet) -> None:
    """Forget a change set that is not wanted, and with it the empty shell of a stack that it would have created."""
    if change_set.id is None:
        return
    clients.cloudformation.delete_change_set(ChangeSetName=change_set.id, StackName=change_set.stack)
    if change_set.creates:
        clients.cloudformation.delete_stack(StackName=change_set.stack)


def execute_change_set(
    clients: Clients, change_set: ChangeSet, say: Callable[[str], None], poll: float = _POLL_SECONDS
) -> None:
    """Do it and wait for the end. Raises DeployError with each resource that failed, when it was rolled back."""
    if change_set.id is None:
        return
    begun = datetime.now(UTC)
    clients.cloudformation.execute_change_set(ChangeSetName=change_set.id, StackName=change_set.stack)
    status = ""
    while True:
        stack = find_stack(clients, change_set.stack)
        if stack is None:
            raise DeployError("the stack is gone")
        if stack.status != status:
            status = stack.status
            say(f"{change_set.stack}: {status}")
        # A stack that waits for its execution has the status that it had before.
        if not status.endswith("_IN_PROGRESS") and _is_executed(clients, change_set):
            break
        time.sleep(poll)
    if status not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        failures = "\n".join(f"  - {line}" for line in _failures(clients, change_set.stack, begun))
        raise DeployError(f"{change_set.stack} is {status}; what was before is in use again:\n{failures}")


def delete_failed_creation(clients: Clients, stack: Stack, poll: float) -> None:
    """Delete the shell that a failed first creation left; it holds nothing."""
    clients.cloudformation.delete_stack(StackName=stack.name)
    while (left := find_stack(clients, stack.name)) is not None and left.status != "DELETE_COMPLETE":
        if left.status == "DELETE_FAILED":
            raise DeployError(f"what a failed creation left of {stack.name} can not be deleted; see its events")
        time.sleep(poll)


def _is_executed(clients: Clients, change_set: ChangeSet) -> bool:
    """Whether the change set has come to its end; CloudFormation deletes one that was executed well."""
    try:
        answer = clients.cloudformation.describe_change_set(
            ChangeSetName=change_set.id or "", StackName=change_set.stack
        )
    except ClientError:
        return True
    return answer.get("ExecutionStatus") not in {"AVAILABLE", "EXECUTE_IN_PROGRESS"}


def _failures(clients: Clients, stack: str, since: datetime) -> list[str]:
    events = clients.cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    return [
        f"{event.get('LogicalResourceId')}: {event.get('ResourceStatusReason', 'no reason given')}"
        for event in reversed(events)
        if event.get("ResourceStatus", "").endswith("_FAILED") and event["Timestamp"] >= since
    ]
