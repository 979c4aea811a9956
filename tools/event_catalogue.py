"""Writes docs/events.md and a JSON Schema of each event below docs/events/, from the code's own catalogue.

make catalogue                # write them
make catalogue ARGS=--check   # exit 1 when one would change
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from direct_debit.adapters.eventbridge import SOURCE
from direct_debit.application.outbox.event_types import EVENT_TYPES, SCHEMA_VERSION, EventType, Member, list_members
from direct_debit.application.outbox.record_change import list_events
from direct_debit.application.ports.messages import OutboxEvent
from direct_debit.domain.binding import BindingState
from direct_debit.domain.evidence import Evidence, EvidenceSource
from direct_debit.domain.move import Move
from direct_debit.domain.payment import FailureReason, PaymentState, ReviewReason
from direct_debit.domain.refund import Refund, RefundState
from tools.make_events import AT, example_binding, example_payment, write_envelope

REPOSITORY = Path(__file__).parent.parent
SCHEMAS = REPOSITORY / "docs" / "events"
PAGE = REPOSITORY / "docs" / "events.md"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

type Json = dict[str, object]

# What DOKU would have said last, and the record's version then: an example's life, in the order of its events.
_VERSION = {
    "payment.otp_pending": 2,
    "payment.unknown": 3,
    "payment.paid": 5,
    "payment.failed": 4,
    "payment.refunded": 9,
    "payment.needs_review": 12,
    "refund.requested": 6,
    "refund.completed": 9,
    "refund.failed": 9,
    "refund.needs_review": 14,
    "binding.activated": 3,
    "binding.failed": 3,
    "binding.relink_required": 5,
    "binding.unbound": 7,
}
_CODE: Mapping[str, str | None] = {
    "payment.otp_pending": "4035413",
    "payment.unknown": "5045400",
    "payment.failed": "4035414",
    "refund.failed": "4045801",
    "refund.requested": "2000400",
    "payment.refunded": "2005800",
    "refund.completed": "2005800",
    "binding.failed": "4030715",
    "binding.relink_required": "4010001",
    "binding.unbound": "2000900",
}
_REASON = {"payment.failed": FailureReason.DECLINED, "payment.needs_review": ReviewReason.EXHAUSTED}


def make_schema(event: EventType) -> Json:
    """Return the schema of an event's detail: what a rule's target gets as `detail`, and a webhook as `data`.

    Other members may come under the same version, so it does not forbid them.
    """
    members = list_members(event)
    return {
        "$schema": DIALECT,
        "$id": name_schema(event),
        "title": event.name,
        "description": event.when,
        "type": "object",
        "required": list(members),
        "properties": {name: _write_member(member) for name, member in members.items()},
        "examples": [dict(make_example(event).to_json())],
    }


def name_schema(event: EventType) -> str:
    """Return the file of an event's schema."""
    return f"{event.name}.v{SCHEMA_VERSION}.json"


def _write_member(member: Member) -> Json:
    written: Json = {"description": member.says}
    if member.values:
        written |= {"const": member.values[0]} if len(member.values) == 1 else {"enum": list(member.values)}
    else:
        written["type"] = [member.type, "null"] if member.may_be_null else member.type
    if member.pattern:
        written["pattern"] = member.pattern
    return written


def make_example(event: EventType) -> OutboxEvent:
    """Return the event as the code publishes it for the example's payment or link."""
    move = Move(
        version=_VERSION[event.name],
        at=AT,
        state=event.states[0],
        moved=event.subject != "refund",
        source="status",
        reason=_REASON.get(event.name),
        response_code=_CODE.get(event.name),
    )
    if event.subject == "binding":
        (told,) = list_events(example_binding(BindingState.ACTIVE, move.version), move)
        return told
    payment = example_payment(PaymentState.PAID, move.version)
    if event.subject == "refund" or event.moves_to is PaymentState.REFUNDED:
        state = event.moves_to if isinstance(event.moves_to, RefundState) else RefundState.REFUNDED
        refund = Refund(
            number="RFD202603020",
            reason="Customer complain",
            request_hash="0" * 64,
            state=state,
            requested_at=AT,
            evidence=Evidence(EvidenceSource.STATUS, AT),
        )
        payment = replace(payment, refund=refund)
        move = replace(move, refund_state=state, refund_moved=event.subject == "refund")
    (told,) = list_events(payment, move)
    return told


def make_envelope(event: EventType) -> Json:
    """Return the event as EventBridge hands it to a rule's target."""
    return write_envelope(make_example(event))


_INTRODUCTION = """\
# Events

What the application tells the rest of the merchant's systems. Written by `make catalogue` from
`direct_debit/application/outbox/event_types.py`; the JSON Schemas are in [events/](events/).

A payment has events when its state changes, and its refund has its own. Watch them while `make run` runs:

```
make watch-events                 # a line for each, as it happens; ARGS=--json prints it whole
```

They come by two ways: from the event bus (output `EventBusName`), for whoever is on AWS, and by
[signed webhooks](webhooks.md), for everybody else. Both carry the same members.
"""
_MEMBERS = """\
## What they carry

Every member is always there; what is not known is null. None is personal: no phone, name, account or address.
Events tell what they have to; `GET /payments/{ref}` and `GET /bindings/{id}` show the rest.
"""
_BUS = """\
## Taking them from the bus

A rule on the bus of the output `EventBusName`, with a pattern such as
"""
_TARGET = """\
```
aws events put-rule --event-bus-name BUS --name paid --event-pattern file://pattern.json
aws events put-targets --event-bus-name BUS --rule paid --targets Id=1,Arn=QUEUE_ARN
```

Give the target a queue of its own and a dead-letter queue: EventBridge tries for a day, and what it could not hand over
is lost otherwise.
"""
_PROMISES = """\
## What is promised

- **Each move is told.** A record carries its moves until they are told: the stream tells them within seconds, and what
  it lost the sweep tells after ten minutes ([0027](decisions/0027-records-carry-their-news.md)).
- **At least once.** The same event may come again, by our repeats or by EventBridge's. Its `eventId` is the same then,
  and so is all of its detail: keep the ids that you have seen (a unique key in your table), and skip those.
- **Published in order, for each record.** Yet neither EventBridge nor queues keep the order: a later event may overtake
  an earlier one. `recordVersion` says which is newer: keep the highest that you have seen of a payment or link, and let
  no older event change what a newer one has set. Between different records there is no order.
- **An event is a hint, the record is the truth.** Who is in doubt asks `GET /payments/{ref}`.
- **Schemas grow only.** Under one `schemaVersion` members may be added, and none is lost or changes its meaning (a
  test compares with what was once promised). Ignore members, and events, that you do not know.
"""


def write_page() -> str:
    """Return the page."""
    paid = next(event for event in EVENT_TYPES if event.name == "payment.paid")
    pattern: Json = {"source": [SOURCE], "detail-type": ["payment.paid", "payment.failed", {"prefix": "refund."}]}
    events = [
        "## Which there are",
        "",
        "| detail type | when | schema |",
        "|---|---|---|",
        *(
            f"| `{event.name}` | {event.when} | [{name_schema(event)}](events/{name_schema(event)}) |"
            for event in EVENT_TYPES
        ),
        "",
    ]
    members: list[str] = []
    for title, subject in (("Payments and refunds", "payment"), ("Links", "binding")):
        members += [f"**{title}**", "", "| member | what | |", "|---|---|---|", *_write_members(subject), ""]
    return "\n".join(
        [
            _INTRODUCTION,
            *events,
            _MEMBERS,
            *members,
            "As a rule's target gets one:",
            "",
            *_write_block(make_envelope(paid)),
            _BUS,
            *_write_block(pattern),
            _TARGET,
            _PROMISES,
        ]
    )


def _write_block(value: Json) -> Sequence[str]:
    return ["```json", json.dumps(value, indent=2), "```", ""]


def _write_members(subject: str) -> Sequence[str]:
    rows: dict[str, str] = {}
    for event in EVENT_TYPES:
        if (event.subject == "binding") != (subject == "binding"):
            continue
        for name, member in list_members(event).items():
            rows.setdefault(name, f"| `{name}` | {member.says} | {member.type}{_may_be_null(subject, name)} |")
    return list(rows.values())


def _may_be_null(subject: str, name: str) -> str:
    kinds = [event for event in EVENT_TYPES if (event.subject == "binding") == (subject == "binding")]
    return " or null" if any(list_members(event)[name].may_be_null for event in kinds) else ""


def make_files() -> Mapping[Path, str]:
    """Return what there is to write, by its file."""
    schemas = {
        SCHEMAS / name_schema(event): json.dumps(make_schema(event), indent=2, ensure_ascii=False) + "\n"
        for event in EVENT_TYPES
    }
    return {PAGE: write_page(), **schemas}


def main() -> int:
    """Write or check the files; one of an event that is no more is removed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file would change")
    check: bool = parser.parse_args().check
    files = make_files()
    stale = [file for file, text in files.items() if not file.is_file() or file.read_text("utf-8") != text]
    gone = [file for file in SCHEMAS.glob("*.json") if file not in files]
    if not check:
        SCHEMAS.mkdir(exist_ok=True)
        for file in stale:
            file.write_text(files[file], "utf-8")
        for file in gone:
            file.unlink()
    names = sorted(str(file.relative_to(REPOSITORY)) for file in (*stale, *gone))
    print(*names, "would change" if check else "written") if names else print("nothing to do")
    return 1 if check and names else 0


if __name__ == "__main__":
    sys.exit(main())
