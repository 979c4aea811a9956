"""The receiver of the local stack: takes what is signed with its key, and says what it took."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from urllib.parse import urljoin

import pytest
import requests
from standardwebhooks import Webhook

from tests.patience import PATIENCE_SECONDS
from tools.local_cloud.webhook_receiver import WebhookReceiver, new_key, webhook_receiver

BODY = json.dumps({"type": "payment.paid", "timestamp": "x", "data": {"partnerReferenceNo": "R1"}})


def post(receiver: WebhookReceiver, key: str | None = None, identity: str = "R1:5", path: str = "") -> int:
    now = datetime.now(UTC)
    headers = {
        "webhook-id": identity,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(key or receiver.key).sign(identity, now, BODY),
    }
    return requests.post(receiver.url + path, data=BODY, headers=headers, timeout=PATIENCE_SECONDS).status_code


def test_what_is_signed_is_taken_and_shown() -> None:
    with webhook_receiver() as receiver:
        assert [post(receiver), post(receiver), post(receiver, identity="R1:6")] == [204, 204, 204]
        assert [(one.id, one.name) for one in receiver.of("R1")] == [("R1:5", "payment.paid"), ("R1:6", "payment.paid")]
        assert receiver.of("R2") == []
        shown = requests.get(urljoin(receiver.url, "/"), timeout=PATIENCE_SECONDS).json()
        assert shown == [json.loads(BODY)] * 3
        assert requests.get(urljoin(receiver.url, "/key"), timeout=PATIENCE_SECONDS).json() == {"key": receiver.key}


def test_what_is_forged_is_refused_and_counted() -> None:
    with webhook_receiver() as receiver:
        assert post(receiver, new_key()) == 401
        assert requests.post(receiver.url, data=BODY, timeout=PATIENCE_SECONDS).status_code == 401
        assert (receiver.received, receiver.forged) == ([], 2)


def test_another_path_is_not_found() -> None:
    with webhook_receiver() as receiver:
        assert post(receiver, path="/other") == 404
        assert receiver.received == []


@pytest.mark.parametrize("status", [301, 500])
def test_while_it_is_told_to_refuse_it_takes_nothing(status: int) -> None:
    with webhook_receiver() as receiver:
        receiver.answer_with(status)
        # A redirect without a place to go to is an answer as any other.
        assert post(receiver) == status
        assert (receiver.received, receiver.refused) == ([], 1)
        receiver.answer_with(200)
        assert post(receiver) == 200
        assert len(receiver.received) == 1


def test_while_it_hangs_it_answers_nobody() -> None:
    with webhook_receiver() as receiver, ThreadPoolExecutor(1) as pool:
        with receiver.hanging():
            posted = pool.submit(post, receiver)
            while receiver.held == 0:
                assert not posted.done()
            assert receiver.received == []
        assert posted.result(PATIENCE_SECONDS) == 204
        assert len(receiver.received) == 1


def test_nothing_listens_afterwards() -> None:
    with webhook_receiver() as receiver:
        pass
    with pytest.raises(requests.ConnectionError):
        post(receiver)
