import re
import tomllib
from typing import Any

import pytest

from tests.template.translation import REQUIRED, TEMPLATE, source

CONFIG = tomllib.loads((TEMPLATE.parent / "samconfig.toml").read_text())
# `make deploy` finds the first two out, and the local cloud the others too (tools/local_cloud/stack.py).
FOUND_OUT = {"DeployedByMakeDeploy", "PublicBaseUrl"}
GIVEN_LOCALLY = {"DokuBaseUrl", "Architecture", "DefaultSuccessUrl", "DefaultFailedUrl"}


def overrides(environment: str) -> dict[str, str]:
    items: list[str] = CONFIG[environment]["deploy"]["parameters"]["parameter_overrides"]
    return dict(item.split("=", 1) for item in items)


@pytest.mark.parametrize("environment", ["local", "sandbox", "production"])
def test_each_environment_gives_every_required_parameter_a_legal_value(environment: str) -> None:
    parameters: dict[str, Any] = source()["Parameters"]
    chosen = overrides(environment)
    given = set(chosen) | FOUND_OUT | (GIVEN_LOCALLY if environment == "local" else set())
    assert set(REQUIRED) <= given
    for name, value in chosen.items():
        definition = parameters[name]
        assert value in [str(allowed) for allowed in definition.get("AllowedValues", [value])]
        assert re.fullmatch(definition.get("AllowedPattern", ".*"), value), name
    assert chosen["Environment"] == environment


@pytest.mark.parametrize("environment", ["sandbox", "production"])
def test_what_is_built_is_what_is_deployed(environment: str) -> None:
    (built,) = CONFIG[environment]["build"]["parameters"]["parameter_overrides"]
    assert built == f"Architecture={overrides(environment)['Architecture']}"


def test_production_is_protected_and_signed() -> None:
    chosen = overrides("production")
    assert chosen["DeletionProtection"] == "true"
    assert chosen.get("AuthMode", "AWS_IAM") == "AWS_IAM"
    assert chosen["DokuBaseUrl"] == "https://api.doku.com"


def test_the_local_environment_stays_authorised() -> None:
    assert "AuthMode" not in overrides("local")
