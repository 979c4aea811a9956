"""An event as a webhook: its id, and the bytes that are signed and sent.

The form is the Standard Webhooks convention's (https://www.standardwebhooks.com): `type`, `timestamp`, `data`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from direct_debit.application.errors import InvalidRequest

_SUBJECTS = ("partnerReferenceNo", "bindingId")
_ID = re.compile(r"[!-~]{1,256}")


@dataclass(frozen=True, slots=True)
class Webhook:
    """An event to deliver: the same bytes under the same id, however often it is sent.

    `detail` is what the bus had, as compact JSON. `subject` is the payment's reference or the link's id.
    """

    name: str
    event_id: str
    subject: str
    occurred_at: str
    detail: str

    @property
    def id(self) -> str:
        """The event's id without full stops: those separate the parts of what is signed."""
        return write_webhook_id(self.event_id)

    @property
    def body(self) -> bytes:
        """What is sent."""
        start = json.dumps({"type": self.name, "timestamp": self.occurred_at}, separators=(",", ":"))
        return f'{start[:-1]},"data":{self.detail}}}'.encode()

    @property
    def is_of_link(self) -> bool:
        """Whether it tells of a link, of which no history is kept."""
        return self.name.startswith("binding.")


def write_webhook_id(event_id: str) -> str:
    """Return the `webhook-id` of an event; a reference may hold full stops, and never a tilde."""
    return event_id.replace(".", "~")


def read_event_id(written: str) -> str:
    """Return the event's id, from itself or from its `webhook-id`."""
    return written.replace("~", ".")


def read_webhook(envelope: Mapping[str, object]) -> Webhook:
    """Read an event as EventBridge hands it over. Raises InvalidRequest, which names what is missing."""
    detail = envelope.get("detail")
    if not isinstance(detail, dict):
        raise InvalidRequest("detail", "the message is no event of the bus")
    subject = next((detail[name] for name in _SUBJECTS if detail.get(name)), None)
    texts = {
        "detail-type": envelope.get("detail-type"),
        "eventId": detail.get("eventId"),
        _SUBJECTS[0]: subject,
        "occurredAt": detail.get("occurredAt"),
    }
    for name, value in texts.items():
        if not isinstance(value, str) or not value:
            raise InvalidRequest(name, f"the event has no {name}")
    name, event_id, of, occurred_at = map(str, texts.values())
    if _ID.fullmatch(event_id) is None:
        raise InvalidRequest("eventId", "the event has an eventId that no header can carry")
    if not _is_time(occurred_at):
        raise InvalidRequest("occurredAt", "the event has an occurredAt that is no time")
    return Webhook(name, event_id, of, occurred_at, json.dumps(detail, separators=(",", ":")))


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
