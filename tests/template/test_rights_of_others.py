"""No function may do what only others need: each role against every right of every other, by the emulator's IAM.

A right is an action on a resource; on a table, on one kind of item. What a role is for is read from its statements, and
whether it may is what the emulator's evaluation says, with the role's managed policies and its boundary: a condition
that does not hold what it says, or a policy of AWS's that is wider than ours, shows here.
"""

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE_SECONDS
from tests.template.test_permissions import PARTS
from tests.template.translation import as_list, functions, kinds, resources, statements, translated

ROOT = Path(__file__).resolve().parents[2]
REGION, ACCOUNT = "ap-southeast-3", "123456789012"
ARNS = {
    "AWS::DynamoDB::Table": "dynamodb:{region}:{account}:table/{name}",
    "AWS::SQS::Queue": "sqs:{region}:{account}:{name}",
    "AWS::SecretsManager::Secret": "secretsmanager:{region}:{account}:secret:{name}-a1b2c3",
    "AWS::Logs::LogGroup": "logs:{region}:{account}:log-group:{name}:*",
    "AWS::Events::EventBus": "events:{region}:{account}:event-bus/{name}",
}
KINDS = {
    "Bindings": ("BINDING", "ACCOUNT", "CUSTOMER", "RETURN", "TOKEN"),
    "Transactions": ("PAYMENT", "KEY", "INBOX", "CIRCUIT"),
}
SINGLE = {"TOKEN": "TOKEN#b2b", "CIRCUIT": "CIRCUIT#doku"}
STEPS = {"PutItem": "Put", "UpdateItem": "Update", "DeleteItem": "Delete", "ConditionCheckItem": "ConditionCheck"}
ON_ITEMS = ("GetItem", *STEPS, "Query")
SECRET_TYPE = "AWS::SecretsManager::Secret"
PUBLIC = ("IssueToken", "ExplainProblem", "ReceivePaymentNotification", "ReceiveBindingNotification")

# What nobody needs: the transform's policies for logs and traces have it.
OTHER_LOGS = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/another:log-stream:one"
BEYOND = {
    ("logs:CreateLogGroup", OTHER_LOGS, ""),
    ("logs:CreateLogStream", OTHER_LOGS, ""),
    ("logs:PutLogEvents", OTHER_LOGS, ""),
    ("xray:GetSamplingRules", "*", ""),
}

type Right = tuple[str, str, str]
"""(action, resource's ARN, kind of item or nothing)"""
type Json = dict[str, Any]


def arn(name: str) -> str:
    """A resource of the template as it may be called in an account."""
    return "arn:aws:" + ARNS[translated()["Resources"][name]["Type"]].format(region=REGION, account=ACCOUNT, name=name)


def resolved(value: Any) -> Any:  # noqa: ANN401 - a template's values
    """Replace references by ARNs."""
    if isinstance(value, list):
        return [resolved(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    if "Fn::GetAtt" in value:
        name, attribute = value["Fn::GetAtt"]
        return arn(name) + ("/stream/2026-11-27T00:00:00.000" if attribute == "StreamArn" else "")
    if "Fn::Sub" in value:
        return re.sub(r"\$\{(\w+)\.Arn\}", lambda match: arn(match[1]), value["Fn::Sub"])
    return {name: resolved(inner) for name, inner in value.items()}


def role_of(function: str, template: Json | None = None) -> Json:
    """A function's role as the emulator is asked about it."""
    role = resources("AWS::IAM::Role", template)[f"{function}Role"]
    boundary = role.get("PermissionsBoundary")
    managed = resources("AWS::IAM::ManagedPolicy", template)
    limit = None if boundary is None else managed[boundary["Ref"]]["PolicyDocument"]
    return {
        "policies": [resolved(policy["PolicyDocument"]) for policy in role.get("Policies", [])],
        "managed": role.get("ManagedPolicyArns", []),
        "boundary": resolved(limit),
    }


@cache
def rights_of(function: str) -> frozenset[Right]:
    """What a function's own statements are for, and what each function may do: write its log and its traces."""
    logs = {(action, arn("FunctionLogs"), "") for action in ("logs:CreateLogStream", "logs:PutLogEvents")}
    traces = {(action, "*", "") for action in ("xray:PutTraceSegments", "xray:PutTelemetryRecords")}
    return frozenset(logs | traces).union(
        (action, resource, kind)
        for role, statement in statements()
        if role == f"{function}Role"
        for action in as_list(statement["Action"])
        for resource in as_list(resolved(statement["Resource"]))
        for kind in (sorted(kinds(statement)) or [""])
    )


@cache
def all_rights() -> frozenset[Right]:
    """What any function may do, each thing that can be done to an item, and what nobody needs."""
    items = {
        (f"dynamodb:{operation}", arn(table), kind)
        for table, of_table in KINDS.items()
        for kind in of_table
        for operation in ON_ITEMS
    }
    return frozenset(items.union(BEYOND, *map(rights_of, functions())))


def requests_for(right: Right) -> list[Json]:
    """How a right is used: on an item directly, and as a step of a transaction."""
    action, resource, kind = right
    if not action.startswith("dynamodb:") or ":table/" not in resource or "/stream/" in resource:
        return [{"action": action, "resource": resource}]
    table, _, index = resource.partition("/index/")
    operation = action.removeprefix("dynamodb:")
    key = {"pk": {"S": SINGLE.get(kind, f"{kind}#1")}, "sk": {"S": kind}}
    if operation == "Query":
        condition = {"KeyConditionExpression": "#pk = :pk", "ExpressionAttributeNames": {"#pk": "pk"}}
        body: Json = {"TableName": table, **condition, "ExpressionAttributeValues": {":pk": key["pk"]}}
        return [{"action": action, "body": body | ({"IndexName": index} if index else {})}]
    step: Json = {"TableName": table, ("Item" if operation == "PutItem" else "Key"): key}
    asked = [] if operation == "ConditionCheckItem" else [{"action": action, "body": step}]
    if operation in STEPS:
        steps = {"TransactItems": [{STEPS[operation]: step}]}
        asked.append({"action": "dynamodb:TransactWriteItems", "body": steps})
    return asked


def ask_iam(roles: Mapping[str, Json], requests: Sequence[Json]) -> list[bool]:
    """Return whether the emulator's IAM lets each request through."""
    done = subprocess.run(
        [ROOT / ".tools/ministack/bin/python", Path(__file__).with_name("emulated_iam.py")],
        input=json.dumps({"roles": roles, "requests": requests}),
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT / "tools" / "local_cloud"), "PATH": "/usr/bin:/bin", "LOG_LEVEL": "CRITICAL"},
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answers: list[bool] = json.loads(done.stdout)
    return answers


@pytest.fixture(scope="module")
def granted() -> dict[str, set[Right]]:
    """Of each function, what the emulator's IAM lets it do of everything; how it asks must make no difference."""
    questions = [
        (function, right, {"role": function, **request})
        for function in functions()
        for right in sorted(all_rights())
        for request in requests_for(right)
    ]
    told = ask_iam({function: role_of(function) for function in functions()}, [request for _, _, request in questions])
    answers: dict[tuple[str, Right], set[bool]] = {}
    for (function, right, _), answer in zip(questions, told, strict=True):
        answers.setdefault((function, right), set()).add(answer)
    assert all(len(found) == 1 for found in answers.values())
    return {
        function: {right for (asker, right), found in answers.items() if asker == function and found == {True}}
        for function in functions()
    }


@pytest.mark.parametrize("function", sorted(functions()))
def test_a_role_is_refused_what_only_other_functions_may_do(function: str, granted: dict[str, set[Right]]) -> None:
    others = all_rights() - rights_of(function)
    assert len(others) > 50
    assert granted[function] & others == set()


@pytest.mark.parametrize("function", sorted(functions()))
def test_a_role_is_allowed_what_its_statements_say(function: str, granted: dict[str, set[Right]]) -> None:
    """Else the boundary is too narrow, or what is asked above is refused for another reason."""
    assert rights_of(function) - granted[function] == set()


@pytest.mark.parametrize("function", PUBLIC)
def test_who_anybody_may_call_can_put_notifications_and_nothing_else(
    function: str, granted: dict[str, set[Right]]
) -> None:
    records = {right for right in granted[function] if right[0].startswith("dynamodb:")}
    inbox = {("dynamodb:PutItem", arn("Transactions"), "INBOX")}
    assert records == (inbox if function.startswith("Receive") else set())


def test_a_browser_that_comes_back_reaches_nothing_about_money(granted: dict[str, set[Right]]) -> None:
    assert not {right for right in granted["ReturnFromBinding"] if arn("Transactions") in right[1]}


def test_with_three_secrets_a_role_reads_its_parts_and_no_other_secret() -> None:
    """The receivers of DOKU's calls can not sign; whoever only opens what is stored can neither sign nor verify."""
    template = translated(SecretLayout="three")
    roles = {function: role_of(function, template) for function in functions()}
    asked = [(function, secret) for function in functions() for secret in sorted(resources(SECRET_TYPE))]
    questions = [
        {"role": function, "action": "secretsmanager:GetSecretValue", "resource": arn(secret)}
        for function, secret in asked
    ]
    read: dict[str, set[str]] = {function: set() for function in functions()}
    for (function, secret), is_allowed in zip(asked, ask_iam(roles, questions), strict=True):
        read[function] |= {secret} if is_allowed else set()
    own = {"DeliverWebhook": {"WebhookSecret"}}
    assert read == {function: PARTS.get(function, set()) | own.get(function, set()) for function in functions()}


@pytest.mark.parametrize("function", sorted(functions()))
def test_a_statement_on_records_names_their_kinds(function: str) -> None:
    """On an index it does not: there a partition is a customer, a day or what is due, and an entry has keys only."""
    of_table = {table: set(of_table) for table, of_table in KINDS.items()}
    for role, statement in statements():
        if role != f"{function}Role":
            continue
        for resource in as_list(resolved(statement["Resource"])):
            table = re.fullmatch(r".*:table/(Bindings|Transactions)", resource)
            if table:
                assert kinds(statement) <= of_table[table[1]]
                assert kinds(statement), statement["Sid"]
                assert list(statement["Condition"]) == ["ForAllValues:StringLike"]


def test_the_kinds_are_those_of_the_keys() -> None:
    text = (ROOT / "layers/direct_debit/python/direct_debit/adapters/dynamodb/keys.py").read_text()
    assert set(re.findall(r'"([A-Z]+)#', text)) - {"HISTORY"} == {kind for found in KINDS.values() for kind in found}
