"""Messages against docs/events: each event's schema has its members here, and its examples are read."""

from __future__ import annotations

import json
from typing import Any

from clients.python.tests.stage import DOCUMENT
from direct_debit_client.webhooks import BindingEventData, PaymentEventData

SCHEMAS = sorted((DOCUMENT.parent / "events").glob("*.json"))


def test_each_event_is_read() -> None:
    assert len(SCHEMAS) >= 14
    for path in SCHEMAS:
        schema: dict[str, Any] = json.loads(path.read_text("utf-8"))
        kind = BindingEventData if path.name.startswith("binding.") else PaymentEventData
        assert {field.alias for field in kind.model_fields.values()} == set(schema["properties"]), path.name
        for example in schema["examples"]:
            event = kind.model_validate(example)
            assert event.model_dump(by_alias=True, mode="json").keys() == example.keys()
            assert str(event.state) == example["state"]
