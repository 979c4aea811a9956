"""Give a dead-letter queue's messages back to their queue: send, then delete.

Safe at any time and any number of times: a message only says which record to look at, and the worker does what the
record says. Dying between the two steps leaves a message twice, which changes nothing.
"""

from tools.ops.failure import OpsError
from tools.ops.queues import hold, name_record, peek, read_depth, take
from tools.ops.report import Report
from tools.ops.system import QueuePair, System


def redrive(queue: str, system: System, *, message: str | None = None, dry_run: bool = False) -> Report:
    """Redrive one queue, or one message of it by its id; with `dry_run` only show what would be given back.

    Shows ids only, never what a message says. Raises OpsError when there is no such message.
    """
    pair = _find(queue, system)
    if dry_run:
        return _foretell(queue, pair, system, message)
    moved = []
    if message is None:
        for held in take(system.sqs, pair.dead_url):
            system.sqs.send_message(QueueUrl=pair.url, MessageBody=held.body)
            system.sqs.delete_message(QueueUrl=pair.dead_url, ReceiptHandle=held.receipt)
            moved.append(held.id)
    else:
        with hold(system.sqs, pair.dead_url, message) as held:
            system.sqs.send_message(QueueUrl=pair.url, MessageBody=held.body)
            system.sqs.delete_message(QueueUrl=pair.dead_url, ReceiptHandle=held.receipt)
        moved.append(held.id)
    left = read_depth(system.sqs, pair.dead_url).all
    return Report(
        {"queue": queue, "dryRun": False, "redriven": moved, "left": left},
        [f"{len(moved)} redriven to the {queue} queue, {left} left in its dead-letter queue"],
    )


def discard(queue: str, message_id: str, system: System) -> Report:
    """Delete one message of a dead-letter queue, for one that no worker will ever be able to read.

    Its record stays and stays due: the sweep visits it without the message. Raises OpsError when it is not found.
    """
    pair = _find(queue, system)
    with hold(system.sqs, pair.dead_url, message_id) as held:
        system.sqs.delete_message(QueueUrl=pair.dead_url, ReceiptHandle=held.receipt)
    record = name_record(held.body)
    return Report({"queue": queue, "discarded": held.id, "record": record}, [f"discarded {held.id}: {record}"])


def _foretell(queue: str, pair: QueuePair, system: System, message: str | None) -> Report:
    with peek(system.sqs, pair.dead_url) as found:
        messages = [{"id": one.id, "record": name_record(one.body)} for one in found if message in (None, one.id)]
    if message is not None and not messages:
        raise OpsError(f"no message {message} in the {queue} dead-letter queue")
    lines = [f"{one['id']}  {one['record']}" for one in messages]
    return Report({"queue": queue, "dryRun": True, "messages": messages}, [*lines, f"{len(lines)} would be redriven"])


def _find(queue: str, system: System) -> QueuePair:
    pair = system.queues.get(queue)
    if pair is None:
        raise OpsError(f"there is no queue {queue}; there are {', '.join(system.queues)}")
    return pair
