"""The operator's tools over the application behind its doors, with moto's queues."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from direct_debit.adapters.dynamodb.client import Store
from direct_debit.entrypoint.settings import read_environment
from doku_snap.transport import RequestsTransport
from tests.fakes.processes import BINDINGS, TRANSACTIONS
from tests.fakes.scanning import Scannable
from tests.fakes.secrets_manager import FakeSecretsManager
from tests.integration.handlers.house import House, payment_body
from tools.ops.failure import OpsError
from tools.ops.outside import Outside
from tools.ops.stack_secret import one_secret
from tools.ops.system import QueuePair, System, read_pages

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

REGION = "ap-southeast-3"
REF = "INV000000001"
PHONE = "6281100000077"


@dataclass
class Desk:
    """Where the operator sits."""

    house: House
    sqs: "SQSClient"
    system: System = field(init=False)
    invoked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        names = ["notification", "refund", "inquiry"]
        urls = {name: self.sqs.create_queue(QueueName=name)["QueueUrl"] for name in names}
        dead = {name: self.sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"] for name in names}
        failures = self.sqs.create_queue(QueueName="stream-failures")["QueueUrl"]
        environment = read_environment(
            {
                "BINDINGS_TABLE": BINDINGS,
                "TRANSACTIONS_TABLE": TRANSACTIONS,
                "NOTIFICATION_QUEUE_URL": urls["notification"],
                "REFUND_RETRY_QUEUE_URL": urls["refund"],
                "STATUS_INQUIRY_QUEUE_URL": urls["inquiry"],
                "STREAM_FAILURE_QUEUE_URL": failures,
                "EVENT_BUS_NAME": "bus",
                "INBOUND_SECRET_ID": "secret",
                "SIGNING_SECRET_ID": "secret",
                "DATA_SECRET_ID": "secret",
                "DOKU_BASE_URL": "https://api-sandbox.doku.com",
                "PUBLIC_BASE_URL": "https://merchant.example/v1",
            }
        )
        self.system = System(
            name="test",
            environment=environment,
            ports=self.house.ports,
            store=Store(self.house.world.store, self.house.world.clock, self.house.world.ids),
            sqs=self.sqs,
            queues={name: QueuePair(urls[name], dead[name]) for name in names},
            invoke=self._invoke,
            inquire_status="inquire_status",
            publish_events="publish_events",
            secret=one_secret(FakeSecretsManager(self.house.world.clock).client, "secret"),
            outside=Outside(RequestsTransport(), self.house.world.clock.sleep),
            pages=partial(read_pages, Scannable(self.house.world.store)),
        )

    def _invoke(self, name: str, event: Mapping[str, object]) -> Mapping[str, object]:
        if name not in ("inquire_status", "publish_events"):
            raise OpsError(name)
        self.invoked.append(name)
        return self.house.invoke(name, event, seconds=60)

    def put(self, url: str, *bodies: object) -> None:
        """Put messages into a queue."""
        for body in bodies:
            self.sqs.send_message(QueueUrl=url, MessageBody=json.dumps(body))

    def bodies(self, url: str) -> list[str]:
        """What a queue holds, taken out."""
        found: list[str] = []
        while messages := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            found.extend(message["Body"] for message in messages)
        return found

    def pay(self, amount: str = "10000.00", ref: str = REF) -> None:
        """Link, and make a payment."""
        binding = self.house.link(phone=PHONE)
        body = payment_body(binding, partnerReferenceNo=ref, amount={"value": amount, "currency": "IDR"})
        answer = self.house.call("make_payment", body)
        assert answer.status in (201, 202), answer.text
        self.house.world.pump()


@pytest.fixture
def desk() -> Iterator[Desk]:
    """One stack with nothing in it."""
    with mock_aws(), House().open() as house:
        yield Desk(house, boto3.Session(region_name=REGION).client("sqs"))
