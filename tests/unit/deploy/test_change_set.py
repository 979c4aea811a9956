"""CloudFormation's ways to end, and what a person is told of them."""

from datetime import UTC, datetime

import pytest

from tests.unit.deploy.stubs import Stubbed, stubbed
from tools.deploy.change_set import ChangeSet, Wanted, drop_change_set, execute_change_set, make_change_set
from tools.deploy.deployment import Deployer, Place
from tools.deploy.failure import DeployError
from tools.deploy.stack import Stack
from tools.deploy.target import Target

NOW = datetime(2026, 11, 27, tzinfo=UTC)
WANTED = Wanted("https://s3.example/template", {"LogLevel": "INFO"})
STACK = Stack("shop", "UPDATE_COMPLETE", {}, {}, {})
MADE = ChangeSet("arn:change-set", "shop", creates=False, changes=())
TARGET = Target(environment="sandbox", stack="shop", region="r", prefix="shop", chosen={}, given={})


def tell_status(stub: Stubbed, status: str) -> None:
    described = {"StackName": "shop", "CreationTime": NOW, "StackStatus": status}
    stub.cloudformation.add_response("describe_stacks", {"Stacks": [described]})


def tell_gone(stub: Stubbed) -> None:
    stub.cloudformation.add_client_error("describe_stacks", "ValidationError", "Stack with id shop does not exist")


def make(stub: Stubbed, stack: Stack | None = STACK) -> ChangeSet:
    return make_change_set(stub.clients, stack, "shop", WANTED, tags={}, poll=0)


def test_all_pages_of_a_change_set_are_read() -> None:
    def change(name: str) -> dict[str, object]:
        return {"Type": "Resource", "ResourceChange": {"Action": "Modify", "LogicalResourceId": name}}

    with stubbed() as stub:
        stub.cloudformation.add_response("create_change_set", {"Id": "arn:change-set"})
        stub.cloudformation.add_response("describe_change_set", {"Status": "CREATE_IN_PROGRESS", "Changes": []})
        first = {"Status": "CREATE_COMPLETE", "Changes": [change("A")], "NextToken": "more"}
        stub.cloudformation.add_response("describe_change_set", first)
        stub.cloudformation.add_response("describe_change_set", {"Status": "CREATE_COMPLETE", "Changes": [change("B")]})
        assert [one.get("LogicalResourceId") for one in make(stub).changes] == ["A", "B"]


@pytest.mark.parametrize(
    "reason",
    [
        "The submitted information didn't contain changes. Submit different information to create a change set.",
        "No updates are to be performed.",
    ],
)
def test_nothing_changes(reason: str) -> None:
    with stubbed() as stub:
        stub.cloudformation.add_response("create_change_set", {"Id": "arn:change-set"})
        stub.cloudformation.add_response("describe_change_set", {"Status": "FAILED", "StatusReason": reason})
        stub.cloudformation.add_response("delete_change_set", {})
        assert make(stub).id is None


def test_a_refused_change_set_says_why() -> None:
    with stubbed() as stub:
        stub.cloudformation.add_response("create_change_set", {"Id": "arn:change-set"})
        refused = {"Status": "FAILED", "StatusReason": "Transform failed: Invalid Resource"}
        stub.cloudformation.add_response("describe_change_set", refused)
        stub.cloudformation.add_response("delete_change_set", {})
        with pytest.raises(DeployError, match="Transform failed"):
            make(stub)


def test_a_refused_request_says_why() -> None:
    with stubbed() as stub:
        stub.cloudformation.add_client_error("create_change_set", "ValidationError", "Parameters: [X] must have values")
        with pytest.raises(DeployError, match="must have values"):
            make(stub)


@pytest.mark.parametrize(("stack", "kind"), [(None, "CREATE"), (STACK, "UPDATE")])
def test_a_stack_that_is_not_there_is_created(stack: Stack | None, kind: str) -> None:
    with stubbed() as stub:
        stub.cloudformation.add_response("create_change_set", {"Id": "arn:change-set"})
        stub.cloudformation.add_response("describe_change_set", {"Status": "CREATE_COMPLETE", "Changes": []})
        assert make(stub, stack).creates is (kind == "CREATE")


def test_a_change_that_was_taken_back_names_what_failed() -> None:
    with stubbed() as stub:
        stub.cloudformation.add_response("execute_change_set", {})
        tell_status(stub, "UPDATE_COMPLETE")  # not begun yet: the status is still that of the deployment before
        stub.cloudformation.add_response("describe_change_set", {"ExecutionStatus": "EXECUTE_IN_PROGRESS"})
        tell_status(stub, "UPDATE_IN_PROGRESS")
        tell_status(stub, "UPDATE_ROLLBACK_COMPLETE")
        stub.cloudformation.add_response("describe_change_set", {"ExecutionStatus": "EXECUTE_FAILED"})
        event = {"StackId": "i", "EventId": "e", "StackName": "shop", "Timestamp": datetime(2999, 1, 1, tzinfo=UTC)}
        failed = {"LogicalResourceId": "MakePayment", "ResourceStatus": "UPDATE_FAILED", "ResourceStatusReason": "full"}
        earlier = {"LogicalResourceId": "Api", "ResourceStatus": "UPDATE_FAILED", "Timestamp": NOW.replace(year=2000)}
        events = [{**event, **failed}, {**event, "ResourceStatus": "UPDATE_COMPLETE"}, {**event, **earlier}]
        stub.cloudformation.add_response("describe_stack_events", {"StackEvents": events})
        said: list[str] = []
        with pytest.raises(DeployError, match="UPDATE_ROLLBACK_COMPLETE") as error:
            execute_change_set(stub.clients, MADE, said.append, poll=0)
    assert str(error.value).splitlines()[1:] == ["  - MakePayment: full"]
    assert said == ["shop: UPDATE_COMPLETE", "shop: UPDATE_IN_PROGRESS", "shop: UPDATE_ROLLBACK_COMPLETE"]


def test_a_change_set_that_is_gone_was_executed() -> None:
    with stubbed() as stub:
        stub.cloudformation.add_response("execute_change_set", {})
        tell_status(stub, "UPDATE_COMPLETE")
        stub.cloudformation.add_client_error("describe_change_set", "ChangeSetNotFound")
        execute_change_set(stub.clients, MADE, lambda _: None, poll=0)


def test_an_unwanted_first_change_set_leaves_no_empty_stack() -> None:
    with stubbed() as stub:
        stub.cloudformation.add_response("delete_change_set", {})
        stub.cloudformation.add_response("delete_stack", {}, {"StackName": "shop"})
        drop_change_set(stub.clients, ChangeSet("arn:change-set", "shop", creates=True, changes=()))


def deployer(stub: Stubbed) -> Deployer:
    return Deployer(Place(stub.clients, "r", {}, None, {}, poll=0), lambda _: True, lambda _: None)


def test_what_a_failed_creation_left_is_removed_first() -> None:
    with stubbed() as stub:
        tell_status(stub, "ROLLBACK_COMPLETE")
        stub.cloudformation.add_response("delete_stack", {}, {"StackName": "shop"})
        tell_status(stub, "DELETE_IN_PROGRESS")
        tell_gone(stub)
        with pytest.raises(DeployError, match="there is no stack shop"):
            deployer(stub).go_back(TARGET)


@pytest.mark.parametrize("status", ["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED"])
def test_a_stack_that_is_not_ready_is_left_alone(status: str) -> None:
    with stubbed() as stub:
        tell_status(stub, status)
        with pytest.raises(DeployError, match="continue-update-rollback"):
            deployer(stub).go_back(TARGET)


def test_there_is_nothing_to_go_back_to_where_somebody_else_deployed() -> None:
    with stubbed() as stub:
        tell_status(stub, "UPDATE_COMPLETE")
        stub.cloudformation.add_response("get_template", {"TemplateBody": "Resources: {}"})
        with pytest.raises(DeployError, match="was not deployed by `make deploy`"):
            deployer(stub).go_back(TARGET)
