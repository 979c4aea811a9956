"""The door of the tables' streams: images become records of the domain, changes become history and events.

What the bus, the store or Step Functions can not take now is given back to Lambda, with all that follows: it comes
again, in order, for as long as the stream keeps it. What can never be told as it stands would block its shard for a
day: its keys (never its images) are sent to the failure queue, and the stream goes on (decision 0031).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import cast

from direct_debit.adapters.dynamodb.binding_item import BINDING_KIND, read_binding
from direct_debit.adapters.dynamodb.items import Item, MalformedItem
from direct_debit.adapters.dynamodb.payment_item import PAYMENT_KIND, read_payment
from direct_debit.application.errors import DirectDebitError, InvalidRequest, NotDone, StoreUnavailable
from direct_debit.application.outbox.record_change import (
    MOST_TOGETHER,
    News,
    find_binding_news,
    find_payment_news,
    publish_ahead,
    tell,
)
from direct_debit.application.ports.ports import Ports
from direct_debit.application.ports.telemetry import Metric
from direct_debit.application.ports.time_and_chance import Clock
from direct_debit.application.ports.vault import UnsealFailed
from direct_debit.entrypoint import container
from direct_debit.entrypoint.container import Services, Use
from direct_debit.entrypoint.events import Context, Handler, as_mapping

type Record = Mapping[str, object]
type PutAside = Callable[[Record, Exception], bool]
"""Keeps what can not be told for a person; False when even that can not be done now."""

# What is begun may meet one dependency that hangs (two tries of three seconds each) before it is given back.
_LAST_START = 10_000  # milliseconds left: what is not begun by then comes again
# An error of a kind that nobody foresaw may be one of this environment only: a young record gets more tries.
_DOUBT = timedelta(minutes=1)


def open_stream_door(name: str, *, uses: Sequence[Use]) -> Handler:
    """Return the handler of the streams. `uses`: see `open_doors`."""
    container.start(*uses)

    def handler(event: object, context: Context) -> Mapping[str, object]:
        services = container.current()
        services.observability.begin(operation=name, request_id=context.aws_request_id)
        records = as_mapping(event).get("Records")
        if not isinstance(records, list):
            raise InvalidRequest("Records", "this function takes records of a table's stream: an event with Records")
        first_left = consume(
            [as_mapping(record) for record in records],
            services.ports,
            has_time=lambda: context.get_remaining_time_in_millis() >= _LAST_START,
            put_aside=partial(_put_aside, services),
        )
        # From the first that is left on everything comes again, in order.
        left = () if first_left is None else (as_mapping(first_left.get("dynamodb")).get("SequenceNumber"),)
        return {"batchItemFailures": [{"itemIdentifier": sequence} for sequence in left]}

    return handler


def consume(
    records: Sequence[Record], ports: Ports, *, has_time: Callable[[], bool], put_aside: PutAside
) -> Record | None:
    """Tell what the records mean, in order; return the first that has to come again, None when there is none.

    Events of different payments are published together.
    """
    position = 0
    while position < len(records):
        group = _read_group(records[position:], ports, has_time)
        ahead = _publish_ahead(group, ports)
        for one in group:
            if not has_time():
                return one.record
            error = one.error or _tell(one, ahead)
            if error is None:
                continue
            if _may_pass(error, one.record, ports.clock):
                why = error.detail if isinstance(error, DirectDebitError) else type(error).__name__
                ports.telemetry.note("stream record comes again", reason=why)
                return one.record
            if not put_aside(one.record, error):
                return one.record
        position += len(group)
    return None


@dataclass(frozen=True, slots=True)
class _Read:
    """A record with what it has to tell, or why that could not be found out."""

    record: Record
    news: News | None
    error: Exception | None = None


class _HasToWait(Exception):
    """A change of a payment at rest, right behind another one: what was told of that is not in its history yet."""


def _read_group(records: Sequence[Record], ports: Ports, has_time: Callable[[], bool]) -> Sequence[_Read]:
    """Read records until their events fill one request, or one comes that has to wait for another of its payment."""
    group: list[_Read] = []
    seen: set[object] = set()
    telling: set[object] = set()
    for record in records:
        if group and (len(telling) == MOST_TOGETHER or not has_time()):
            break
        subject = as_mapping(as_mapping(as_mapping(record.get("dynamodb")).get("Keys")).get("pk")).get("S")
        one = _read(record, ports, behind=subject in seen)
        if one is None:
            break
        tells = one.news is not None and bool(one.news.events)
        if tells and subject in telling:
            break
        group.append(one)
        if one.error is not None:
            break  # perhaps all that follows comes again
        seen.add(subject)
        telling |= {subject} if tells else set()
    return group


def _read(record: Record, ports: Ports, *, behind: bool) -> _Read | None:
    try:
        return _Read(record, _find_news(record, ports, behind=behind))
    except _HasToWait:
        return None
    except Exception as error:  # noqa: BLE001 - a poisoned record must not block its shard
        return _Read(record, None, error)


def _find_news(record: Record, ports: Ports, *, behind: bool) -> News | None:
    change = as_mapping(record.get("dynamodb"))
    after = _image(change, "NewImage")
    if after is None:
        return None  # a marker that was given up; records themselves are never deleted
    before = _image(change, "OldImage")
    kind = after.get("kind", {}).get("S")
    if kind == PAYMENT_KIND:
        payment = read_payment(after)
        if behind and not payment.is_open:
            raise _HasToWait
        return find_payment_news(None if before is None else read_payment(before), payment, ports)
    if kind == BINDING_KIND:
        return find_binding_news(None if before is None else read_binding(before), read_binding(after))
    return None


def _publish_ahead(group: Sequence[_Read], ports: Ports) -> Ports:
    try:
        return publish_ahead([one.news for one in group if one.news is not None], ports)
    except Exception as error:  # noqa: BLE001 - it only saves requests: each record meets its own error in its turn
        ports.telemetry.note("events not published together", reason=type(error).__name__)
        return ports


def _tell(one: _Read, ports: Ports) -> Exception | None:
    try:
        if one.news is not None:
            tell(one.news, ports)
    except Exception as error:  # noqa: BLE001 - a poisoned record must not block its shard
        return error
    return None


def _may_pass(error: Exception, record: Record, clock: Clock) -> bool:
    """Whether the same record may be told later: trouble of AWS's, or an error whose kind nobody foresaw, at first.

    A text that does not open is of the second kind: its key may have ended since the image was taken (decision 0060).
    """
    if not isinstance(error, UnsealFailed):
        if isinstance(error, NotDone):
            return True
        if isinstance(error, MalformedItem | DirectDebitError):
            return False
    created = as_mapping(record.get("dynamodb")).get("ApproximateCreationDateTime")
    return isinstance(created, int | float) and clock.now().timestamp() - created < _DOUBT.total_seconds()


def _image(change: Mapping[str, object], name: str) -> Item | None:
    image = change.get(name)
    if image is None:
        return None
    if not isinstance(image, dict) or not set(map(type, image.values())) <= {dict}:
        raise MalformedItem(f"{name} is no image of an item")
    return cast("Item", image)


def _put_aside(services: Services, record: Record, error: Exception) -> bool:
    change = as_mapping(record.get("dynamodb"))
    keys = as_mapping(change.get("Keys"))
    failure = {
        "eventId": record.get("eventID"),
        "sequenceNumber": change.get("SequenceNumber"),
        "table": str(record.get("eventSourceARN", "")).split("/stream/", maxsplit=1)[0],
        "pk": as_mapping(keys.get("pk")).get("S"),
        "sk": as_mapping(keys.get("sk")).get("S"),
        "error": type(error).__name__,
    }
    services.ports.telemetry.count(Metric.STREAM_RECORD_FAILED)
    services.observability.failed("stream record put aside", error, item=str(record.get("eventID", "")))
    try:
        services.stream_failures.send({name: str(value) for name, value in failure.items() if value is not None})
    except StoreUnavailable:
        return False
    return True
