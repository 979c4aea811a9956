"""The proof: what callers reach, the alias `live`, is what was deployed, in code and in configuration."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from tools.deploy.clients import Clients
from tools.deploy.stamp import STAMP, parameters_in_version
from tools.deploy.template import Node, deployed_functions

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef

ALIAS = "live"
# What a version has that its function has not, and what says only when and whether something was done.
_OF_THE_VERSION = frozenset(
    {
        *("Version", "FunctionArn", "RevisionId", "MasterArn", "LastModified", "ResponseMetadata"),
        *("State", "StateReason", "StateReasonCode", "LastUpdateStatus"),
        *("LastUpdateStatusReason", "LastUpdateStatusReasonCode", "ConfigSha256"),
    }
)


@dataclass(frozen=True, slots=True)
class Doubt:
    """A function of which callers do not reach what was deployed; `why` says in what (no values), and the remedy."""

    function: str
    why: str


def find_doubts(clients: Clients, names: Mapping[str, str], stamps: Mapping[str, str]) -> list[Doubt]:
    """Compare `live` with `$LATEST` for every function (`names`: logical id and name; `stamps` as deployed)."""
    return [
        Doubt(name, why) for logical_id, name in names.items() for why in _doubts(clients, name, stamps.get(logical_id))
    ]


def count_reached(template: Node, values: Mapping[str, str], parameter: str) -> int:
    """How many functions have a parameter's value in what callers reach, of those that these values deploy."""
    deployed = deployed_functions(template, values).values()
    return sum(parameter in parameters_in_version(template, properties) for properties in deployed)


def _doubts(clients: Clients, name: str, stamp: str | None) -> Iterator[str]:
    try:
        alias = clients.functions.get_alias(FunctionName=name, Name=ALIAS)
        live = clients.functions.get_function_configuration(FunctionName=name, Qualifier=ALIAS)
        latest = clients.functions.get_function_configuration(FunctionName=name)
    except ClientError as error:
        yield f"AWS answered {error.response['Error']['Code']} to {error.operation_name}"
        return
    if alias.get("RoutingConfig", {}).get("AdditionalVersionWeights"):
        yield f"{ALIAS} sends a part of the calls to another version"
    different = sorted(_differing(live, latest))
    deployed = live.get("Environment", {}).get("Variables", {}).get(STAMP)
    if different:
        yield (
            f"{ALIAS} (version {alias['FunctionVersion']}) differs from $LATEST in {', '.join(different)}; "
            f"aws lambda update-alias --function-name {name} --name {ALIAS} --function-version {_newest(clients, name)}"
        )
    elif stamp is not None and deployed != stamp:
        yield f"{ALIAS} (version {alias['FunctionVersion']}) has other parameters than were deployed"


def _newest(clients: Clients, name: str) -> int:
    pages = clients.functions.get_paginator("list_versions_by_function").paginate(FunctionName=name)
    return max(
        (int(one["Version"]) for page in pages for one in page["Versions"] if one["Version"].isdigit()), default=0
    )


def _differing(
    live: "FunctionConfigurationResponseTypeDef", latest: "FunctionConfigurationResponseTypeDef"
) -> Iterator[str]:
    for key in (live.keys() | latest.keys()) - _OF_THE_VERSION:
        one, other = live.get(key), latest.get(key)
        if one == other:
            continue
        if key == "Environment" and isinstance(one, dict) and isinstance(other, dict):
            mine, its = dict(one.get("Variables") or {}), dict(other.get("Variables") or {})
            yield from (f"variable {name}" for name in mine.keys() | its.keys() if mine.get(name) != its.get(name))
        else:
            yield key
