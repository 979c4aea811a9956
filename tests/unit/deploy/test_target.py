from pathlib import Path

import pytest

from tools.deploy.failure import DeployError
from tools.deploy.target import read_target

CONFIG = """
version = 0.1
[sandbox.deploy.parameters]
stack_name = "shop-sandbox"
region = "ap-southeast-3"
s3_prefix = "shop"
parameter_overrides = ["Environment=sandbox", "LogLevel=DEBUG"]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "samconfig.toml"
    path.write_text(CONFIG)
    return path


def test_the_command_comes_before_the_file(config: Path) -> None:
    target = read_target(config, "sandbox", "LogLevel=INFO InquiryScheduleSeconds='61,90' Empty=")
    assert (target.stack, target.region, target.prefix) == ("shop-sandbox", "ap-southeast-3", "shop")
    assert target.named == {
        "Environment": "sandbox",
        "LogLevel": "INFO",
        "InquiryScheduleSeconds": "61,90",
        "Empty": "",
    }
    assert target.given.keys() == {"LogLevel", "InquiryScheduleSeconds", "Empty"}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("LogLevel", "'LogLevel' is not Name=value"),
        ("=INFO", "'=INFO' is not Name=value"),
        ("LogLevel=INFO LogLevel=DEBUG", "LogLevel is set twice"),
        ("LogLevel='INFO", "SET can not be read"),
    ],
)
def test_what_can_not_be_read_is_named(config: Path, given: str, told: str) -> None:
    with pytest.raises(DeployError, match=told):
        read_target(config, "sandbox", given)


@pytest.mark.parametrize("environment", ["production", "version", "staging"])
def test_an_environment_that_is_not_there(config: Path, environment: str) -> None:
    with pytest.raises(DeployError, match="choose one of local, sandbox, production"):
        read_target(config, environment)
