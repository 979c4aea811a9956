"""docs/data-map.md against the models, and against what a played life has stored or sent."""

import re
from collections.abc import Mapping, Sequence

import pytest

from direct_debit.adapters.dynamodb.b2b_tokens import TOKEN_KIND
from direct_debit.adapters.dynamodb.binding_item import BINDING_KIND
from direct_debit.adapters.dynamodb.forgotten_item import (
    BINDING_EMPTIED,
    BINDING_REMAINS,
    PAYMENT_EMPTIED,
    PAYMENT_REMAINS,
    REFUND_EMPTIED,
    STEP_REMAINS,
)
from direct_debit.adapters.dynamodb.inbox import INBOX_KIND
from direct_debit.adapters.dynamodb.payment_item import PAYMENT_KIND
from direct_debit.adapters.dynamodb.sealed_item import SEALED_FIELDS
from tests.integration.handlers.data_places import (
    Places,
    a_full_binding,
    a_full_notice,
    a_full_payment,
    a_full_step,
    list_message_attributes,
    list_unset,
    play_a_life,
    read_models,
)
from tests.integration.handlers.house import REPOSITORY

_SECTION = re.compile(r"^### (.+)$", re.MULTILINE)
_ROW = re.compile(r"^\| (`.*?) \|(.*)\|$", re.MULTILINE)
_NAME = re.compile(r"`(\w+)`")

type Rows = Mapping[str, Sequence[str]]
"""The cells behind a field's name."""


def read_map(text: str) -> dict[str, Rows]:
    """The fields of each section, each once."""
    parts = _SECTION.split(text)[1:]
    sections: dict[str, Rows] = {}
    for title, content in zip(parts[::2], parts[1::2], strict=True):
        rows: dict[str, Sequence[str]] = {}
        for names, cells in _ROW.findall(content.split("\n## ")[0]):
            for name in _NAME.findall(names):
                assert name not in rows, f"{title}: {name} is there twice"
                rows[name] = [cell.strip() for cell in cells.split("|")]
        sections[title] = rows
    return sections


@pytest.fixture(scope="module")
def pages() -> dict[str, Rows]:
    return read_map((REPOSITORY / "docs" / "data-map.md").read_text("utf-8"))


@pytest.fixture(scope="module")
def lived() -> Places:
    return play_a_life()


@pytest.fixture(scope="module")
def places(lived: Places) -> Places:
    """What the models can write, and what was written besides."""
    models = read_models()
    return {title: models.get(title, set()) | lived.get(title, set()) for title in {*models, *lived}}


def test_each_field_is_in_the_map_and_each_of_the_map_is_somewhere(pages: dict[str, Rows], places: Places) -> None:
    said = {title: set(rows) for title, rows in pages.items()}
    for title in sorted({*said, *places}):
        there, told = places.get(title, set()), said.get(title, set())
        assert not there - told, (
            f"docs/data-map.md, section {title!r}: add a row for {sorted(there - told)}: why it is there, whether it "
            "is about a person, how it is kept, what stays of it"
        )
        assert not told - there, (
            f"docs/data-map.md, section {title!r}: {sorted(told - there)} is written nowhere: take its row away; where "
            "it can be there, fill it in a_full_... of tests/integration/handlers/data_places.py"
        )
    assert said.keys() == places.keys()


def test_full_records_are_full() -> None:
    """Else a field that nobody fills in would be missed."""
    payment = a_full_payment()
    assert payment.refund is not None
    for record in (payment, payment.refund, a_full_binding(), a_full_notice(), a_full_step()):
        unset = list_unset(record)
        assert not unset, (
            f"tests/integration/handlers/data_places.py: fill in {unset} of the full {type(record).__name__} there"
        )


def test_what_is_lived_leaves_out_no_kind_of_item(lived: Places) -> None:
    stored = {"Payment", "Step", "Idempotency key", "Notification", "Circuit", "Link", "Claim", "Return pointer"}
    assert set(lived) == stored | {"Shared token", "Being forgotten", "Try", "Kept event"}


@pytest.mark.parametrize(
    ("title", "remains", "emptied"),
    [
        ("Payment", PAYMENT_REMAINS, PAYMENT_EMPTIED | REFUND_EMPTIED),
        ("Link", BINDING_REMAINS, BINDING_EMPTIED),
        ("Step", STEP_REMAINS, frozenset()),
    ],
)
def test_forgetting_does_what_the_map_says(
    title: str, remains: frozenset[str], emptied: frozenset[str], pages: dict[str, Rows]
) -> None:
    said: dict[str, set[str]] = {}
    for name, cells in pages[title].items():
        said.setdefault(cells[-1], set()).add(name)
    assert said["stays"] - {"version", "writeId"} == remains - {"version", "writeId"}
    assert said.get("emptied", set()) == emptied
    assert said.get("token", set()) == ({"customerId"} if title != "Step" else set())


def test_nothing_about_a_person_stays_when_it_is_forgotten(pages: dict[str, Rows]) -> None:
    for title, rows in pages.items():
        for name, cells in rows.items():
            if len(cells) == len(pages["Payment"]["amount"]) and cells[1].startswith("**"):
                assert cells[-1] in ("token", "emptied", "goes", "goes before"), (title, name)


def test_what_is_told_has_one_personal_name(pages: dict[str, Rows]) -> None:
    told = ("Events of payments", "Events of links", "Messages", "Workflow histories", "Log lines", "Access log")
    personal = {(title, name) for title in told for name, cells in pages[title].items() if cells[-1] != "no"}
    assert personal == {("Events of payments", "customerId"), ("Events of links", "customerId")}


def test_what_the_map_calls_sealed_is_what_is_sealed_anew(pages: dict[str, Rows]) -> None:
    titles = {"Link": BINDING_KIND, "Payment": PAYMENT_KIND, "Notification": INBOX_KIND, "Shared token": TOKEN_KIND}
    said = {
        (titles.get(title, title), name)
        for title, rows in pages.items()
        if title != "Requests"
        for name, cells in rows.items()
        if "sealed" in cells
    }
    assert said == {(kind, name) for kind, names in SEALED_FIELDS.items() for name in names}


def test_messages_have_no_attributes() -> None:
    assert list_message_attributes() == []


def test_a_field_that_is_nowhere_and_one_that_is_not_told_are_found() -> None:
    text = "### Payment\n\n| Field | Why | Person |\n|---|---|---|\n| `amount`, `colour` | money | no |\n"
    assert set(read_map(text)["Payment"]) == {"amount", "colour"}
    assert set(read_map(text)["Payment"]) != read_models()["Payment"]


def test_no_code_of_ours_annotates_traces() -> None:
    """X-Ray gets what Lambda and Step Functions send by themselves, and nothing of ours."""
    sources = [*(REPOSITORY / "layers").rglob("*.py"), *(REPOSITORY / "functions").rglob("*.py")]
    assert len(sources) > 100
    found = [
        path.name for path in sources if re.search(r"aws_xray_sdk|Tracer|put_annotation|put_metadata", path.read_text())
    ]
    assert found == []
