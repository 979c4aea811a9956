"""The local cloud's emulator as a place to deploy to."""

from collections.abc import Mapping

from tools.deploy.clients import Clients
from tools.deploy.deployment import Place
from tools.local_cloud.aws import Cloud

BUCKET = "deployments"
_POLL_SECONDS = 0.1


def emulator_place(cloud: Cloud, tags: Mapping[str, str]) -> Place:
    """Return an emulator as a place to deploy to, with these tags for a new stack."""
    clients = Clients(cloud.cloudformation(), cloud.functions(), cloud.s3())
    return Place(clients, cloud.region, cloud.environment(), BUCKET, tags, _POLL_SECONDS)
