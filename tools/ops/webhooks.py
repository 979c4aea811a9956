"""What became of the webhooks, and sending them once more: one event, or all of a range of time.

Events of payments are told again from their history, which is kept for ever; those of links from what the webhooks'
log has kept of them. They go into the webhooks' queue, to nobody else, and are delivered as ever. Each has its own id
again, so a receiver that deduplicates takes none twice.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import batched
from typing import Any

from direct_debit.adapters.dynamodb.history_item import HISTORY_KIND
from direct_debit.adapters.dynamodb.items import Item, read_instant, read_text
from direct_debit.adapters.dynamodb.keys import record_id
from direct_debit.adapters.dynamodb.webhook_log import EVENT, event_key
from direct_debit.adapters.eventbridge import SOURCE
from direct_debit.application.outbox.retell import retell_payment
from direct_debit.application.webhooks.webhook import read_event_id, write_webhook_id
from tools.ops.failure import OpsError
from tools.ops.report import DONE, Report, align
from tools.ops.system import System, WebhookPart

_TOGETHER = 10  # messages in a request to SQS
_PARTS_OF_ID = 2


@dataclass(frozen=True, slots=True)
class _Event:
    id: str
    name: str
    at: datetime
    detail: Mapping[str, object]

    @property
    def message(self) -> str:
        """As the rule of the bus would put it into the queue."""
        envelope = {"source": SOURCE, "detail-type": self.name, "time": self.at.isoformat(), "detail": self.detail}
        return json.dumps(envelope, separators=(",", ":"))


def show_webhooks(subject: str, system: System) -> Report:
    """Show each try to deliver the events of a payment or a link, of the last month."""
    tries = _part(system).log.list_tries(subject)
    rows = [("when", "event", "webhook-id", "status", "failure", "ms")]
    facts = []
    for one in tries:
        answer = one.answer
        moment = one.at.isoformat(timespec="milliseconds")
        status = "-" if answer.status is None else str(answer.status)
        rows.append((moment, one.name, one.webhook_id, status, answer.failure or "taken", str(answer.milliseconds)))
        facts.append(
            {
                "at": moment,
                "event": one.name,
                "webhookId": one.webhook_id,
                "status": answer.status,
                "failure": answer.failure,
                "milliseconds": answer.milliseconds,
            }
        )
    lines = align(rows) if tries else [f"no webhook about {subject} was tried in the last month"]
    return Report({"subject": subject, "tries": facts}, lines)


def resend(event_id: str, system: System, *, send: bool) -> Report:
    """Send one event once more, by its id or webhook-id. Raises OpsError when there is none."""
    part, wanted = _part(system), read_event_id(event_id)
    # A link's id has no reference and no name in it.
    of_payment = wanted.count(":") >= _PARTS_OF_ID
    subject = wanted.rsplit(":", 2)[0] if of_payment else wanted.split(":")[0]
    events = _of_payment(subject, system) if of_payment else _kept(subject, wanted, part, system)
    found = [event for event in events if event.id == wanted]
    if not found:
        raise OpsError(f"there is no event {wanted}; `webhooks REF` and the payment's history show which there are")
    return _report(found, part, system, send=send)


def replay(start: str, end: str, system: System, *, send: bool) -> Report:
    """Send all events of a range of time once more, its end not included. Raises OpsError for what is no time.

    It looks through the whole table (there is no index by time), as fast as DynamoDB gives it, a page at a time.
    """
    part, begin, until = _part(system), _read_time(start), _read_time(end)
    if until <= begin:
        raise OpsError("the end has to be later than the beginning")
    return _report(_in_range(begin, until, part, system), part, system, send=send)


def _in_range(begin: datetime, until: datetime, part: WebhookPart, system: System) -> Iterator[_Event]:
    last = None
    for item in part.scan(system.environment.transactions_table, begin, until):
        if item.get("kind", {}).get("S") != HISTORY_KIND:
            continue
        ref = record_id(read_text(item, "pk"))
        if ref == last:
            continue  # the steps of a payment lie together
        last = ref
        yield from (event for event in _of_payment(ref, system) if begin <= event.at < until)
    for item in part.scan(part.log_table, begin, until):
        if read_text(item, "sk").startswith(EVENT):
            yield _read_kept(item)


def _of_payment(ref: str, system: System) -> Iterator[_Event]:
    found = system.ports.payments.get_with_history(ref)
    if found is not None:
        for event in retell_payment(*found):
            yield _Event(event.id, event.name, event.at, event.to_json())


def _kept(subject: str, event_id: str, part: WebhookPart, system: System) -> Iterator[_Event]:
    item = system.store.get(part.log_table, event_key(subject, write_webhook_id(event_id)))
    if item is not None:
        yield _read_kept(item)


def _read_kept(item: Item) -> _Event:
    detail: dict[str, Any] = json.loads(read_text(item, "detail"))
    return _Event(str(detail["eventId"]), read_text(item, "name"), read_instant(item, "at"), detail)


def _report(events: Sequence[_Event] | Iterator[_Event], part: WebhookPart, system: System, *, send: bool) -> Report:
    names: Counter[str] = Counter()
    for several in batched(events, _TOGETHER, strict=False):
        names.update(event.name for event in several)
        if send:
            _send(several, part, system)
    count = names.total()
    lines = [f"{number:>8}  {name}" for name, number in sorted(names.items())]
    lines.append(f"{count} sent to the webhooks' queue" if send else f"{count} would be sent; --send sends them")
    return Report({"sent": send, "events": count, "byName": dict(names)}, lines, DONE)


def _send(events: Sequence[_Event], part: WebhookPart, system: System) -> None:
    answer = system.sqs.send_message_batch(
        QueueUrl=part.queue_url,
        Entries=[{"Id": str(number), "MessageBody": event.message} for number, event in enumerate(events)],
    )
    if answer.get("Failed"):
        raise OpsError("the queue did not take all of them; do it again: what was sent twice is one event")


def _part(system: System) -> WebhookPart:
    if system.webhooks is None:
        raise OpsError(f"the stack {system.name} sends no webhooks: its parameter WebhookUrl is empty")
    return system.webhooks


def _read_time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise OpsError(f"{text} is no time; write 2026-03-02 or 2026-03-02T09:00:00Z (UTC)") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
