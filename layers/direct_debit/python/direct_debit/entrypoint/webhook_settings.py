"""The environment of the function that delivers webhooks: what no other function has."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from direct_debit.adapters.webhook_receiver import is_public
from direct_debit.application.webhooks.deliver_webhook import LONGEST_GAP, STANDARD_SCHEDULE
from direct_debit.domain import values
from direct_debit.entrypoint.settings import LOOPBACK, ConfigurationError, Reader

if TYPE_CHECKING:
    from direct_debit.adapters.aws.clients import AwsWay

_LONGEST_TIMEOUT = 25  # seconds: a function lives for sixty, and has to write down what became of it


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEnvironment:
    """Where webhooks go and how. Durations are seconds.

    `private_networks`: the receiver may be on this machine or in a private network, by plain http.
    """

    url: str
    secret_id: str
    log_table: str
    queue_url: str
    dead_queue_url: str
    timeout: int
    schedule: tuple[int, ...]
    private_networks: bool
    aws_way: "AwsWay"
    log_level: str
    service_name: str
    metrics_namespace: str


def read_webhook_environment(variables: Mapping[str, str]) -> WebhookEnvironment:
    """Read and check the variables. Raises ConfigurationError that names every missing or wrong one at once."""
    reader = Reader(variables)
    private_networks = reader.choice("WEBHOOK_PRIVATE_NETWORKS", ("true", "false"), "false") == "true"
    environment = WebhookEnvironment(
        url=_read_url(reader, private_networks=private_networks),
        secret_id=reader.text("WEBHOOK_SECRET_ID"),
        log_table=reader.text("WEBHOOK_LOG_TABLE"),
        queue_url=reader.text("WEBHOOK_QUEUE_URL"),
        dead_queue_url=reader.text("WEBHOOK_DEAD_QUEUE_URL"),
        timeout=reader.seconds("WEBHOOK_TIMEOUT_SECONDS", 10),
        schedule=reader.schedule("WEBHOOK_SCHEDULE_SECONDS", STANDARD_SCHEDULE),
        private_networks=private_networks,
        aws_way=reader.aws_way(),
        log_level=reader.choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"), "INFO"),
        service_name=reader.optional("POWERTOOLS_SERVICE_NAME") or "direct-debit",
        metrics_namespace=reader.optional("POWERTOOLS_METRICS_NAMESPACE") or "DirectDebit",
    )
    if environment.timeout > _LONGEST_TIMEOUT:
        reader.problems.append(f"WEBHOOK_TIMEOUT_SECONDS must be at most {_LONGEST_TIMEOUT}")
    gaps = [later - earlier for earlier, later in itertools.pairwise((0, *environment.schedule))]
    if max(gaps) > LONGEST_GAP:
        reader.problems.append(f"WEBHOOK_SCHEDULE_SECONDS must have no gap of more than {LONGEST_GAP} seconds")
    if reader.problems:
        raise ConfigurationError(reader.problems)
    return environment


def _read_url(reader: Reader, *, private_networks: bool) -> str:
    url = reader.text("WEBHOOK_URL")
    try:
        address = values.read_url(url)
    except ValueError:
        reader.problems.append("WEBHOOK_URL must be an https URL of printable ASCII characters without blanks")
        return ""
    if address.scheme != "https" and not (private_networks and address.host in LOOPBACK):
        reader.problems.append("WEBHOOK_URL must be an https URL")
    elif not private_networks and _is_private(address.host):
        reader.problems.append("WEBHOOK_URL must lead into the public internet: nothing is sent to a private address")
    return url


def _is_private(host: str) -> bool:
    """Whether a host can be told to be private from its text; where a name leads to is looked at at each try."""
    try:
        return host in LOOPBACK or not is_public(host)
    except ValueError:
        return False  # a name
