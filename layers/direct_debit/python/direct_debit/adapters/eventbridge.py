"""The event bus of the merchant's own systems."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol, Unpack

from botocore.exceptions import BotoCoreError, ClientError

from direct_debit.application.errors import StoreUnavailable, Undeliverable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mypy_boto3_events.type_defs import (
        PutEventsRequestEntryTypeDef,
        PutEventsRequestTypeDef,
        PutEventsResponseTypeDef,
    )

    from direct_debit.application.ports.messages import OutboxEvent

SOURCE = "direct-debit"

MOST_ENTRIES = 10
MOST_BYTES = 256 * 1024
"""What one PutEvents request may hold (EventBridge User Guide, "Sending events with PutEvents")."""

_TIME_BYTES = 14
_NEVER = frozenset({"InvalidArgument", "MalformedDetail", "ValidationException"})


class EventBus(Protocol):
    """What is used of boto3's client, with its arguments, responses and errors."""

    def put_events(self, **kwargs: Unpack[PutEventsRequestTypeDef]) -> PutEventsResponseTypeDef:
        """Put events on a bus."""
        ...


class EventBridgeEvents:
    """Implements `Events`: source `direct-debit`, detail type the event's name, the event's id as `eventId`."""

    def __init__(self, client: EventBus, bus_name: str) -> None:
        self._client = client
        self._bus_name = bus_name

    def publish(self, event: OutboxEvent) -> None:
        """Publish one event.

        Raises StoreUnavailable when the bus did not take it, also when it says so in its answer; Undeliverable when it
        can not read it.
        """
        (code,) = self._put([self._write(event)])
        if code in _NEVER:
            raise Undeliverable(f"the event bus can not take the event: {code}", aws_code=code)
        if code is not None:
            raise StoreUnavailable(f"the event bus refused the event: {code}", code=code)

    def publish_together(self, events: Sequence[OutboxEvent]) -> frozenset[str]:
        """Publish events, as many in a request as it may hold; return the ids of those that the bus took.

        The bus answers for each entry by itself. Once it does not answer at all, the rest is not tried.
        """
        taken: set[str] = set()
        for request in _divide([(event.id, self._write(event)) for event in events]):
            try:
                codes = self._put([entry for _, entry in request])
            except (StoreUnavailable, Undeliverable):
                break
            taken.update(id_ for (id_, _), code in zip(request, codes, strict=True) if code is None)
        return frozenset(taken)

    def _write(self, event: OutboxEvent) -> PutEventsRequestEntryTypeDef:
        return {
            "EventBusName": self._bus_name,
            "Source": SOURCE,
            "DetailType": event.name,
            "Detail": json.dumps(dict(event.to_json()), separators=(",", ":")),
            "Time": event.at,
        }

    def _put(self, entries: Sequence[PutEventsRequestEntryTypeDef]) -> Sequence[str | None]:
        """Send one request; return for each entry the code with which it was refused, None where it was taken."""
        try:
            response = self._client.put_events(Entries=entries)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _NEVER:
                raise Undeliverable(f"the event bus answered {code}", aws_code=code) from error
            raise StoreUnavailable(f"the event bus answered {code}", code=code) from error
        except BotoCoreError as error:
            raise StoreUnavailable(f"the event bus did not answer: {type(error).__name__}") from error
        if not response["FailedEntryCount"]:
            return [None] * len(entries)
        return [None if "EventId" in entry else entry.get("ErrorCode", "unknown") for entry in response["Entries"]]


type _Named = tuple[str, PutEventsRequestEntryTypeDef]


def _divide(entries: Sequence[_Named]) -> Iterator[Sequence[_Named]]:
    """Divide entries into requests that PutEvents takes."""
    request: list[_Named] = []
    size = 0
    for named in entries:
        entry = named[1]
        own = _TIME_BYTES + sum(len(entry[name].encode()) for name in ("Source", "DetailType", "Detail"))
        if request and (len(request) == MOST_ENTRIES or size + own > MOST_BYTES):
            yield request
            request, size = [], 0
        request.append(named)
        size += own
    if request:
        yield request
