"""Changes of records that could not be turned into history and events: list them, and give them to the outbox again.

What the outbox put aside names the record's key. It is given again as the record stands now: one history item and the
events of its present state; both are keyed by version, so that repeating changes nothing.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from direct_debit.adapters.dynamodb.items import Item
from tools.ops.failure import OpsError
from tools.ops.queues import Held, hold, peek, read_depth, take
from tools.ops.report import DONE, NEEDS_A_PERSON, Report, align
from tools.ops.system import System


@dataclass(frozen=True, slots=True)
class _Failure:
    """`key` is None for what Lambda itself gave up on: its message names a range of the stream, no record."""

    table: str
    key: tuple[str, str] | None
    error: str


def stream_failures(system: System, *, redrive: bool = False) -> Report:
    """List the failure queue, or give each record to the outbox again and delete what it took."""
    url = system.environment.stream_failure_queue_url
    if redrive:
        return _redrive(system, url)
    with peek(system.sqs, url) as held:
        found = [(message, _read(message.body)) for message in held]
    facts = {
        "failures": [
            {
                "id": message.id,
                "table": failure.table,
                "pk": failure.key[0] if failure.key else None,
                "sk": failure.key[1] if failure.key else None,
                "error": failure.error,
            }
            for message, failure in found
        ]
    }
    if not found:
        return Report(facts, ["no stream failures"])
    rows = [("message", "table", "record", "error")]
    rows.extend(
        (message.id, failure.table, failure.key[0] if failure.key else "not named", failure.error)
        for message, failure in found
    )
    return Report(facts, align(rows), NEEDS_A_PERSON)


def discard_failure(message_id: str, system: System) -> Report:
    """Delete one message of the failure queue, one that names no record of this stack.

    Raises OpsError for one that does (it can be given to the outbox), and when it is not found.
    """
    with hold(system.sqs, system.environment.stream_failure_queue_url, message_id) as held:
        if _key_of(_read(held.body), system) is not None:
            raise OpsError(f"{message_id} names a record of this stack: mend the cause, then stream-failures --redrive")
        system.sqs.delete_message(QueueUrl=system.environment.stream_failure_queue_url, ReceiptHandle=held.receipt)
    return Report({"discarded": held.id}, [f"discarded {held.id}: it names no record of this stack"])


def _redrive(system: System, url: str) -> Report:
    done: list[str] = []
    kept: list[str] = []
    for message in take(system.sqs, url):
        if _give_again(message, system):
            system.sqs.delete_message(QueueUrl=url, ReceiptHandle=message.receipt)
            done.append(message.id)
        else:
            system.sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message.receipt, VisibilityTimeout=0)
            kept.append(message.id)
    left = read_depth(system.sqs, url).all
    lines = [f"{len(done)} given to the outbox again, {left} in the failure queue now"]
    if kept:
        lines.append(f"{len(kept)} name no record of this stack: read the stream's range they name within a day")
    return Report({"redriven": done, "kept": kept, "left": left}, lines, NEEDS_A_PERSON if left else DONE)


def _give_again(message: Held, system: System) -> bool:
    failure = _read(message.body)
    key = _key_of(failure, system)
    if key is None:
        return False
    item = system.store.get(failure.table.rpartition("/")[2], key)
    if item is None:
        return True  # a record is never deleted; a marker has no news
    record = {
        "eventID": f"ops-{message.id}",
        "eventName": "MODIFY",
        "eventSourceARN": f"{failure.table}/stream/ops",
        "dynamodb": {"Keys": key, "NewImage": item, "SequenceNumber": message.id},
    }
    answer = system.invoke(system.publish_events, {"Records": [record]})
    return not answer.get("batchItemFailures")


def _key_of(failure: _Failure, system: System) -> Item | None:
    """Return the key of the record that a failure names; None when it is no record of this stack."""
    table = failure.table.rpartition("/")[2]
    if failure.key is None or table not in (system.environment.bindings_table, system.environment.transactions_table):
        return None
    return {"pk": {"S": failure.key[0]}, "sk": {"S": failure.key[1]}}


def _read(body: str) -> _Failure:
    try:
        document: object = json.loads(body)
    except ValueError:
        return _Failure("", None, "not JSON: nothing of ours")
    fields: Mapping[str, object] = document if isinstance(document, dict) else {}
    key, sort = fields.get("pk"), fields.get("sk")
    if isinstance(key, str) and isinstance(sort, str):
        return _Failure(str(fields.get("table", "")), (key, sort), str(fields.get("error", "")))
    return _Failure("", None, "given up on by Lambda")
