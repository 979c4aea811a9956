"""Where a deployment goes, and with what: samconfig.toml's table of the environment, and what the command line adds."""

import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.deploy.failure import DeployError

ENVIRONMENTS = ("local", "sandbox", "production")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An environment. `chosen` are the parameters that samconfig.toml sets, `given` those of this command."""

    environment: str
    stack: str
    region: str
    prefix: str
    chosen: Mapping[str, str]
    given: Mapping[str, str]

    @property
    def named(self) -> Mapping[str, str]:
        """What somebody has set, the command before the file."""
        return {**self.chosen, **self.given}


def read_target(config: Path, environment: str, given: str = "") -> Target:
    """Read `[environment.deploy.parameters]`; `given` is `Name=value …` in a shell's quoting. Raises DeployError."""
    tables = tomllib.loads(config.read_text("utf-8"))
    if environment not in tables or environment not in ENVIRONMENTS:
        raise DeployError(f"TO={environment}: choose one of {', '.join(ENVIRONMENTS)}")
    settings = tables[environment]["deploy"]["parameters"]
    stack = str(settings["stack_name"])
    return Target(
        environment=environment,
        stack=stack,
        region=str(settings["region"]),
        prefix=str(settings.get("s3_prefix", stack)),
        chosen=_pairs([str(item) for item in settings["parameter_overrides"]], "samconfig.toml"),
        given=_pairs(_split(given), "SET"),
    )


def _split(given: str) -> list[str]:
    try:
        return shlex.split(given)
    except ValueError as error:
        raise DeployError(f"SET can not be read: {error}") from None


def _pairs(items: list[str], origin: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for item in items:
        name, equals, value = item.partition("=")
        if not equals or not name:
            raise DeployError(f"{origin}: {item!r} is not Name=value")
        if name in pairs:
            raise DeployError(f"{origin}: {name} is set twice")
        pairs[name] = value
    return pairs
