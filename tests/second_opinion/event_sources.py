"""Lambda's part: messages of queues and records of streams go to their functions, and are done with as these say."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

    type Invoke = Callable[[str, Mapping[str, object]], Mapping[str, object]]

_PAUSE_SECONDS = 0.2
_ACCOUNT = "123456789012"


class Streams(Protocol):
    """What is used of boto3's client for streams, which the locked stubs do not have."""

    def describe_stream(self, **request: str) -> Mapping[str, Any]:
        """Return the shards of a stream."""
        ...

    def get_shard_iterator(self, **request: str) -> Mapping[str, Any]:
        """Return where to read a shard from."""
        ...

    def get_records(self, **request: str) -> Mapping[str, Any]:
        """Return records, and where to go on."""
        ...


@dataclass(slots=True)
class EventSources:
    """Polls queues and streams, as Lambda does, and hands one record after the other to its function."""

    invoke: Invoke
    sqs: SQSClient
    streams: Streams
    queues: Mapping[str, str]  # the function of each queue, by its URL
    iterators: dict[str, str] = field(default_factory=dict)  # of each stream's shards, by its ARN

    def poll(self) -> None:
        """Hand over what there is."""
        for url, function in self.queues.items():
            found = self.sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=360, MessageSystemAttributeNames=["All"]
            )
            for message in found.get("Messages", []):
                record = {
                    "messageId": message["MessageId"],
                    "receiptHandle": message["ReceiptHandle"],
                    "body": message["Body"],
                    "attributes": message["Attributes"],
                    "eventSource": "aws:sqs",
                    "eventSourceARN": f"arn:aws:sqs:ap-southeast-3:{_ACCOUNT}:{url.rsplit('/', 1)[1]}",
                }
                answer = self.invoke(function, {"Records": [record]})
                if not answer["batchItemFailures"]:
                    self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        for arn, iterator in self.iterators.items():
            page = self.streams.get_records(ShardIterator=iterator)
            for record in page["Records"]:
                if record["dynamodb"]["Keys"]["sk"]["S"] in ("PAYMENT", "BINDING"):  # the template's filter
                    answer = self.invoke("PublishEvents", {"Records": [_stream_record(arn, record)]})
                    assert not answer["batchItemFailures"], record
            self.iterators[arn] = page["NextShardIterator"]

    @contextmanager
    def polling(self) -> Iterator[None]:
        """Poll in the background until the block ends; what went wrong is raised then."""
        ended = Event()

        def run() -> None:
            while not ended.wait(_PAUSE_SECONDS):
                self.poll()

        with ThreadPoolExecutor() as pool:
            polled = pool.submit(run)
            try:
                yield
            finally:
                ended.set()
            polled.result()


def open_streams(dynamodb: DynamoDBClient, streams: Streams, tables: Sequence[str]) -> dict[str, str]:
    """Return an iterator over each table's stream, from its beginning, by the stream's ARN."""
    iterators = {}
    for table in tables:
        arn = dynamodb.describe_table(TableName=table)["Table"]["LatestStreamArn"]
        (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        opened = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
        iterators[arn] = opened["ShardIterator"]
    return iterators


def _stream_record(arn: str, record: Mapping[str, Any]) -> Mapping[str, object]:
    change = dict(record["dynamodb"])
    change["ApproximateCreationDateTime"] = int(change["ApproximateCreationDateTime"].timestamp())
    return {
        "eventID": record["eventID"],
        "eventName": record["eventName"],
        "eventSource": "aws:dynamodb",
        "eventSourceARN": arn,
        "dynamodb": change,
    }
