import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from direct_debit.application.errors import StoreUnavailable
from tests.integration.handlers.test_newer_records import newer_payment
from tests.unit.ops.conftest import REF, REGION, Desk
from tools.ops.__main__ import main
from tools.ops.failure import OpsError
from tools.ops.system import System, find_system


def run(desk: Desk, *arguments: str) -> int:
    return main([*arguments, "--stack", "test"], find=lambda *_, **__: desk.system)


def test_a_command_prints_for_reading(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.pay("10504.00")
    capsys.readouterr()
    assert run(desk, "explain", REF) == 0
    assert capsys.readouterr().out.startswith(f"payment  {REF}  10504.00 IDR  UNKNOWN")


@pytest.mark.parametrize(
    "arguments",
    [["review"], ["queues"], ["stream-failures"], ["stream-failures", "--redrive"], ["redrive", "refund", "--dry-run"]],
)
def test_every_command_prints_json(desk: Desk, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert run(desk, *arguments, "--json") == 0
    assert isinstance(json.loads(capsys.readouterr().out), dict)


@pytest.mark.parametrize("given", [None, ""])
def test_without_a_stack_it_says_how_to_name_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], given: str | None
) -> None:
    monkeypatch.delenv("DIRECT_DEBIT_STACK", raising=False)
    if given is not None:
        monkeypatch.setenv("DIRECT_DEBIT_STACK", given)
    with pytest.raises(SystemExit, match="2"):
        main(["review"])
    assert "--stack NAME or DIRECT_DEBIT_STACK; for that of `make run`: . .local/env.ops" in capsys.readouterr().err


def test_what_waits_for_a_person_has_its_own_status(desk: Desk) -> None:
    desk.put(desk.system.queues["refund"].dead_url, {"ref": "R"})
    assert run(desk, "queues") == 3


def test_a_failure_is_told_on_standard_error(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(desk, "explain", "NOPE") == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == "not done: there is no payment NOPE in the stack test\n"
    assert run(desk, "explain", "NOPE", "--json") == 1
    assert json.loads(capsys.readouterr().err) == {"error": "there is no payment NOPE in the stack test"}


def test_a_record_of_newer_code_is_told_with_what_is_not_understood(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.pay()
    newer_payment(desk.house, REF)
    capsys.readouterr()
    assert run(desk, "explain", REF) == 1
    told = capsys.readouterr().err
    assert "newer" in told
    assert "state is none that this code knows" in told
    assert "try again" not in told


def test_what_doku_wrote_can_not_steer_the_terminal(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.pay("10504.00")
    payment = desk.house.ports.payments.get(REF)
    assert payment is not None
    wicked = "A\x1b[2J\rB\u202eC\u0085D\nE"
    desk.house.ports.payments.save(payment, replace(payment.noted(payment.updated_at), doku_reference=wicked))
    capsys.readouterr()
    assert run(desk, "explain", REF) == 0
    shown = capsys.readouterr().out
    assert all(character.isprintable() or character == "\n" for character in shown)
    assert r"reference A\x1b[2J\rB\u202eC\x85D\nE, last" in shown
    assert run(desk, "explain", "NO\x1b[2JPE") == 1
    assert r"no payment NO\x1b[2JPE" in capsys.readouterr().err


def failing(error: Exception) -> Callable[..., System]:
    def find(*_: object, **__: object) -> System:
        raise error

    return find


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OpsError("no stack"), "not done: no stack"),
        (StoreUnavailable("the store answered X"), "not done: the store answered X; try again"),
        (
            ClientError({"Error": {"Code": "AccessDenied"}}, "DescribeStacks"),
            "not done: AWS answered AccessDenied to DescribeStacks",
        ),
        (EndpointConnectionError(endpoint_url="http://x"), "not done: AWS could not be reached"),
    ],
)
def test_errors_are_told_in_a_line(error: Exception, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["queues", "--stack", "s"], find=failing(error)) == 1
    assert capsys.readouterr().err.startswith(text)


def test_a_wrong_command_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DIRECT_DEBIT_STACK", raising=False)
    for arguments in (["queues"], ["redrive", "everything", "--stack", "s"], []):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2
    capsys.readouterr()


ALIASES = ("ResolvePendingAlias", "InquireStatusAlias", "PublishEventsAlias")
DEAD = ("NotificationQueueDeadUrl", "RefundRetryQueueDeadUrl", "StatusInquiryQueueDeadUrl")


def deploy(desk: Desk, *, missing: str = "", variables: dict[str, str] | None = None) -> None:
    """A stack with the outputs and the one function that the tools read."""
    session = boto3.Session(region_name=REGION)
    role = session.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("handler.py", "")
    environment = desk.system.environment
    session.client("lambda").create_function(
        FunctionName="resolver",
        Runtime="python3.13",
        Role=role,
        Handler="handler.handler",
        Code={"ZipFile": code.getvalue()},
        Environment={
            "Variables": {
                "BINDINGS_TABLE": "b",
                "TRANSACTIONS_TABLE": "t",
                "NOTIFICATION_QUEUE_URL": environment.notification_queue_url,
                "REFUND_RETRY_QUEUE_URL": environment.refund_retry_queue_url,
                "STATUS_INQUIRY_QUEUE_URL": environment.status_inquiry_queue_url,
                "STREAM_FAILURE_QUEUE_URL": environment.stream_failure_queue_url,
                "EVENT_BUS_NAME": "bus",
                "INBOUND_SECRET_ID": "secret",
                "SIGNING_SECRET_ID": "secret",
                "DATA_SECRET_ID": "secret",
                "DOKU_BASE_URL": "https://api-sandbox.doku.com",
                "PUBLIC_BASE_URL": "https://merchant.example/v1",
                "LATE_SUCCESS": "accept",
                **(variables or {}),
            }
        },
    )
    outputs = dict.fromkeys(ALIASES, "resolver") | {
        name: pair.dead_url for name, pair in zip(DEAD, desk.system.queues.values(), strict=True)
    }
    template = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {name: {"Value": value} for name, value in outputs.items() if name != missing},
    }
    session.client("cloudformation").create_stack(StackName="mine", TemplateBody=json.dumps(template))


def test_the_system_is_the_deployed_one(desk: Desk) -> None:
    deploy(desk)
    system = find_system("mine", region=REGION)
    assert system.environment.transactions_table == "t"
    assert system.environment.settings.late_success == "accept"
    assert dict(system.queues) == dict(desk.system.queues)
    assert (system.inquire_status, system.publish_events) == ("resolver", "resolver")


def test_a_stack_that_is_not_there(desk: Desk) -> None:
    with pytest.raises(OpsError, match="there is no stack other in this account and region"):
        find_system("other", region=REGION)


def test_a_stack_of_another_application(desk: Desk) -> None:
    deploy(desk, missing="RefundRetryQueueDeadUrl")
    with pytest.raises(OpsError, match="has no output RefundRetryQueueDeadUrl"):
        find_system("mine", region=REGION)


@pytest.mark.parametrize("variable", ["LATE_SUCCESS", "DOKU_UNTIED_FIELDS"])
def test_a_wrong_configuration_is_named(desk: Desk, variable: str) -> None:
    deploy(desk, variables={variable: "maybe"})
    with pytest.raises(OpsError, match=f"the deployed configuration is wrong: {variable} must be"):
        find_system("mine", region=REGION)


def test_no_stack_without_aws() -> None:
    with mock_aws(), pytest.raises(OpsError, match="there is no stack"):
        find_system("mine", region=REGION)


def test_the_region_is_the_environments_as_awss_own_tools_read_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[object] = []

    def find(*_: object, **where: object) -> System:
        asked.append(where["region"])
        return desk.system

    monkeypatch.setenv("AWS_REGION", "ap-southeast-3")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    main(["queues", "--stack", "s"], find=find)
    main(["queues", "--stack", "s", "--region", "us-east-1"], find=find)
    monkeypatch.delenv("AWS_REGION")
    main(["queues", "--stack", "s"], find=find)  # boto3 reads the other one
    capsys.readouterr()
    assert asked == ["ap-southeast-3", "us-east-1", None]
