"""Who may call a method of a REST API that has a resource policy, as API Gateway documents it.

A method without authorisation: only an Allow of the policy lets a caller in. A signed call, and one that a Lambda
authoriser has judged: a Deny of either refuses; otherwise, within the account, an Allow of either is enough, and from
another account both have to allow (tables A and B). A policy says `execute-api:/stage/METHOD/path` in short for the
whole ARN; `*` in it also stands for slashes.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html;
https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-examples.html;
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from ipaddress import ip_address, ip_network
from typing import Any

SHORT = "execute-api:/"
ACTION = "execute-api:Invoke"
type Statement = Mapping[str, Any]


class InvalidPolicy(Exception):
    """A part of a policy that is not known here, so that nothing can be said of it."""


class Word(Enum):
    """What one policy says about a call."""

    ALLOW = auto()
    DENY = auto()
    NEITHER = auto()


@dataclass(frozen=True, slots=True)
class Call:
    """A call as a policy sees it: METHOD, the path behind the stage, and whence it comes."""

    method: str
    path: str
    source: str
    stage: str = "v1"


def ask_policy(policy: Mapping[str, Any] | None, call: Call) -> Word:
    """Return what a policy says of a call, for whoever makes it. Raises InvalidPolicy where that is not known here."""
    statements = [] if policy is None else policy["Statement"]
    effects = {statement["Effect"] for statement in statements if _fits(statement, call)}
    if not effects <= {"Allow", "Deny"}:
        raise InvalidPolicy(f"an effect of {effects}")
    if "Deny" in effects:
        return Word.DENY
    return Word.ALLOW if effects else Word.NEITHER


def lets_in_anybody(policy: Mapping[str, Any] | None, call: Call) -> bool:
    """Return whether a method without authorisation answers a call."""
    return policy is None or ask_policy(policy, call) is Word.ALLOW


def lets_in(policy: Mapping[str, Any] | None, call: Call, caller: Word, *, of_this_account: bool = True) -> bool:
    """Return whether a method with authorisation answers a call.

    `caller`: what the caller's own policy, or the authoriser's answer about the token, says of it.
    """
    words = {caller, ask_policy(policy, call)}
    if Word.DENY in words:
        return False
    return words == {Word.ALLOW} or (of_this_account and Word.ALLOW in words)


def list_resources(policy: Mapping[str, Any], effect: str) -> Iterable[str]:
    """Return METHOD/path of every resource of an effect's statements."""
    for statement in policy["Statement"]:
        if statement["Effect"] == effect:
            for resource in _as_list(statement["Resource"]):
                if not resource.startswith(SHORT) or "/" not in resource.removeprefix(SHORT):
                    raise InvalidPolicy(f"a resource {resource}")
                yield resource.removeprefix(SHORT).split("/", 1)[1]


def fits_pattern(pattern: str, text: str) -> bool:
    """Return whether a text fits a pattern of a policy: `*` is any characters, none and slashes too; `?` any one."""
    parts = (".*" if part == "*" else "." if part == "?" else re.escape(part) for part in re.split(r"([*?])", pattern))
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None


def _fits(statement: Statement, call: Call) -> bool:
    if unknown := statement.keys() - {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}:
        raise InvalidPolicy(f"elements {unknown}")
    if statement["Principal"] not in ("*", {"AWS": "*"}):
        raise InvalidPolicy(f"a principal {statement['Principal']}")
    if not any(fits_pattern(action, ACTION) for action in _as_list(statement["Action"])):
        return False
    called = f"{SHORT}{call.stage}/{call.method}{call.path}"
    if not any(fits_pattern(resource, called) for resource in _as_list(statement["Resource"])):
        return False
    return all(_holds(operator, keys, call) for operator, keys in statement.get("Condition", {}).items())


def _holds(operator: str, keys: Mapping[str, Any], call: Call) -> bool:
    if operator not in ("IpAddress", "NotIpAddress") or {key.lower() for key in keys} != {"aws:sourceip"}:
        raise InvalidPolicy(f"a condition {operator} on {set(keys)}")
    (ranges,) = (_as_list(value) for value in keys.values())
    is_inside = any(ip_address(call.source) in ip_network(one, strict=False) for one in ranges)
    return is_inside == (operator == "IpAddress")


def _as_list(value: object) -> list[Any]:
    """IAM allows one or many."""
    return value if isinstance(value, list) else [value]
