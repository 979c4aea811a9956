"""Everything that is wrong with the parameters of a deployment, before anything is built."""

import difflib
import re
from collections.abc import Iterator, Mapping

from direct_debit.entrypoint.settings import ConfigurationError, read_environment
from direct_debit.entrypoint.webhook_settings import read_webhook_environment
from tools.deploy.environment_size import find_too_large
from tools.deploy.failure import DeployError
from tools.deploy.target import Target
from tools.deploy.template import Node, functions, member, parameter_definitions, variables

# A name that AWS makes of the stack's and the operation's is limited; Lambda's limit is the lowest that is met.
_LONGEST_FUNCTION_NAME = 64
_PLACEHOLDER = "replace-me"
_SANDBOX_DOKU = "api-sandbox.doku.com"
_PRODUCTION_DOKU = "api.doku.com"


def check_parameters(template: Node, target: Target, values: Mapping[str, str]) -> None:
    """Raise DeployError that names everything wrong at once."""
    problems = [
        *_unknown(template, target),
        *_against_definitions(template, values),
        *_of_the_environment(target, values),
        *_domain(values),
        *_names(template, target),
    ]
    # What is wrong already would only be said twice.
    problems = problems or [*_as_functions_read_them(template, values), *find_too_large(template, target, values)]
    if problems:
        raise DeployError("the parameters can not be deployed:\n" + "\n".join(f"  - {one}" for one in problems))


def _unknown(template: Node, target: Target) -> Iterator[str]:
    known = list(parameter_definitions(template))
    for name in target.named:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            yield f"{name}: there is no such parameter" + (f"; {near[0]}?" if near else "")


def _against_definitions(template: Node, values: Mapping[str, str]) -> Iterator[str]:
    for name, definition in parameter_definitions(template).items():
        if name not in values:
            yield f"{name}: needs a value; {definition.get('Description')}"
            continue
        rule = _broken_rule(definition, values[name])
        if rule is not None:
            yield f"{name}: {rule}, not {values[name]!r}"


def _broken_rule(definition: Node, value: str) -> str | None:
    """What the value must be and is not, as CloudFormation would say at the end of a build."""
    allowed = definition.get("AllowedValues")
    if isinstance(allowed, list) and value not in [str(one) for one in allowed]:
        return f"must be one of {', '.join(str(one) for one in allowed)}"
    pattern = definition.get("AllowedPattern")
    if isinstance(pattern, str) and re.fullmatch(pattern, value, re.ASCII) is None:
        return f"must be {definition.get('ConstraintDescription', pattern)}"
    if isinstance(longest := definition.get("MaxLength"), int) and len(value) > longest:
        return f"must have at most {longest} characters"
    return _broken_bound(definition, value) if definition.get("Type") == "Number" else None


def _broken_bound(definition: Node, value: str) -> str | None:
    if re.fullmatch(r"-?\d+", value) is None:
        return "must be a whole number"
    if isinstance(least := definition.get("MinValue"), int) and int(value) < least:
        return f"must be at least {least}"
    if isinstance(most := definition.get("MaxValue"), int) and int(value) > most:
        return f"must be at most {most}"
    return None


def _of_the_environment(target: Target, values: Mapping[str, str]) -> Iterator[str]:
    if values.get("Environment") != target.environment:
        yield f"Environment: must be {target.environment}, the environment that is deployed"
    if target.environment == "local":
        return
    for name, value in values.items():
        if _PLACEHOLDER in value:
            yield f"{name}: still says {_PLACEHOLDER}; put your own value into samconfig.toml"
        if value.lower().startswith("http://"):
            yield f"{name}: must be https; plain http is for the local stack"
    doku = values.get("DokuBaseUrl", "")
    if target.environment == "production" and _SANDBOX_DOKU in doku:
        yield f"DokuBaseUrl: production speaks to https://{_PRODUCTION_DOKU}, not to DOKU's sandbox"
    if target.environment == "sandbox" and doku.endswith(f"//{_PRODUCTION_DOKU}"):
        yield f"DokuBaseUrl: a sandbox speaks to https://{_SANDBOX_DOKU}; at {_PRODUCTION_DOKU} it moves real money"


def _domain(values: Mapping[str, str]) -> Iterator[str]:
    domain, certificate = values.get("DomainName", ""), values.get("CertificateArn", "")
    if bool(domain) != bool(certificate):
        yield "DomainName and CertificateArn: set both or neither; a domain needs its certificate"
    base = values.get("PublicBaseUrl", "")
    if domain and base and re.match(rf"https://{re.escape(domain)}(/|$)", base) is None:
        yield f"PublicBaseUrl: must begin with https://{domain}, the address that callers use"


def _names(template: Node, target: Target) -> Iterator[str]:
    for properties in functions(template).values():
        name = str(member(properties, "FunctionName").get("Fn::Sub", "")).replace("${AWS::StackName}", target.stack)
        if len(name) > _LONGEST_FUNCTION_NAME:
            spare = len(target.stack) - (len(name) - _LONGEST_FUNCTION_NAME)
            yield f"stack_name: at most {spare} characters, or the function {name} can not be named"
            return


def _as_functions_read_them(template: Node, values: Mapping[str, str]) -> Iterator[str]:
    """What the functions would refuse when they start: values that fit alone, and not together."""
    for properties in functions(template).values():
        read = {
            variable: values[str(name)] if (name := _reference(value)) in values else "set-by-the-stack"
            for variable, value in variables(properties).items()
        }
        try:
            read_environment(read)
            if read.get("WEBHOOK_URL"):
                is_local = values.get("Environment") == "local"
                read_webhook_environment(read | {"WEBHOOK_PRIVATE_NETWORKS": str(is_local).lower()})
        except ConfigurationError as error:
            yield from error.problems
            return


def _reference(value: object) -> object:
    return value.get("Ref") if isinstance(value, dict) else None
