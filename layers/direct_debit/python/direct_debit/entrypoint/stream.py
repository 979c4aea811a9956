"""The door of the tables' streams: images become records of the domain, changes become history and events.

A record that can not be handled would block its shard for a day. So each one is caught, its keys (never its images) are
sent to the failure queue, and the stream goes on. When even that fails, the rest of the batch comes again.
"""

from collections.abc import Mapping
from typing import cast

from direct_debit.adapters.dynamodb.binding_item import BINDING_KIND, read_binding
from direct_debit.adapters.dynamodb.items import Item, MalformedItem
from direct_debit.adapters.dynamodb.payment_item import PAYMENT_KIND, read_payment
from direct_debit.application.errors import InvalidRequest, StoreUnavailable
from direct_debit.application.ports import Metric
from direct_debit.application.record_change import record_binding_change, record_payment_change
from direct_debit.entrypoint import container
from direct_debit.entrypoint.container import Services
from direct_debit.entrypoint.doors import Handler
from direct_debit.entrypoint.events import Context, as_mapping

_LAST_START = 5000  # milliseconds left: what is not begun by then comes again
_TRIES = 3  # a throttled store is given two more chances before the record is put aside


def open_stream_door(name: str) -> Handler:
    """Return the handler of the streams."""
    container.start()

    def handler(event: object, context: Context) -> Mapping[str, object]:
        services = container.current()
        services.observability.begin(operation=name, request_id=context.aws_request_id)
        records = as_mapping(event).get("Records")
        if not isinstance(records, list):
            raise InvalidRequest("Records", "this function takes records of a table's stream: an event with Records")
        for record in map(as_mapping, records):
            if context.get_remaining_time_in_millis() < _LAST_START or not _handle_or_put_aside(services, record):
                # From here on everything comes again, in order.
                sequence = as_mapping(record.get("dynamodb")).get("SequenceNumber")
                return {"batchItemFailures": [{"itemIdentifier": sequence}]}
        return {"batchItemFailures": []}

    return handler


def _handle_or_put_aside(services: Services, record: Mapping[str, object]) -> bool:
    """Return whether the stream may go on."""
    try:
        _handle(services, record)
    except Exception as error:  # noqa: BLE001 - a poisoned record must not block its shard
        return _put_aside(services, record, error)
    return True


def _handle(services: Services, record: Mapping[str, object]) -> None:
    change = as_mapping(record.get("dynamodb"))
    after = _image(change, "NewImage")
    if after is None:
        return  # a marker that was given up; records themselves are never deleted
    before = _image(change, "OldImage")
    kind = after.get("kind", {}).get("S")
    for remaining in reversed(range(_TRIES)):
        try:
            if kind == PAYMENT_KIND:
                record_payment_change(
                    None if before is None else read_payment(before), read_payment(after), services.ports
                )
            elif kind == BINDING_KIND:
                record_binding_change(
                    None if before is None else read_binding(before), read_binding(after), services.ports
                )
        except StoreUnavailable:
            if remaining == 0:
                raise
            services.ports.clock.sleep(0.2 * (1 + services.ports.ids.jitter()))
        else:
            return


def _image(change: Mapping[str, object], name: str) -> Item | None:
    image = change.get(name)
    if image is None:
        return None
    if not isinstance(image, Mapping) or not all(isinstance(value, Mapping) for value in image.values()):
        raise MalformedItem(f"{name} is no image of an item")
    return cast("Item", image)


def _put_aside(services: Services, record: Mapping[str, object], error: Exception) -> bool:
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
