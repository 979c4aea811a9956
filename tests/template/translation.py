"""The template as CloudFormation gets it: through the SAM translator, offline."""

import copy
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

TEMPLATE = Path(__file__).resolve().parents[2] / "template.yaml"

# What an operator must give, since it has no default.
REQUIRED = {
    "DeployedByMakeDeploy": "true",
    "PublicBaseUrl": "https://api.merchant.example/v1",
    "AllowedReturnHosts": "merchant.example",
}

type Json = dict[str, Any]


@cache
def source() -> Json:
    """The template as written, with tags in their long form."""
    parsed: Json = yaml_parse(TEMPLATE.read_text())
    return parsed


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
    return output


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


def name_of(resource: object) -> str:
    """The resource of a statement in short: a logical id, `Table/index/name`, or `*`."""
    if isinstance(resource, dict) and "Fn::GetAtt" in resource:
        return str(resource["Fn::GetAtt"][0])
    text = resource["Fn::Sub"] if isinstance(resource, dict) and "Fn::Sub" in resource else resource
    return str(text).replace("${", "").replace(".Arn}", "")
