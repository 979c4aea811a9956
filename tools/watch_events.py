"""Prints each event of the stack of a running `make run` as it happens, until Ctrl-C.

make watch-events               # one line each: when, which, of what, its state
make watch-events ARGS=--json   # the whole event, one JSON document a line

It listens as a merchant's system would: a rule on the bus with a queue behind it, both of them gone afterwards.
"""

import argparse
import contextlib
import json
import secrets
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from tools.invoke.running_stack import read_running_stack
from tools.local_cloud.aws import Cloud
from tools.local_cloud.env_file import ENV_FILE
from tools.local_cloud.failure import LocalCloudError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

SOURCE = "direct-debit"

type Envelope = Mapping[str, object]


@contextlib.contextmanager
def listen(cloud: Cloud, bus: str) -> Iterator[Callable[[], list[Envelope]]]:
    """Listen to a bus: yields what returns the events that came since the last call, waiting a second for one.

    Nothing that came before is among them. Rule and queue go at the end.
    """
    name = f"watch-{secrets.token_hex(4)}"
    sqs, events = cloud.sqs(), cloud.events()
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    try:
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps({"source": [SOURCE]}))
        try:
            events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "watch", "Arn": arn}])
            yield lambda: _take(sqs, url)
        finally:
            events.remove_targets(Rule=name, EventBusName=bus, Ids=["watch"])
            events.delete_rule(Name=name, EventBusName=bus)
    finally:
        sqs.delete_queue(QueueUrl=url)


def _take(sqs: "SQSClient", url: str) -> list[Envelope]:
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
    messages = answer.get("Messages", [])
    for message in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(message["Body"]) for message in messages]


def write_line(envelope: Envelope) -> str:
    """Return an event as a line for eyes: when, which, of what, state, and what there is more to say of it."""
    detail = envelope["detail"]
    if not isinstance(detail, dict):
        raise TypeError("an event without a detail")
    subject = detail.get("partnerReferenceNo") or detail.get("bindingId")
    facts = [f"{subject}  {detail.get('state')}"]
    if "amount" in detail:
        facts.append(f"{detail['amount']} {detail['currency']}")
    facts += [str(detail[name]) for name in ("reason", "responseCode") if detail.get(name)]
    facts.append(f"v{detail.get('recordVersion')}")
    moment = str(detail.get("occurredAt"))[11:19]
    return f"{moment}  {envelope['detail-type']:<24} {'  '.join(facts)}"


def main() -> int:
    """Watch until Ctrl-C; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the whole event, one JSON document a line")
    parser.add_argument("--env-file", type=Path, default=ENV_FILE, help=argparse.SUPPRESS)
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        _watch(options.env_file, as_json=options.json)
    except LocalCloudError as error:
        print(error, file=sys.stderr)
        return 1
    except (BotoCoreError, ClientError):
        print("the stack of `make run` does not answer any more", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def _watch(env_file: Path, *, as_json: bool) -> None:
    variables = read_running_stack(env_file).variables
    cloud = Cloud(variables["AWS_ENDPOINT_URL"], variables["AWS_REGION"])
    with listen(cloud, variables["EVENT_BUS_NAME"]) as take:
        print("Watching the events of the running stack; Ctrl-C ends it.", file=sys.stderr, flush=True)
        while True:
            for envelope in take():
                print(json.dumps(envelope) if as_json else write_line(envelope), flush=True)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    # Once: what is tidied up afterwards is not to be interrupted by an impatient second one.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
