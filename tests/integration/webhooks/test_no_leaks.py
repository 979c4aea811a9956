"""Keys, signatures, bodies, the address's own secrets and what the receiver says: in no log line, metric or row."""

import base64
import io
import json
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random

import boto3
import pytest
from botocore.stub import Stubber

from direct_debit.adapters.aws.botocore_clients import BotocoreClients
from direct_debit.adapters.webhook_keys import SecretsManagerWebhookKeys
from direct_debit.adapters.webhook_receiver import HttpWebhookReceiver
from direct_debit.application.ports.webhooks import WebhookAnswer, WebhookReceiver
from direct_debit.application.webhooks.deliver_webhook import WebhookPorts
from direct_debit.entrypoint import webhooks as door
from direct_debit.entrypoint.observability import Observability
from direct_debit.entrypoint.webhooks import WebhookServices
from tests.fakes.clock import FakeClock
from tests.fakes.ids import SeededIds
from tests.fakes.webhooks import Mailbox, MemoryLog
from tests.integration.doku_snap.faulty_server import Behaviour, FaultyServer, respond, serving
from tests.integration.handlers.house import Context
from tests.patience import PATIENCE_SECONDS
from tests.unit.application.webhooks.test_deliver_webhook import event

KEY = b"canary-key-of-the-webhooks!!!!!!"
WRITTEN = "whsec_" + base64.b64encode(KEY).decode()
IN_THE_URL = "canary-in-the-url"
CUSTOMER = "CANARY-CUSTOMER"
SAID = "canary-said-by-the-receiver"
CANARIES = ("canary", "CANARY", WRITTEN, WRITTEN.removeprefix("whsec_"), "v1,")

_NUMBERS = count()


@dataclass
class Worker:
    """The shipped door over a receiver of the test's choice, with everything that it writes."""

    receiver: WebhookReceiver
    secret: str = WRITTEN
    log: MemoryLog = field(default_factory=MemoryLog)
    lines: io.StringIO = field(default_factory=io.StringIO)
    kept: Mailbox = field(default_factory=Mailbox)

    def take(self, body: str) -> bool:
        """Have it take a message; return whether it is done with."""
        client = BotocoreClients(boto3.Session("-", "-", region_name="ap-southeast-3").client).secrets
        observability = Observability(
            service=f"webhooks-{next(_NUMBERS)}", level="DEBUG", namespace="Test", stream=self.lines
        )
        with Stubber(client) as stub:
            for _ in ("AWSCURRENT", "AWSPREVIOUS"):
                stub.add_response("get_secret_value", {"SecretString": self.secret})
            clock = FakeClock()
            ports = WebhookPorts(
                clock=clock,
                ids=SeededIds(Random(7)),  # noqa: S311 - a test's chance has to repeat
                receiver=self.receiver,
                keys=SecretsManagerWebhookKeys(client, "secret", clock, observability),
                log=self.log,
                telemetry=observability,
            )
            record = {"messageId": "m", "receiptHandle": "r", "body": body}
            with door.install(WebhookServices(ports, self.kept, observability)):
                answer = door.open_webhook_door("deliver_webhook")({"Records": [record]}, Context())
        return answer == {"batchItemFailures": []}


def message() -> str:
    paid = event()
    detail = {**paid.to_json(), "customerId": CUSTOMER}
    return json.dumps({"source": "direct-debit", "detail-type": paid.name, "detail": detail})


def echo(connection: socket.socket, server: FaultyServer) -> None:
    """Says in every part of its answer what it was sent."""
    connection.sendall(respond(f"401 {SAID}", server.requests[-1], f"X-Said: {SAID}", f"Location: https://{SAID}/"))
    connection.shutdown(socket.SHUT_RDWR)


def no_http(connection: socket.socket, server: FaultyServer) -> None:
    connection.sendall(SAID.encode() + b"\r\n" + server.requests[-1])
    connection.shutdown(socket.SHUT_RDWR)


class Defective:
    """A defect whose text holds all that was sent."""

    def post(self, headers: Mapping[str, str], body: bytes) -> WebhookAnswer:
        raise RuntimeError(f"{dict(headers)} {body.decode()}")


def check(worker: Worker, capsys: pytest.CaptureFixture[str], wanted: Sequence[str]) -> None:
    printed = capsys.readouterr()
    lines = worker.lines.getvalue() + printed.out + printed.err
    assert [text for text in wanted if text not in lines] == []
    assert [canary for canary in CANARIES if canary in lines + repr(worker.log.tries)] == []


@pytest.mark.parametrize("behave", [echo, no_http], ids=["echo", "no HTTP"])
def test_what_the_receiver_says_and_what_it_was_sent(behave: Behaviour, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(behave) as server:
        url = f"{server.url}/hooks/{IN_THE_URL}?token={IN_THE_URL}"
        worker = Worker(HttpWebhookReceiver(url, PATIENCE_SECONDS, private_networks=True))
        assert not worker.take(message())
        (request,) = server.requests
    # All of it was in the request that the receiver has sent back.
    for canary in (IN_THE_URL, CUSTOMER, "v1,"):
        assert canary in request.decode()
    check(worker, capsys, ["webhook not taken", "WebhookFailed", "INV.1"])


def test_an_unusable_key_and_a_message_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    worker = Worker(Defective(), secret=f"{WRITTEN} canary-canary-canary")
    assert not worker.take(message())
    check(worker, capsys, ["SecretUnusable", "key 2 is not whsec_ and base64"])
    assert worker.take('{"canary": "' + CUSTOMER)
    assert worker.take(message().replace("payment.paid", "").replace("2026", CUSTOMER))
    check(worker, capsys, ["message can not be read", "PoisonedMessage"])
    assert len(worker.kept.dead) == 2


def test_a_defect_hides_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    worker = Worker(Defective())
    assert not worker.take(message())
    check(worker, capsys, ["message not handled", "RuntimeError", "PoisonedMessage"])
