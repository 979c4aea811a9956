import ast
from pathlib import Path

import pytest

from tests.aws_rules.traces import TRACING_PACKAGES
from tests.template.translation import TEMPLATE, functions, resources, source, translated
from tools.deploy.template import functions as properties_of

ROOT = TEMPLATE.parent
# Read by the functions; the first block has names of resources, the rest an operator's choices.
ENVIRONMENT = {
    *("BINDINGS_TABLE", "TRANSACTIONS_TABLE", "NOTIFICATION_QUEUE_URL", "REFUND_RETRY_QUEUE_URL"),
    *("STATUS_INQUIRY_QUEUE_URL", "STREAM_FAILURE_QUEUE_URL", "EVENT_BUS_NAME"),
    *("INBOUND_SECRET_ID", "SIGNING_SECRET_ID", "DATA_SECRET_ID"),
    *("DOKU_BASE_URL", "DOKU_PATHS", "DOKU_CHANNEL_ID", "DOKU_OTP_FIELD", "DOKU_OTP_PAYMENT_VALUE"),
    *("DOKU_UNTIED_FIELDS", "DOKU_OTP_UNBIND_VALUE", "DOKU_STATUS_SERVICE_CODE"),
    *("PUBLIC_BASE_URL", "ALLOWED_RETURN_HOSTS", "PROBLEM_TYPE_BASE"),
    *("DEFAULT_SUCCESS_URL", "DEFAULT_FAILED_URL", "TIMESTAMP_WINDOW_SECONDS", "KEY_OVERLAP_SECONDS"),
    *("LINK_LEASE_SECONDS", "INQUIRY_SCHEDULE_SECONDS", "OTP_SCHEDULE_SECONDS", "REFUND_SCHEDULE_SECONDS"),
    *("BINDING_SCHEDULE_SECONDS", "FIRST_INQUIRY_SECONDS", "NOT_FOUND_FINAL_SECONDS", "ABANDONED_OTP_SECONDS"),
    *(
        "REFRESH_MIN_SECONDS",
        "CLAIM_LEASE_SECONDS",
        "REPOST_AFTER_NOT_FOUND",
        "LATE_SUCCESS",
        "MAX_OPEN_PAYMENTS",
        "MAX_OTP_ATTEMPTS",
    ),
    *("MAX_OPEN_PAYMENTS", "MAX_OTP_ATTEMPTS"),
    *("MAX_PAYMENTS_PER_DAY", "MAX_PAGES_PER_DAY", "MAX_UNLINKINGS_PER_DAY"),
    *("CIRCUIT_FAILURES", "CIRCUIT_WINDOW_SECONDS", "CIRCUIT_OPEN_SECONDS"),
    *("AWS_CLIENTS", "LOG_LEVEL", "POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE"),
}
# One function's own: nobody else needs to know where webhooks go.
OWN = {
    "DeliverWebhook": {
        *("WEBHOOK_URL", "WEBHOOK_SECRET_ID", "WEBHOOK_LOG_TABLE", "WEBHOOK_QUEUE_URL", "WEBHOOK_DEAD_QUEUE_URL"),
        *("WEBHOOK_TIMEOUT_SECONDS", "WEBHOOK_SCHEDULE_SECONDS", "WEBHOOK_PRIVATE_NETWORKS"),
    },
    # And nobody else needs to know whose tokens count.
    "AuthoriseCall": {
        *("JWT_ISSUER", "JWT_AUDIENCE", "JWT_JWKS_URL", "JWT_SCOPE_PREFIX", "JWT_SCOPES_CLAIM", "JWT_LEEWAY_SECONDS"),
    },
}
CODE = ("functions", "layers/direct_debit/python", "layers/doku_snap/python")
LAYERS = ["DependenciesLayer", "DokuSnapLayer", "DirectDebitLayer"]


def folders() -> dict[str, str]:
    """Logical id → folder of each function in the source."""
    found = source()["Resources"].items()
    return {n: r["Properties"]["CodeUri"] for n, r in found if r["Type"] == "AWS::Serverless::Function"}


def kebab(logical_id: str) -> str:
    return "".join("-" + letter.lower() if letter.isupper() else letter for letter in logical_id).lstrip("-")


def test_each_folder_is_one_function_named_alike() -> None:
    on_disk = {f"functions/{path.parent.name}" for path in (ROOT / "functions").glob("*/handler.py")}
    assert set(folders().values()) == on_disk
    for name, folder in folders().items():
        assert Path(folder).name == kebab(name).replace("-", "_")
        assert functions()[name]["FunctionName"] == {"Fn::Sub": f"${{AWS::StackName}}-{kebab(name)}"}


@pytest.mark.parametrize("name", sorted(functions()))
def test_each_function_is_small_traced_and_bounded(name: str) -> None:
    function = functions()[name]
    assert function["Runtime"] == "python3.13"
    assert function["MemorySize"] == {"Ref": "FunctionMemoryMiB"}
    assert function["SnapStart"] == {"ApplyOn": {"Fn::If": ["UseSnapStart", "PublishedVersions", "None"]}}
    assert function["Timeout"] <= 60
    assert function["TracingConfig"] == {"Mode": "Active"}
    assert function["Architectures"] == [{"Ref": "Architecture"}]


@pytest.mark.parametrize("name", sorted(functions()))
def test_each_function_has_exactly_the_variables_that_are_read(name: str) -> None:
    assert set(functions()[name]["Environment"]["Variables"]) == ENVIRONMENT | OWN.get(name, set())


def test_every_parameter_is_used() -> None:
    text = str({key: value for key, value in source().items() if key not in ("Parameters", "Metadata")})
    # DeployedByMakeDeploy does its work by having no default.
    assert [name for name in source()["Parameters"] if f"'Ref': '{name}'" not in text] == ["DeployedByMakeDeploy"]


def test_every_parameter_says_what_it_is_and_bounds_its_value() -> None:
    bounds = {"AllowedValues", "AllowedPattern", "MinValue"}
    free = {"DomainName", "CertificateArn"}
    for name, parameter in source()["Parameters"].items():
        assert parameter.get("Description"), name
        assert name in free or bounds & set(parameter), name


def test_every_parameter_stands_in_a_group_of_the_console() -> None:
    groups = source()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    listed = [name for group in groups for name in group["Parameters"]]
    assert sorted(listed) == sorted(source()["Parameters"])


@pytest.mark.parametrize("name", sorted(functions()))
def test_each_function_has_an_alias_that_follows_every_change(name: str) -> None:
    alias = resources("AWS::Lambda::Alias")[f"{name}Aliaslive"]
    assert alias["Name"] == "live"
    assert properties_of(source())[name]["AutoPublishAliasAllProperties"] is True


@pytest.mark.parametrize("name", LAYERS)
def test_a_change_of_a_layer_alone_publishes_new_versions(name: str) -> None:
    layer = source()["Resources"][name]["Properties"]
    assert layer["PublishLambdaVersion"] is True
    assert (ROOT / layer["ContentUri"]).is_dir()


def test_compiled_packages_are_built_for_the_chosen_processor() -> None:
    layer = source()["Resources"]["DependenciesLayer"]
    assert layer["Metadata"]["BuildArchitecture"] == {"Ref": "Architecture"}
    assert layer["Properties"]["CompatibleArchitectures"] == [{"Ref": "Architecture"}]


def test_the_layers_of_our_own_are_built_from_the_folder_that_becomes_python() -> None:
    assert source()["Resources"]["DokuSnapLayer"]["Properties"]["ContentUri"] == "layers/doku_snap/python"
    assert source()["Resources"]["DirectDebitLayer"]["Properties"]["ContentUri"] == "layers/direct_debit/python"


def test_the_dependencies_are_pinned_by_hash_and_leave_out_what_the_runtime_has() -> None:
    lines = (ROOT / "layers/dependencies/requirements.txt").read_text().splitlines()
    pins = [line.split("==")[0] for line in lines if "==" in line]
    assert "pydantic" in pins
    assert not {"boto3", "botocore", "aws-xray-sdk"} & set(pins)
    assert sum("--hash=sha256:" in line for line in lines) >= len(pins)


@pytest.mark.parametrize("name", sorted(functions()))
def test_each_function_writes_into_the_one_log_group(name: str) -> None:
    assert functions()[name]["LoggingConfig"] == {"LogGroup": {"Ref": "FunctionLogs"}}
    group = resources("AWS::Logs::LogGroup")["FunctionLogs"]["LogGroupName"]
    assert group == {"Fn::Sub": "/aws/lambda/${AWS::StackName}"}


def test_all_log_groups_have_a_retention() -> None:
    retentions = {name: group.get("RetentionInDays") for name, group in resources("AWS::Logs::LogGroup").items()}
    assert retentions == {name: {"Ref": "LogRetentionDays"} for name in retentions}
    # One of the functions, one of the API, and one of each workflow.
    assert len(retentions) == 2 + len(resources("AWS::StepFunctions::StateMachine"))


def test_outputs_name_all_an_operator_needs() -> None:
    outputs = translated()["Outputs"]
    assert {"ApiUrl", "BindingsTableName", "TransactionsTableName", "DokuSecretId", "EventBusName"} <= set(outputs)
    assert {f"{name}Alias" for name in functions()} <= set(outputs)
    assert {f"{name}Url" for name in resources("AWS::SQS::Queue")} <= set(outputs)


def imported(file: Path) -> set[str]:
    """Names of all modules that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name.lower()}" for alias in node.names)
    return found


def test_no_code_adds_calls_or_texts_to_the_traces_of_its_function() -> None:
    files = [file for folder in CODE for file in (ROOT / folder).rglob("*.py")]
    assert len(files) > len(functions())
    for file in files:
        traced = [name for name in imported(file) for package in TRACING_PACKAGES if name.startswith(package)]
        # The tracer of powertools can be had by its short name too.
        assert traced == [], file
        assert "aws_lambda_powertools.tracer" not in imported(file), file
    packages = (ROOT / "layers/dependencies/requirements.txt").read_text("utf-8").lower()
    assert not [package for package in TRACING_PACKAGES if package.replace("_", "-") in packages]
