"""`make deploy TO=local` against the deployed stack: what is changed arrives, what does not is told, and back again."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tools.deploy.__main__ import main
from tools.deploy.clients import Clients, connect
from tools.deploy.emulator import emulator_place
from tools.deploy.environment_size import measure_environments
from tools.deploy.history import read_deployed, read_mark
from tools.deploy.stack import find_stack, function_names
from tools.deploy.target import read_target
from tools.deploy.template import read_template
from tools.invoke.functions import read_functions
from tools.local_cloud import sam
from tools.local_cloud.checkout import SAM_CONFIG, TEMPLATE
from tools.local_cloud.env_file import env_file
from tools.local_cloud.stack import LocalStack

pytestmark = pytest.mark.e2e

TO_LOCAL = ("--to", "local", "--yes")
# The webhooks' workers are counted apart.
WEBHOOK_CONCURRENCY = 5


@pytest.fixture
def running(stack: LocalStack, tmp_path: Path) -> Iterator[Path]:
    """The file that tells of the running stack; afterwards the stack is again what it was, however the test ended."""
    clients = connected(stack)
    before = read_mark(read_deployed(clients, stack.name))
    with env_file(stack, tmp_path / "env.json") as path:
        yield path
        while read_mark(read_deployed(clients, stack.name)) != before:
            assert main([*TO_LOCAL, "--back"], running=path) == 0


def connected(stack: LocalStack) -> Clients:
    return emulator_place(stack.cloud, {}).clients


def versions(stack: LocalStack) -> dict[str, str]:
    """The version that callers reach, by function."""
    functions = stack.cloud.functions()
    names = [one["FunctionName"] for one in functions.list_functions()["Functions"]]
    return {name: functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"] for name in names}


def reached(stack: LocalStack, function: str, variable: str) -> str:
    """A variable of the function as callers reach it."""
    found = stack.cloud.functions().get_function_configuration(FunctionName=stack.function_name(function))
    return found["Environment"]["Variables"][variable]


def versions_of_the_secrets(stack: LocalStack) -> list[str]:
    """Which version of each secret is in use."""
    client = stack.cloud.secrets()
    return [client.get_secret_value(SecretId=secret)["VersionId"] for secret in stack.secret_ids]


def test_a_setting_about_money_reaches_every_function_and_goes_back(
    stack: LocalStack, running: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before, filled = versions(stack), versions_of_the_secrets(stack)
    assert main([*TO_LOCAL, "--set", "LateSuccess=accept"], running=running) == 0
    told = capfd.readouterr().out
    assert re.search(r"^parameter +LateSuccess +refund -> accept +about money$", told, re.MULTILINE)
    assert f"live is what was deployed, in code and configuration, at {len(before)} of {len(before)} functions" in told
    assert f"LateSuccess=accept: at {len(before)} functions" in told
    assert f"{stack.api_url}/doku/v1.0/debit/notify" in told
    assert {reached(stack, name, "LATE_SUCCESS") for name in ("make_payment", "resolve_pending")} == {"accept"}
    assert all(versions(stack)[name] != version for name, version in before.items())

    assert main([*TO_LOCAL], running=running) == 1, "a machine takes no choice about money back"
    assert "LateSuccess=accept" in capfd.readouterr().err

    assert main([*TO_LOCAL, "--back"], running=running) == 0
    assert {reached(stack, name, "LATE_SUCCESS") for name in ("make_payment", "resolve_pending")} == {"refund"}
    assert main([*TO_LOCAL, "--back"], running=running) == 1
    assert "there is nothing to go back to" in capfd.readouterr().err
    assert versions_of_the_secrets(stack) == filled, "what the operator put in is never written over"


def test_an_environment_is_as_large_as_was_foreseen_or_a_little_smaller(stack: LocalStack) -> None:
    clients = connected(stack)
    target = replace(read_target(SAM_CONFIG, "local"), stack=stack.name)
    found = find_stack(clients, stack.name)
    assert found is not None
    foreseen = measure_environments(read_template(TEMPLATE), target, found.parameters)
    names = function_names(clients, stack.name)
    assert foreseen.keys() == names.keys()
    for function, bytes_foreseen in foreseen.items():
        deployed = clients.functions.get_function_configuration(FunctionName=names[function])["Environment"][
            "Variables"
        ]
        size = len(json.dumps(deployed, separators=(",", ":")).encode())
        assert bytes_foreseen - 400 < size <= bytes_foreseen, function


def test_what_no_function_has_publishes_nothing(stack: LocalStack, running: Path) -> None:
    before = versions(stack)
    assert main([*TO_LOCAL, "--set", "WorkerConcurrency=6"], running=running) == 0
    assert versions(stack) == before
    mappings = stack.cloud.functions().list_event_source_mappings()["EventSourceMappings"]
    limits = {int(one["ScalingConfig"]["MaximumConcurrency"]) for one in mappings if one.get("ScalingConfig")}
    assert limits == {6, WEBHOOK_CONCURRENCY}
    assert main([*TO_LOCAL, "--back"], running=running) == 0


def test_an_alias_that_was_kept_back_is_found(
    stack: LocalStack, running: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    functions = stack.cloud.functions()
    name = f"{stack.name}-make-payment"
    live = functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"]
    assert main([*TO_LOCAL, "--set", "CircuitFailures=6"], running=running) == 0
    moved = functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"]
    published = versions(stack)
    functions.update_alias(FunctionName=name, Name="live", FunctionVersion=live)
    assert main([*TO_LOCAL, "--set", "CircuitFailures=6"], running=running) == 1
    told = capfd.readouterr().err
    assert f"{name}: live (version {live}) differs from $LATEST in variable CIRCUIT_FAILURES" in told
    assert f"--name live --function-version {moved}" in told, "with the command that mends it"
    functions.update_alias(FunctionName=name, Name="live", FunctionVersion=moved)
    assert main([*TO_LOCAL, "--set", "CircuitFailures=6"], running=running) == 0
    assert versions(stack) == published, "what changes nothing publishes nothing"
    assert main([*TO_LOCAL, "--back"], running=running) == 0
    assert reached(stack, "make_payment", "CIRCUIT_FAILURES") == "5"


CONFIG = """
[sandbox.deploy.parameters]
stack_name = "shop-first"
region = "{region}"
parameter_overrides = ["Environment=sandbox", "Architecture={architecture}", "AllowedReturnHosts=shop.example"]
"""


def test_a_first_deployment_finds_its_address_and_protects_its_tables(
    stack: LocalStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name, value in stack.cloud.environment().items():
        monkeypatch.setenv(name, value)
    config = tmp_path / "samconfig.toml"
    config.write_text(CONFIG.format(region=stack.cloud.region, architecture=sam.ARCHITECTURE))
    status = main(["--to", "sandbox", "--yes"], config=config)
    told = capfd.readouterr()
    clients = connect(stack.cloud.region)
    deployed = find_stack(clients, "shop-first")
    assert deployed is not None
    try:
        # The address is AWS's, which nobody answers at here: everything before that is proved.
        assert status == 1
        assert "deployed, but DOKU's routes do not answer" in told.err
        # Nobody has set WebhookUrl, and then nothing of the webhooks is deployed.
        names = {one["FunctionName"] for one in clients.functions.list_functions()["Functions"]}
        assert f"{stack.name}-deliver-webhook" in names
        assert "shop-first-deliver-webhook" not in names
        assert not [name for name in deployed.outputs if "Webhook" in name]
        count = len(read_functions().names()) - 1
        assert f"live is what was deployed, in code and configuration, at {count} of {count} functions" in told.out
        assert deployed.parameters["PublicBaseUrl"] == deployed.outputs["ApiUrl"]
        assert deployed.parameters["DeletionProtection"] == "true"
        table = stack.cloud.dynamodb().describe_table(TableName=deployed.outputs["BindingsTableName"])["Table"]
        assert table["DeletionProtectionEnabled"]
        found = clients.functions.get_function_configuration(FunctionName="shop-first-bind-account", Qualifier="live")
        assert found["Environment"]["Variables"]["PUBLIC_BASE_URL"] == deployed.outputs["ApiUrl"]
    finally:
        clients.cloudformation.delete_stack(StackName="shop-first")
