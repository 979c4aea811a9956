"""A function that was frozen between two invocations: AWS has ended its kept connections, and nobody notices."""

import boto3
import pytest

from direct_debit.adapters.aws import AwsClients
from direct_debit.adapters.dynamodb.client import Store
from direct_debit.adapters.sqs import SqsQueue
from tests.aws_rules.frozen_environments import IdleEndingServer, Thaw
from tests.fakes.clock import FakeClock
from tests.fakes.ids import SeededIds
from tests.patience import PATIENCE_SECONDS


@pytest.mark.parametrize("thaw", Thaw)
def test_what_is_asked_after_the_thaw_is_answered(thaw: Thaw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    session = boto3.Session(region_name="ap-southeast-3", aws_access_key_id="x", aws_secret_access_key="x")
    with IdleEndingServer(thaw).serving() as server:
        aws = AwsClients(session.client, server.url)
        store = Store(aws.dynamodb, FakeClock(), SeededIds())
        for number in range(3):
            assert store.get("t", {"pk": {"S": "a"}, "sk": {"S": "s"}}) is None
            if thaw is Thaw.ENDED:
                assert server.ended.acquire(timeout=PATIENCE_SECONDS)
            assert server.requests == number + 1
        SqsQueue(aws.sqs, server.url + "/q").send({"ref": "r1"})
        SqsQueue(aws.sqs, server.url + "/q").send({"ref": "r1"})
        assert server.requests == 5
        assert server.connections == 5  # none served twice
