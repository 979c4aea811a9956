"""The event bus of the merchant's own systems."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from direct_debit.application.errors import StoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

    from direct_debit.application.ports import OutboxEvent

SOURCE = "direct-debit"


class EventBridgeEvents:
    """Implements `Events`: source `direct-debit`, detail type the event's name, the event's id as `eventId`."""

    def __init__(self, client: EventBridgeClient, bus_name: str) -> None:
        self._client = client
        self._bus_name = bus_name

    def publish(self, event: OutboxEvent) -> None:
        """Publish. Raises StoreUnavailable when the bus did not take it, also when it says so in its answer."""
        detail = {**event.detail, "eventId": event.id, "occurredAt": event.at.isoformat()}
        try:
            response = self._client.put_events(
                Entries=[
                    {
                        "EventBusName": self._bus_name,
                        "Source": SOURCE,
                        "DetailType": event.name,
                        "Detail": json.dumps(detail, separators=(",", ":")),
                        "Time": event.at,
                    }
                ]
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            raise StoreUnavailable(f"the event bus answered {code}", code=code) from error
        except BotoCoreError as error:
            raise StoreUnavailable(f"the event bus did not answer: {type(error).__name__}") from error
        if response["FailedEntryCount"]:
            code = response["Entries"][0].get("ErrorCode", "unknown")
            raise StoreUnavailable(f"the event bus refused the event: {code}", code=code)
