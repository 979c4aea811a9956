"""The stack of a running `make run`, which `TO=local` deploys to."""

from pathlib import Path

from tools.deploy.deployment import Place
from tools.deploy.emulator import emulator_place
from tools.deploy.failure import DeployError
from tools.deploy.secret_layout import kept_layout
from tools.deploy.stack import Stack
from tools.invoke.running_stack import read_running_stack
from tools.local_cloud.aws import Cloud

# What the local cloud knows and nobody else: its addresses, this machine's processor.
_KEPT = (
    *("Architecture", "DokuBaseUrl", "PublicBaseUrl", "DefaultSuccessUrl", "DefaultFailedUrl", "WebhookUrl"),
    *("AuthMode", "JwtIssuer", "JwtAudience", "JwtJwksUrl"),
)


def find_running_place(path: Path) -> Place:
    """Return the emulator of the running stack that has written this file. Raises LocalCloudError when none runs."""
    variables = read_running_stack(path).variables
    return emulator_place(Cloud(variables["AWS_ENDPOINT_URL"], variables["AWS_REGION"]), {})


def kept_values(stack: Stack | None) -> dict[str, str]:
    """Return what the stack was given when it began. Raises DeployError when there is no stack."""
    if stack is None:
        raise DeployError("no local stack runs: start one with `make run` in another terminal")
    return {name: stack.parameters[name] for name in _KEPT} | dict(kept_layout(stack))
