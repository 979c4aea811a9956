"""Messages and records that no code can read, among readable ones."""

import copy
import hashlib
from typing import Any

POISONED_PAYMENT = {"pk": {"S": "PAYMENT#POISON"}, "sk": {"S": "PAYMENT"}, "kind": {"S": "payment"}}


def with_poisoned_message(event: dict[str, Any], body: str = "not JSON") -> dict[str, Any]:
    """Return an SQS event with one message more, the last, which can not be read."""
    poison = copy.deepcopy(event["Records"][0])
    poison["messageId"] = "059f36b4-87a3-44ab-83d2-661975678599"
    poison["body"] = body
    poison["md5OfBody"] = hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()
    return {**event, "Records": [*event["Records"], poison]}


def with_poisoned_record(event: dict[str, Any]) -> dict[str, Any]:
    """Return a stream event with a record that can not be read after the first one."""
    first, *others = copy.deepcopy(event["Records"])
    poison = copy.deepcopy(first)
    poison["eventID"] += "-poison"
    poison["eventName"] = "INSERT"
    poison["dynamodb"].pop("OldImage", None)
    poison["dynamodb"] |= {
        "Keys": {"pk": POISONED_PAYMENT["pk"], "sk": POISONED_PAYMENT["sk"]},
        "NewImage": POISONED_PAYMENT,
        "SequenceNumber": first["dynamodb"]["SequenceNumber"] + "5",
    }
    return {**event, "Records": [first, poison, *others]}
