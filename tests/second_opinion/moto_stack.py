"""The application on moto's server: what the template declares of tables, queues, bus and secret, made by hand."""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from moto.server import ThreadedMotoServer

from tests.fakes.environment import COMPLETE
from tests.integration.adapters.conftest import create_tables
from tests.integration.adapters.records import BINDINGS, TRANSACTIONS
from tests.second_opinion.event_sources import EventSources, open_streams
from tests.second_opinion.functions import BuiltFunctions
from tests.second_opinion.gateway import gateway
from tests.template.routes import ROUTES
from tools.local_cloud import sam
from tools.local_cloud.caller import ApiCaller
from tools.local_cloud.credentials import new_credentials
from tools.local_cloud.processes import free_port
from tools.local_cloud.simulator import Simulator, simulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_REGION = "ap-southeast-3"
_QUEUES = {
    "NOTIFICATION_QUEUE_URL": "ProcessNotification",
    "REFUND_RETRY_QUEUE_URL": "ProcessRefund",
    "STATUS_INQUIRY_QUEUE_URL": "InquireStatus",
}


@dataclass(frozen=True, slots=True)
class MotoStack:
    """A running application; its API has no authorisation, which is API Gateway's matter."""

    api_url: str
    simulator: Simulator
    session: boto3.Session
    endpoint: str
    told: str  # the queue that hears every event of the bus

    def signed(self) -> ApiCaller:
        """The API as the merchant's system calls it."""
        return self.unsigned()

    def unsigned(self) -> ApiCaller:
        """The API as a stranger calls it."""
        return ApiCaller(self.api_url, _REGION, None)

    def read_events(self) -> list[str]:
        """Return the names of the events that the bus got, in the order of their queue."""
        sqs = self.session.client("sqs", endpoint_url=self.endpoint)
        names: list[str] = []
        while messages := sqs.receive_message(QueueUrl=self.told, MaxNumberOfMessages=10).get("Messages", []):
            names += [json.loads(message["Body"])["detail-type"] for message in messages]
        return names


@contextmanager
def moto_stack(folder: Path) -> Iterator[MotoStack]:
    """Run it until the block ends."""
    with ExitStack() as resources:
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=free_port(), verbose=False)
        server.start()
        resources.callback(server.stop)
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        session = boto3.Session(region_name=_REGION, aws_access_key_id="x", aws_secret_access_key="x")
        variables, told = _create(session, endpoint)

        credentials = new_credentials()
        secrets = session.client("secretsmanager", endpoint_url=endpoint)
        secrets.create_secret(Name=variables["DATA_SECRET_ID"], SecretString=credentials.secret())
        doku = resources.enter_context(simulator(folder, credentials))
        gateway_port = free_port()
        variables |= {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_REGION": _REGION,
            "AWS_DEFAULT_REGION": _REGION,
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "DOKU_BASE_URL": doku.url,
            "PUBLIC_BASE_URL": f"http://127.0.0.1:{gateway_port}",
            "ALLOWED_RETURN_HOSTS": "merchant.example",
            "POWERTOOLS_SERVICE_NAME": "direct-debit",
            "POWERTOOLS_METRICS_NAMESPACE": "DirectDebit",
        }
        logs = folder / "functions"
        logs.mkdir()
        functions = BuiltFunctions(sam.build(folder / "build.log"), variables, logs, resources)
        api_url = resources.enter_context(gateway(ROUTES, functions.invoke, gateway_port))
        doku.register_merchant(api_url)
        streams = session.client("dynamodbstreams", endpoint_url=endpoint)
        sources = EventSources(
            functions.invoke,
            session.client("sqs", endpoint_url=endpoint),
            streams,
            {variables[name]: function for name, function in _QUEUES.items()},
            open_streams(session.client("dynamodb", endpoint_url=endpoint), streams, (BINDINGS, TRANSACTIONS)),
        )
        with sources.polling():
            yield MotoStack(api_url, doku, session, endpoint, told)


def _create(session: boto3.Session, endpoint: str) -> tuple[dict[str, str], str]:
    """Make tables, queues and bus; return the functions' variables, and the queue that hears the bus."""
    dynamodb = session.client("dynamodb", endpoint_url=endpoint)
    create_tables(dynamodb)
    for table in (BINDINGS, TRANSACTIONS):
        dynamodb.update_table(
            TableName=table, StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        )
    sqs = session.client("sqs", endpoint_url=endpoint)
    names = [name for name in COMPLETE if name.endswith("QUEUE_URL")]
    urls = {name: sqs.create_queue(QueueName=name.lower())["QueueUrl"] for name in names}
    told = sqs.create_queue(QueueName="told")["QueueUrl"]
    events = session.client("events", endpoint_url=endpoint)
    bus = COMPLETE["EVENT_BUS_NAME"]
    events.create_event_bus(Name=bus)
    events.put_rule(Name="all", EventBusName=bus, EventPattern='{"source": [{"prefix": ""}]}')
    arn = sqs.get_queue_attributes(QueueUrl=told, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_targets(Rule="all", EventBusName=bus, Targets=[{"Id": "told", "Arn": arn}])
    return {**COMPLETE, **urls, "BINDINGS_TABLE": BINDINGS, "TRANSACTIONS_TABLE": TRANSACTIONS}, told
