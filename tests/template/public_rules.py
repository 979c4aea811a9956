"""Nothing of the stack is open to everybody, by rules: what tests/template/test_nothing_is_public.py judges by."""

import re
from collections.abc import Iterator
from typing import Any

from tests.template.routes import PUBLIC
from tests.template.translation import as_list

type Json = dict[str, Any]

# Who of AWS's may do something here, each with its reason.
SERVICES = {
    "apigateway.amazonaws.com": "calls the functions behind the routes, writes the access log",
    "cloudwatch.amazonaws.com": "tells the alarms to their topic",
    "events.amazonaws.com": "starts the sweep, sends events to the queue of the webhooks",
    "lambda.amazonaws.com": "runs the functions under their roles",
    "states.amazonaws.com": "runs the workflows under their roles",
}
# Kinds by which something is reachable without this API's doors; none is needed.
DOORS = {
    "AWS::Lambda::Url": "a function with an address of its own, past the gateway's signature and limits",
    "AWS::ApiGatewayV2::Api": "a second API",
    "AWS::S3::Bucket": "a bucket; nothing is kept in one",
    "AWS::EC2::SecurityGroup": "a network of its own",
}
_OWN_ACCOUNT = {"Ref": "AWS::AccountId"}
# What the API's policy may let everybody call, each route by itself: those that nobody has to sign for.
_LET_IN = {"execute-api:/v1/" + method + re.sub(r"{\w+}", "*", path) for method, path in PUBLIC}


def find_public(template: Json) -> list[str]:
    """What of a translated template others than the account's own people may use; the resource's name comes first."""
    return [
        f"{name} {fault}"
        for name, resource in template["Resources"].items()
        for fault in _faults_of(resource["Type"], resource.get("Properties", {}))
    ]


def _faults_of(kind: str, properties: Json) -> Iterator[str]:
    if kind in DOORS:
        yield f"is {DOORS[kind]}"
    if kind == "AWS::Lambda::Permission":
        yield from _faults_of_permission(properties)
    if kind == "AWS::ApiGateway::DomainName" and properties.get("SecurityPolicy") != "TLS_1_2":
        yield "takes a TLS older than 1.2"
    for statement in _statements_with_principals(properties):
        if kind == "AWS::ApiGateway::RestApi":
            yield from _faults_of_api_policy(statement)
        else:
            yield from _faults_of_statement(statement, trust=kind == "AWS::IAM::Role")


def _faults_of_permission(permission: Json) -> Iterator[str]:
    if permission["Principal"] not in SERVICES:
        yield f"lets {permission['Principal']} call a function"
    if "SourceArn" not in permission and permission.get("SourceAccount") != _OWN_ACCOUNT:
        yield "lets a service call a function for whoever asks it to"


def _faults_of_api_policy(statement: Json) -> Iterator[str]:
    """A policy's Allow is enough for any signed caller of the account: it may not speak of a merchant route."""
    if statement["Effect"] != "Allow":
        return
    if statement.get("Principal") != "*" or "Resource" not in statement:
        yield "has a policy of another form than this rule reads"
        return
    for resource in as_list(statement["Resource"]):
        if resource not in _LET_IN:
            yield f"lets everybody call {resource}"


def _faults_of_statement(statement: Json, *, trust: bool) -> Iterator[str]:
    if statement["Effect"] != "Allow":
        return
    if "NotPrincipal" in statement:
        yield "allows everybody but a few"
        return
    principal = statement["Principal"]
    if set(principal) != {"Service"} if isinstance(principal, dict) else True:
        yield f"allows {principal}"
        return
    for service in as_list(principal["Service"]):
        if service not in SERVICES:
            yield f"allows {service}"
    # A service acts for every account: what it does to a resource of ours has to come from ours. A role is passed to it
    # by somebody who may (iam:PassRole).
    if not trust and not _is_bound(statement.get("Condition", {})):
        yield "allows a service to act for any account"


def _is_bound(condition: Json) -> bool:
    bound = [value for operator in condition.values() for value in operator.items()]
    return any(
        (key.lower() == "aws:sourceaccount" and value == _OWN_ACCOUNT)
        or (key.lower() == "aws:sourcearn" and isinstance(value, dict))
        for key, value in bound
    )


def _statements_with_principals(value: object) -> Iterator[Json]:
    """Every statement of a policy that says who, wherever in a resource it stands."""
    if isinstance(value, list):
        for one in value:
            yield from _statements_with_principals(one)
    if isinstance(value, dict):
        if "Effect" in value and ("Principal" in value or "NotPrincipal" in value):
            yield value
        for one in value.values():
            yield from _statements_with_principals(one)
