"""The events' schemas: written from the code, fitting what it publishes, and never changed under somebody's feet."""

import copy
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from direct_debit.application.outbox.event_types import EVENT_TYPES, EVENTS_BY_NAME, list_members
from direct_debit.domain.binding import TOLD_STATES
from tests.fakes.event_contract import SCHEMAS, find_fault, read_schema
from tests.fakes.journey import REF
from tests.unit.application.support import linked, paid
from tools.event_catalogue import REPOSITORY, make_example, make_files, make_schema, name_schema

type Json = dict[str, Any]

PROMISED = Path(__file__).parent / "promised_events.json"
NAMES = sorted(EVENTS_BY_NAME)


def promised() -> dict[str, Json]:
    """What was promised when each schema's version came out, by its file; changed only by adding."""
    schemas: dict[str, Json] = json.loads(PROMISED.read_text("utf-8"))
    return schemas


def find_breaches(before: Json, after: Json) -> Iterator[str]:
    """What a consumer of the schema before could no longer rely on."""
    for name, member in before["properties"].items():
        now = after["properties"].get(name)
        if now is None or name not in after["required"]:
            yield f"{name} is gone"
            continue
        if before["properties"][name].get("pattern") != now.get("pattern"):
            yield f"{name} has another form"
        known, new = _values(member), _values(now)
        if known is None and new is None:
            if not set(_types(now)) <= set(_types(member)):
                yield f"{name} has another type"
        elif known is not None and (new is None or not set(new) <= set(known)):
            yield f"{name} has values that nobody knows"


def _values(member: Json) -> list[object] | None:
    return [member["const"]] if "const" in member else member.get("enum")


def _types(member: Json) -> list[str]:
    kinds = member["type"]
    return kinds if isinstance(kinds, list) else [kinds]


# --- what is committed -----------------------------------------------------------------------------------------------


def test_the_page_and_the_schemas_are_what_the_tool_writes() -> None:
    for file, text in make_files().items():
        assert file.read_text("utf-8") == text, f"{file.relative_to(REPOSITORY)} is stale: run `make catalogue`"
    assert {file.name for file in SCHEMAS.iterdir()} == {name_schema(event) for event in EVENT_TYPES}


@pytest.mark.parametrize("file", sorted(promised()))
def test_no_schema_breaks_what_it_promised(file: str) -> None:
    """Whoever has to break one raises SCHEMA_VERSION, and goes on publishing the old one for a while."""
    now = json.loads((SCHEMAS / file).read_text("utf-8"))
    assert list(find_breaches(promised()[file], now)) == []


def test_every_schema_has_promised_what_it_is() -> None:
    """A new event or version: add it to promised_events.json."""
    assert set(promised()) == {name_schema(event) for event in EVENT_TYPES}
    assert not [file for file, schema in promised().items() if set(schema) != {"required", "properties"}]


@pytest.mark.parametrize(
    "change",
    [
        lambda schema: schema["properties"].pop("state"),
        lambda schema: schema["required"].remove("eventId"),
        lambda schema: schema["properties"]["recordVersion"].update(type="string"),
        lambda schema: schema["properties"]["customerId"].update(type=["string", "null"]),
        lambda schema: schema["properties"]["state"].update(const="DONE"),
        lambda schema: schema["properties"]["reason"]["enum"].append("tired"),
        lambda schema: schema["properties"].update(reason={"type": "string"}),
        lambda schema: schema["properties"]["amount"].update(pattern="^[0-9]+$"),
    ],
)
def test_an_incompatible_change_is_noticed(change: Any) -> None:  # noqa: ANN401 - any way to break a schema
    before = make_schema(EVENTS_BY_NAME["payment.failed"])
    after = copy.deepcopy(before)
    change(after)
    assert len(list(find_breaches(before, after))) == 1


def test_a_new_member_breaks_nothing() -> None:
    before = make_schema(EVENTS_BY_NAME["payment.failed"])
    after: Json = copy.deepcopy(before)
    after["properties"]["colour"] = {"type": "string"}
    after["required"].append("colour")
    assert list(find_breaches(before, after)) == []


# --- what is published -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_example_fits_the_schema_and_is_in_it(name: str) -> None:
    schema = read_schema(name)
    Draft202012Validator.check_schema(schema)
    (example,) = schema["examples"]
    Draft202012Validator(schema).validate(example)
    assert example == make_example(EVENTS_BY_NAME[name]).to_json()
    assert list(example) == list(list_members(EVENTS_BY_NAME[name]))


@pytest.mark.parametrize("name", NAMES)
def test_the_fakes_judge_as_the_schema_does(name: str) -> None:
    """RecordingEvents compiles the few keywords itself; here each member is spoilt in each way, for both."""
    schema = {**read_schema(name), "additionalProperties": False}
    (example,) = schema["examples"]
    assert find_fault(name, example) is None
    spoilt: list[Mapping[str, object]] = [{**example, "more": 1}]
    for member in example:
        spoilt.append({key: value for key, value in example.items() if key != member})
        values: tuple[object, ...] = (None, "", "text", 7, 1, True, 1.5, [], {}, "FAILED")
        spoilt += [{**example, member: value} for value in values]
    for detail in spoilt:
        assert (find_fault(name, detail) is None) == Draft202012Validator(schema).is_valid(detail), detail


def test_what_a_customers_life_publishes_has_every_promised_member_and_grows_in_version() -> None:
    merchant = paid()
    merchant.refund()
    merchant.world.run_for(300)
    merchant.unbind()
    merchant.confirm_unbinding()
    merchant.world.run_for(60)
    published = merchant.world.events.published
    assert [event.name for event in published] == [
        "binding.activated",
        "payment.otp_pending",
        "payment.paid",
        "refund.requested",
        "payment.refunded",
        "refund.completed",
        "binding.unbound",
    ]
    versions = [event.detail["recordVersion"] for event in published if event.detail.get("partnerReferenceNo") == REF]
    assert versions == sorted(versions, key=lambda version: version or 0)
    assert len({event.id for event in published}) == len(published)


def test_an_event_that_is_in_no_catalogue_is_refused() -> None:
    assert find_fault("payment.surprising", {}) == "payment.surprising is in no catalogue"


def test_every_state_that_is_told_has_its_event() -> None:
    told = {one.moves_to for one in EVENT_TYPES if one.subject == "binding"}
    assert told == TOLD_STATES


def test_a_link_s_event_carries_no_more_than_it_promises() -> None:
    merchant = linked()
    (event,) = merchant.world.events.published
    assert set(event.to_json()) == set(read_schema("binding.activated")["properties"])
