"""Give a dead-letter queue's messages back to their queue: send, then delete.

Safe at any time and any number of times: a message only says which record to look at, and the worker does what the
record says. Dying between the two steps leaves a message twice, which changes nothing.
"""

from tools.ops.failure import OpsError
from tools.ops.queues import peek, read_depth, take
from tools.ops.report import Report
from tools.ops.system import QueuePair, System


def redrive(queue: str, system: System, *, dry_run: bool = False) -> Report:
    """Redrive one queue; with `dry_run` only show what would be given back."""
    pair = _find(queue, system)
    if dry_run:
        with peek(system.sqs, pair.dead_url) as held:
            messages = [{"id": message.id, "body": message.body} for message in held]
        lines = [f"{message['id']}  {message['body']}" for message in messages]
        return Report(
            {"queue": queue, "dryRun": True, "messages": messages}, [*lines, f"{len(lines)} would be redriven"]
        )
    moved = []
    for message in take(system.sqs, pair.dead_url):
        system.sqs.send_message(QueueUrl=pair.url, MessageBody=message.body)
        system.sqs.delete_message(QueueUrl=pair.dead_url, ReceiptHandle=message.receipt)
        moved.append(message.id)
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
    with peek(system.sqs, pair.dead_url) as held:
        found = next((message for message in held if message.id == message_id), None)
        if found is None:
            raise OpsError(f"no message {message_id} among the {len(held)} of the {queue} dead-letter queue")
        system.sqs.delete_message(QueueUrl=pair.dead_url, ReceiptHandle=found.receipt)
        held.remove(found)
    return Report({"queue": queue, "discarded": found.id, "body": found.body}, [f"discarded {found.id}: {found.body}"])


def _find(queue: str, system: System) -> QueuePair:
    pair = system.queues.get(queue)
    if pair is None:
        raise OpsError(f"there is no queue {queue}; there are {', '.join(system.queues)}")
    return pair
