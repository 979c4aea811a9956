"""The template as CloudFormation gets it: through the SAM translator, offline."""

import copy
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from tools.deploy.template import read_template

TEMPLATE = Path(__file__).resolve().parents[2] / "template.yaml"

# What an operator must give, since it has no default.
REQUIRED = {
    "DeployedByMakeDeploy": "true",
    "PublicBaseUrl": "https://api.merchant.example/v1",
    "AllowedReturnHosts": "merchant.example",
}

type Json = dict[str, Any]
TABLES = ("Bindings", "Transactions")
NOTHING = {"Ref": "AWS::NoValue"}


@cache
def source() -> Json:
    """The template as `sam build` writes it out."""
    return dict(read_template(TEMPLATE))


@cache
def translated(**overrides: str) -> Json:
    """The translated template; parameters have their defaults unless overridden."""
    return translate(source(), **overrides)


def translate(template: Json, **overrides: str) -> Json:
    """Translate any template (tests break one on purpose)."""
    template = copy.deepcopy(template)
    for resource in template["Resources"].values():
        for name in ("CodeUri", "ContentUri", "DefinitionUri"):
            if name in resource.get("Properties", {}):
                resource["Properties"][name] = "s3://bucket/key"
    parameters = {
        name: str(definition["Default"])
        for name, definition in template["Parameters"].items()
        if "Default" in definition
    }
    session = boto3.Session(region_name="ap-southeast-3", aws_access_key_id="-", aws_secret_access_key="-")
    translator = Translator({}, Parser(), boto_session=session)
    output: Json = translator.translate(template, parameters | REQUIRED | overrides)
    settled: Json = _settle(output, _settled_conditions(parameters | overrides))
    return settled


def _settled_conditions(parameters: Mapping[str, str]) -> Mapping[str, bool]:
    """Which of the conditions that stand in the midst of resources hold."""
    return {
        **{f"Own{table}": not parameters[f"Restored{table}Arn"] for table in TABLES},
        "HasKmsKey": bool(parameters["KmsKeyArn"]),
        "HasDokuSources": bool(parameters["DokuSourceCidrs"]),
        "ReadsThreeSecrets": parameters["SecretLayout"] == "three",
        "HasOneSecret": parameters["SecretLayout"] == "one" or parameters["SecretLayoutChanges"] == "true",
        "HasThreeSecrets": parameters["SecretLayout"] == "three" or parameters["SecretLayoutChanges"] == "true",
        "ReservesWorkers": parameters["ReserveWorkerConcurrency"] == "true",
        "ReservesDoors": parameters["DoorReservedConcurrency"] != "0",
        "ReservesOutbox": parameters["OutboxReservedConcurrency"] != "0",
    }


def _settle(value: Any, conditions: Mapping[str, bool]) -> Any:  # noqa: ANN401 - a template's values
    """Choose by these conditions, so that tests read plain values; what a choice leaves out is gone."""
    if isinstance(value, list):
        return [inner for inner in (_settle(one, conditions) for one in value) if inner != NOTHING]
    if not isinstance(value, dict):
        return value
    chosen = value.get("Fn::If")
    if chosen is not None and chosen[0] in conditions:
        return _settle(chosen[1 if conditions[chosen[0]] else 2], conditions)
    settled = {name: _settle(inner, conditions) for name, inner in value.items()}
    settled = {name: inner for name, inner in settled.items() if inner != NOTHING}
    sub = settled.get("Fn::Sub")
    if isinstance(sub, list) and "Fn::GetAtt" in sub[1].get("Table", {}):
        return {"Fn::Sub": sub[0].replace("${Table}", f"${{{'.'.join(sub[1]['Table']['Fn::GetAtt'])}}}")}
    return settled


def resources(kind: str, template: Json | None = None) -> dict[str, Json]:
    """Logical id → properties of all resources of a CloudFormation type."""
    found = (template or translated())["Resources"]
    return {name: resource.get("Properties", {}) for name, resource in found.items() if resource["Type"] == kind}


def operations(template: Json | None = None) -> dict[tuple[str, str], Json]:
    """(METHOD, path) → operation of the API's OpenAPI body, without OPTIONS."""
    (api,) = resources("AWS::ApiGateway::RestApi", template).values()
    return {
        (method.upper(), path): operation
        for path, methods in api["Body"]["paths"].items()
        for method, operation in methods.items()
        if method != "options"
    }


def functions(template: Json | None = None) -> dict[str, Json]:
    """Logical id → properties of all functions."""
    return resources("AWS::Lambda::Function", template)


def statements(template: Json | None = None) -> list[tuple[str, Json]]:
    """(role's logical id, statement) of every inline policy."""
    return [
        (name, statement)
        for name, role in resources("AWS::IAM::Role", template).items()
        for policy in role.get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def as_list(value: object) -> list[Any]:
    """IAM allows one or many."""
    return value if isinstance(value, list) else [value]


def kinds(statement: Json) -> frozenset[str]:
    """The kinds of items that a statement is limited to: what stands before the first `#` of their partition keys."""
    patterns = statement.get("Condition", {}).get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys", [])
    return frozenset(pattern.partition("#")[0] for pattern in as_list(patterns))


def name_of(resource: object) -> str:
    """The resource of a statement in short: a logical id, `Table/index/name`, or `*`."""
    if isinstance(resource, dict) and "Fn::GetAtt" in resource:
        return str(resource["Fn::GetAtt"][0])
    text = resource["Fn::Sub"] if isinstance(resource, dict) and "Fn::Sub" in resource else resource
    return str(text).replace("${", "").replace(".Arn}", "")
