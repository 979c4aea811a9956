"""What a customer's life tells others, on the deployed stack: by the bus and by webhooks, as the catalogue promises."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from signal import SIGINT
from threading import Thread
from typing import IO, Any

import pytest

from tests.e2e.shop import Shop, new_ref, wait_for
from tests.fakes.event_contract import find_fault
from tools.local_cloud.env_file import env_file
from tools.local_cloud.stack import LocalStack

pytestmark = pytest.mark.e2e

LIFE = ["payment.otp_pending", "payment.paid", "refund.requested", "payment.refunded", "refund.completed"]


def read_lines(stream: IO[str], lines: Queue[str]) -> None:
    for line in stream:
        lines.put(line)


@pytest.fixture
def watching(stack: LocalStack, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """`make watch-events ARGS=--json`, from when it listens on."""
    with env_file(stack, tmp_path / "env.json") as file:
        command = [sys.executable, "-m", "tools.watch_events", "--json", "--env-file", str(file)]
        with subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stderr is not None
            assert "Ctrl-C ends it" in process.stderr.readline()
            yield process
            process.kill()


def test_each_event_of_a_life_is_printed_and_delivered_as_promised(
    stack: LocalStack, watching: subprocess.Popen[str]
) -> None:
    lines: Queue[str] = Queue()
    assert watching.stdout is not None
    Thread(target=read_lines, args=(watching.stdout, lines), daemon=True).start()
    shop, ref = Shop(stack), new_ref()
    binding = shop.link()
    shop.pay(binding, ref)
    shop.verify(ref)
    shop.wait_for_state(ref, "PAID")
    shop.insist("POST", f"/payments/{ref}/refund", {})
    seen: dict[str, Any] = {}

    def all_came() -> bool:
        while not lines.empty():
            envelope = json.loads(lines.get())
            if envelope["detail"].get("partnerReferenceNo") == ref:
                seen[envelope["detail-type"]] = envelope["detail"]
        return set(seen) >= set(LIFE)

    wait_for("all events of the payment", all_came)
    assert [fault for name, detail in seen.items() if (fault := find_fault(name, detail))] == []
    assert sorted(seen, key=lambda name: seen[name]["recordVersion"]) == sorted(LIFE, key=LIFE.index)
    webhooks = stack.webhooks
    wait_for("all webhooks of the payment", lambda: {one.name for one in webhooks.of(ref)} >= set(LIFE))
    assert {one.name: one.data for one in webhooks.of(ref)} == seen
    assert {one.id for one in webhooks.of(ref)} == {detail["eventId"].replace(".", "~") for detail in seen.values()}
    wait_for("the link's webhook", lambda: "binding.activated" in [one.name for one in webhooks.of(binding)])
    assert webhooks.forged == 0
    watching.send_signal(SIGINT)
    assert watching.wait() == 0
    rules = stack.cloud.events().list_rules(EventBusName=stack.outputs["EventBusName"], NamePrefix="watch-")["Rules"]
    assert rules == []
    assert stack.cloud.sqs().list_queues(QueueNamePrefix="watch-").get("QueueUrls", []) == []


def test_a_receiver_that_hangs_holds_up_nobody(stack: LocalStack) -> None:
    """A payment is made, notified of and refunded meanwhile; then each of its webhooks comes, under one id."""
    shop, ref, webhooks = Shop(stack), new_ref(), stack.webhooks
    binding = shop.link()
    held = webhooks.held
    with webhooks.hanging():
        shop.pay(binding, ref)
        wait_for("a webhook to hang", lambda: webhooks.held > held)
        shop.verify(ref)
        shop.wait_for_state(ref, "PAID")
        shop.insist("POST", f"/payments/{ref}/refund", {})
        shop.wait_for_state(ref, "REFUNDED")
        assert webhooks.of(ref) == []
    wait_for("its webhooks", lambda: {one.name for one in webhooks.of(ref)} >= set(LIFE))
    assert sorted(one.name for one in webhooks.of(ref)) == sorted(LIFE)
