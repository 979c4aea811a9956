"""How large the functions' environments become: Lambda takes 4 KB of one, and says so in the middle of a deployment.

What Lambda measures is the variables as compact JSON, as its refusal shows them ("String measured: ..."). What the
stack names by itself (tables, queues, secrets) is not known before: it is taken as long as it can become.

Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html ("Environment variables": 4 KB, for all
of a function in aggregate).
"""

import json
from collections.abc import Iterator, Mapping

from tools.deploy.stamp import STAMP
from tools.deploy.target import Target
from tools.deploy.template import Json, Node, deployed_functions, member, parameters_used, variables

LARGEST_ENVIRONMENT = 4096
"""Bytes."""

_STAMP = "0" * 16
_ACCOUNT = "1" * 12
_SUFFIX = "-" + "X" * 13  # what CloudFormation puts behind a name that it makes
_SECRET_SUFFIX = "-" + "X" * 6  # and Secrets Manager behind a secret's
_LONGEST_QUEUE_NAME = 80
_WORTH_SHORTENING = 100  # characters of a parameter's value
_AT_LEAST_NAMED = 5  # parameters, where none is that long


def find_too_large(template: Node, target: Target, values: Mapping[str, str]) -> Iterator[str]:
    """Say it where Lambda would refuse a function's environment, and which parameters make it so large."""
    sizes = measure_environments(template, target, values)
    largest = max(sizes, key=lambda name: sizes[name])
    if sizes[largest] <= LARGEST_ENVIRONMENT:
        return
    used = parameters_used(template, variables(deployed_functions(template, values)[largest]))
    lengths = {name: len(values.get(name, "")) for name in used}
    ordered = sorted(used, key=lambda name: -lengths[name])
    long = [name for name in ordered if lengths[name] > _WORTH_SHORTENING] or ordered[:_AT_LEAST_NAMED]
    yield (
        f"{', '.join(f'{name} ({lengths[name]:,})' for name in long)}: shorten what is long, by"
        f" {sizes[largest] - LARGEST_ENVIRONMENT:,} characters at least: Lambda takes {LARGEST_ENVIRONMENT:,} bytes of"
        f" environment, and that of {largest} would have {sizes[largest]:,}"
    )


def measure_environments(template: Node, target: Target, values: Mapping[str, str]) -> Mapping[str, int]:
    """The bytes of each deployed function's environment, by its logical id: as many as this, or a few less."""
    sizes = {}
    for name, properties in deployed_functions(template, values).items():
        written = {
            variable: _write(value, template, target, values) for variable, value in variables(properties).items()
        }
        stamped = {**written, STAMP: _STAMP}
        sizes[name] = len(json.dumps(stamped, separators=(",", ":"), ensure_ascii=False).encode())
    return sizes


def _write(value: Json, template: Node, target: Target, values: Mapping[str, str]) -> str:
    """The longest text that a part of the template may become."""
    if not isinstance(value, dict):
        return str(value)
    ((function, argument),) = value.items()
    match function:
        case "Ref":
            return values[argument] if argument in values else _name(str(argument), template, target)
        case "Fn::GetAtt":
            return _secret_arn(str(argument[0]), target)
        case "Fn::Sub":
            return str(argument).replace("${AWS::StackName}", target.stack)
    parts = argument if isinstance(argument, list) else [argument]
    return max((_write(one, template, target, values) for one in parts), key=len)


def _name(resource: str, template: Node, target: Target) -> str:
    properties = member(template, "Resources", resource)
    if properties.get("Type") == "AWS::SQS::Queue":
        name = f"{target.stack}-{resource}{_SUFFIX}"[:_LONGEST_QUEUE_NAME]
        return f"https://sqs.{target.region}.amazonaws.com/{_ACCOUNT}/{name}"
    return f"{target.stack}-{resource}{_SUFFIX}"


def _secret_arn(resource: str, target: Target) -> str:
    name = f"{target.stack}-{resource}{_SUFFIX}{_SECRET_SUFFIX}"
    return f"arn:aws:secretsmanager:{target.region}:{_ACCOUNT}:secret:{name}"
