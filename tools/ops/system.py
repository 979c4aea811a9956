"""The deployed system, found by its stack's name.

Table names, queues and settings are those of the deployed ResolvePending function, so that these tools never speak of
another system than the one that runs. The secret is read by the commands that are about it only.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Protocol, Unpack, cast

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from direct_debit.adapters.aws.botocore_clients import BotocoreClients
from direct_debit.adapters.dynamodb.client import Store
from direct_debit.adapters.dynamodb.inbox import INBOX_KIND, read_inbox_item
from direct_debit.adapters.dynamodb.items import Item, instant, text
from direct_debit.adapters.dynamodb.webhook_log import DynamoDbWebhookLog
from direct_debit.application.ports.inbox import InboxItem
from direct_debit.application.ports.ports import Ports
from direct_debit.application.ports.webhooks import WebhookLog
from direct_debit.entrypoint.container import build
from direct_debit.entrypoint.settings import ConfigurationError, Environment, read_environment
from doku_snap.transport import RequestsTransport
from tools.ops.failure import OpsError
from tools.ops.outside import Outside
from tools.ops.stack_secret import StackSecret, one_secret, three_secrets
from tools.secret_fields import FIELDS, Part

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import ScanInputTypeDef
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

# A worker may take its whole minute.
_CONFIG = Config(connect_timeout=5, read_timeout=70, retries={"mode": "standard", "total_max_attempts": 3})

PAGE = 250
"""Items that are read at once: some hundred kilobytes, and a hundred read units of the table."""

type Invoke = Callable[[str, Mapping[str, object]], Mapping[str, object]]
"""Calls a function by name with an event and returns its answer. Raises OpsError."""


@dataclass(frozen=True, slots=True)
class QueuePair:
    """A queue and its dead-letter queue, by URL."""

    url: str
    dead_url: str


type Pages = Callable[[str], Iterator[Sequence[Item]]]
"""Yields all items of a table, a page at a time, as they stand when the page is read."""


type Scan = Callable[[str, datetime, datetime], Iterator[Item]]
"""Yields the items of a table whose `at` is in a range of time, its end not included: (table, begin, end)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookPart:
    """What there is where webhooks are sent."""

    log: WebhookLog
    log_table: str
    queue_url: str
    scan: Scan


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """What the commands work with. `store` is for what only operators read; all else goes through the ports."""

    name: str
    environment: Environment
    ports: Ports
    store: Store
    sqs: "SQSClient"
    queues: Mapping[str, QueuePair]  # notification, refund, inquiry, and webhook where there are any
    invoke: Invoke
    inquire_status: str
    publish_events: str
    secret: StackSecret
    outside: Outside
    pages: Pages
    other_secret: StackSecret | None = None  # of the other layout, while the stack changes from one to the other
    webhooks: WebhookPart | None = None
    list_notices: Callable[[], Iterator[InboxItem]] | None = None  # reads the whole table


def find_system(stack: str, *, endpoint: str | None = None, region: str | None = None) -> System:
    """Find a deployed stack. Raises OpsError, and botocore's errors when AWS refuses or does not answer."""
    session = boto3.Session(region_name=region)
    outputs = _read_outputs(session, stack, endpoint)
    functions = session.client("lambda", endpoint_url=endpoint, config=_CONFIG)
    environment = _read_configuration(functions, _output(outputs, "ResolvePendingAlias", stack))
    aws = BotocoreClients(session.client, endpoint)
    try:
        ports = build(environment, aws).ports
    except ConfigurationError as error:
        raise OpsError(f"the deployed configuration is wrong: {error}") from None
    store = Store(aws.dynamodb, ports.clock, ports.ids)
    webhooks = _find_webhooks(functions, outputs, aws, store)
    secret, other_secret = _find_secrets(
        session.client("secretsmanager", endpoint_url=endpoint, config=_CONFIG), environment, outputs
    )
    return System(
        name=stack,
        environment=environment,
        ports=ports,
        store=store,
        sqs=session.client("sqs", endpoint_url=endpoint, config=_CONFIG),
        queues={
            "notification": QueuePair(
                environment.notification_queue_url, _output(outputs, "NotificationQueueDeadUrl", stack)
            ),
            "refund": QueuePair(environment.refund_retry_queue_url, _output(outputs, "RefundRetryQueueDeadUrl", stack)),
            "inquiry": QueuePair(
                environment.status_inquiry_queue_url, _output(outputs, "StatusInquiryQueueDeadUrl", stack)
            ),
            **({"webhook": QueuePair(webhooks.queue_url, outputs["WebhookQueueDeadUrl"])} if webhooks else {}),
        },
        invoke=_invoker(functions),
        inquire_status=_output(outputs, "InquireStatusAlias", stack),
        publish_events=_output(outputs, "PublishEventsAlias", stack),
        secret=secret,
        other_secret=other_secret,
        outside=Outside(RequestsTransport(), time.sleep),
        pages=partial(read_pages, cast("DynamoDBClient", aws.dynamodb)),
        webhooks=webhooks,
        list_notices=partial(list_notices, cast("DynamoDBClient", aws.dynamodb), environment.transactions_table),
    )


def _find_secrets(
    client: "SecretsManagerClient", environment: Environment, outputs: Mapping[str, str]
) -> tuple[StackSecret, StackSecret | None]:
    """Return the secret that the functions read, and that of the other layout where there is one."""
    if environment.has_one_secret:
        ids = {part: outputs.get(f"{part.capitalize()}SecretId", "") for part in FIELDS}
        other = three_secrets(client, ids) if all(ids.values()) else None
        return one_secret(client, environment.data_secret_id), other
    read: Mapping[Part, str] = {
        "inbound": environment.inbound_secret_id,
        "signing": environment.signing_secret_id,
        "data": environment.data_secret_id,
    }
    whole = outputs.get("DokuSecretId")
    return three_secrets(client, read), None if whole is None else one_secret(client, whole)


def _find_webhooks(
    functions: "LambdaClient", outputs: Mapping[str, str], aws: BotocoreClients, store: Store
) -> WebhookPart | None:
    alias = outputs.get("DeliverWebhookAlias")
    if alias is None:
        return None
    found = functions.get_function_configuration(FunctionName=alias).get("Environment", {}).get("Variables", {})
    table = found["WEBHOOK_LOG_TABLE"]
    return WebhookPart(
        log=DynamoDbWebhookLog(store, table),
        log_table=table,
        queue_url=found["WEBHOOK_QUEUE_URL"],
        scan=partial(scan_times, cast("DynamoDBClient", aws.dynamodb)),
    )


def scan_times(client: "DynamoDBClient", table: str, begin: datetime, end: datetime) -> Iterator[Item]:
    """See `Scan`. A page at a time, whatever the table's size."""
    pages = client.get_paginator("scan").paginate(
        TableName=table,
        FilterExpression="#at >= :begin AND #at < :end",
        ExpressionAttributeNames={"#at": "at"},
        ExpressionAttributeValues={":begin": instant(begin), ":end": instant(end)},
    )
    for page in pages:
        yield from cast("list[Item]", page["Items"])


class Scanning(Protocol):
    """What is used of boto3's client to read a whole table."""

    def scan(self, **kwargs: Unpack["ScanInputTypeDef"]) -> Mapping[str, object]:
        """Read a page."""
        ...


def read_pages(client: Scanning, table: str) -> Iterator[Sequence[Item]]:
    """See `Pages`. Consistent: what was written before a page is read is in it, unless it stands on one before."""
    request: ScanInputTypeDef = {"TableName": table, "Limit": PAGE, "ConsistentRead": True}
    while True:
        answer = client.scan(**request)
        yield cast("Sequence[Item]", answer["Items"])
        last = cast("Item | None", answer.get("LastEvaluatedKey"))
        if not last:
            return
        request = {**request, "ExclusiveStartKey": last}


def list_notices(client: "DynamoDBClient", table: str) -> Iterator[InboxItem]:
    """Yield all notifications that are stored, a page at a time."""
    pages = client.get_paginator("scan").paginate(
        TableName=table,
        FilterExpression="#kind = :kind",
        ExpressionAttributeNames={"#kind": "kind"},
        ExpressionAttributeValues={":kind": text(INBOX_KIND)},
    )
    for page in pages:
        yield from map(read_inbox_item, cast("list[Item]", page["Items"]))


def _read_outputs(session: boto3.Session, stack: str, endpoint: str | None) -> Mapping[str, str]:
    cloudformation = session.client("cloudformation", endpoint_url=endpoint, config=_CONFIG)
    try:
        found = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        found = []
    if not found:
        raise OpsError(f"there is no stack {stack} in this account and region; name it by --stack and --region")
    return {output["OutputKey"]: output["OutputValue"] for output in found[0].get("Outputs", [])}


def _output(outputs: Mapping[str, str], name: str, stack: str) -> str:
    value = outputs.get(name)
    if value is None:
        raise OpsError(f"the stack {stack} has no output {name}: it is another application, or an older deployment")
    return value


def _read_configuration(functions: "LambdaClient", alias: str) -> Environment:
    configuration = functions.get_function_configuration(FunctionName=alias)
    try:
        return read_environment(configuration.get("Environment", {}).get("Variables", {}))
    except ConfigurationError as error:
        raise OpsError(f"the deployed configuration is wrong: {error}") from None


def _invoker(functions: "LambdaClient") -> Invoke:
    def invoke(name: str, event: Mapping[str, object]) -> Mapping[str, object]:
        answer = functions.invoke(FunctionName=name, Payload=json.dumps(event).encode())
        document: object = json.loads(answer["Payload"].read() or b"null")
        body = document if isinstance(document, dict) else {}
        if answer.get("FunctionError"):
            raise OpsError(f"{name} failed with {body.get('errorType', 'an error')}; its log says where")
        return body

    return invoke
