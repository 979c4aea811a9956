"""The tables' streams: each change becomes a history item and, where the merchant cares, an event."""

from direct_debit.entrypoint.stream import open_stream_door

handler = open_stream_door("publish_events", uses=("payments", "bindings", "events"))
