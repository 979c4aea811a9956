"""The convention's public libraries, of PyPI and of npm, verify what the shipped worker sends; and refuse the rest."""

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from direct_debit.adapters.webhook_keys import parse_webhook_keys
from direct_debit.application.webhooks.sign_webhook import sign_webhook
from tests.fakes.clock import FakeClock
from tests.fakes.webhooks import Mailbox
from tests.unit.application.webhooks.test_deliver_webhook import event
from tools.node import find_node, install_packages

ROOT = Path(__file__).parents[3]
PACKAGES = ROOT / ".tools" / "standardwebhooks"
HERE = Path(__file__).parent


def written(key: bytes) -> str:
    return "whsec_" + base64.b64encode(key).decode()


NEW, OLD, OTHER = written(b"\xfbnew" * 8), written(b"\xffold" * 8), written(b"somebody-else's " * 2)


@dataclass(frozen=True)
class Sent:
    """What a receiver gets, and the key that it has."""

    key: str
    headers: Mapping[str, str]
    body: str


def send(*keys: str, at: datetime | None = None) -> Sent:
    """Have the worker send an event, signed with these keys, at a real time: the libraries look at their clock."""
    mailbox = Mailbox(keys=lambda: parse_webhook_keys(" ".join(keys)), clock=FakeClock(at or datetime.now(UTC)))
    mailbox.publish(event())
    mailbox.run()
    (request,) = mailbox.requests
    return Sent(keys[0], dict(request.headers), request.body.decode())


def cases() -> dict[str, tuple[Sent, bool]]:
    """What is sent, and whether a receiver has to take it."""
    right, both = send(NEW), send(NEW, OLD)
    changed = right.body.replace("PAID", "FAILED")
    return {
        "right": (right, True),
        "rotation, the receiver has the new key": (replace(both, key=NEW), True),
        "rotation, the receiver has the old key": (replace(both, key=OLD), True),
        "another key": (replace(right, key=OTHER), False),
        "rotation, a third key": (replace(both, key=OTHER), False),
        "another body": (replace(right, body=changed), False),
        "another id": (replace(right, headers={**right.headers, "webhook-id": "INV~2:5:payment~paid"}), False),
        "another time": (
            replace(right, headers={**right.headers, "webhook-timestamp": str(int(datetime.now(UTC).timestamp()) - 9)}),
            False,
        ),
        "played again later": (send(NEW, at=datetime.now(UTC) - timedelta(minutes=6)), False),
        "no signature": (replace(right, headers={**right.headers, "webhook-signature": ""}), False),
    }


@pytest.mark.parametrize("case", cases())
def test_pythons(case: str) -> None:
    sent, is_taken = cases()[case]
    if is_taken:
        assert Webhook(sent.key).verify(sent.body, dict(sent.headers))["type"] == "payment.paid"
        return
    with pytest.raises(WebhookVerificationError):
        Webhook(sent.key).verify(sent.body, dict(sent.headers))


def test_nodes() -> None:
    PACKAGES.mkdir(parents=True, exist_ok=True)
    for file in (ROOT / "requirements" / "standardwebhooks").iterdir():
        shutil.copy(file, PACKAGES)
    install_packages(PACKAGES)
    made = cases()
    given = [{"key": sent.key, "headers": dict(sent.headers), "body": sent.body} for sent, _ in made.values()]
    done = subprocess.run(
        [find_node(), HERE / "verify.mjs", PACKAGES / "package.json"],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=True,
    )
    expected = ["payment.paid" if is_taken else "WebhookVerificationError" for _, is_taken in made.values()]
    assert dict(zip(made, json.loads(done.stdout), strict=True)) == dict(zip(made, expected, strict=True))


def test_the_example_of_the_page_is_right() -> None:
    page = (ROOT / "docs" / "webhooks.md").read_text("utf-8")
    headers = dict(re.findall(r"^(webhook-[a-z]+): (.+)$", page, re.MULTILINE))
    (key,) = re.findall(r"key `(whsec_[A-Za-z0-9+/=]+)`", page)
    (body,) = re.findall(r'^\{"type".*\}$', page, re.MULTILINE)
    timestamp = int(headers["webhook-timestamp"])
    signature = sign_webhook(parse_webhook_keys(key), headers["webhook-id"], timestamp, body.encode())
    assert headers["webhook-signature"] == signature
    assert signature == Webhook(key).sign(headers["webhook-id"], datetime.fromtimestamp(timestamp, UTC), body)
    assert datetime.fromisoformat(json.loads(body)["timestamp"]).timestamp() == timestamp
