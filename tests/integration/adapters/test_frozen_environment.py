"""A function that was frozen between two invocations: AWS has ended its kept connections, and nobody notices."""

from collections.abc import Callable

import boto3
import pytest

from direct_debit.adapters.aws.botocore_clients import BotocoreClients
from direct_debit.adapters.aws.clients import AwsClients
from direct_debit.adapters.aws.direct_clients import DirectClients
from direct_debit.adapters.aws.endpoints import AwsPlace
from direct_debit.adapters.dynamodb.client import Store
from direct_debit.adapters.sqs import SqsQueue
from tests.aws_rules.frozen_environments import IdleEndingServer, Thaw
from tests.fakes.clock import FakeClock
from tests.fakes.ids import SeededIds
from tests.patience import PATIENCE_SECONDS


def make_direct(url: str) -> AwsClients:
    place = AwsPlace("ap-southeast-3", "amazonaws.com", "x", "x", None, url)
    return DirectClients(place, FakeClock(), SeededIds())


def make_botocore(url: str) -> AwsClients:
    session = boto3.Session(region_name="ap-southeast-3", aws_access_key_id="x", aws_secret_access_key="x")
    return BotocoreClients(session.client, url)


@pytest.mark.parametrize("make", [make_direct, make_botocore])
@pytest.mark.parametrize("thaw", Thaw)
def test_what_is_asked_after_the_thaw_is_answered(
    thaw: Thaw, make: Callable[[str], AwsClients], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with IdleEndingServer(thaw).serving() as server:
        aws = make(server.url)
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
