"""The export: whole, in order, in bounded memory, and a file only when it is finished."""

import csv
import io
import json
import tracemalloc
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from direct_debit.adapters.dynamodb.payment_item import write_payment
from direct_debit.application.errors import StoreUnavailable
from direct_debit.domain.payment import Payment
from direct_debit.domain.values import JAKARTA
from direct_debit.entrypoint.views.binding import BindingView
from direct_debit.entrypoint.views.payment import PaymentView
from direct_debit.entrypoint.views.view import View
from tests.fakes.clock import START
from tests.fakes.processes import TRANSACTIONS
from tests.integration.adapters.records import a_payment
from tests.integration.handlers.test_newer_records import newer_payment
from tests.unit.ops.conftest import REF, Desk
from tools.ops.__main__ import main
from tools.ops.export import _COLUMNS, _NOT_EXPORTED, Export, export

DAY = START.astimezone(JAKARTA).date()


def run(desk: Desk, *arguments: str) -> int:
    return main(["export", *arguments, "--stack", "test"], find=lambda *_, **__: desk.system)


def keep(desk: Desk, *payments: Payment) -> None:
    for payment in payments:
        desk.house.world.store.put_item(TableName=TRANSACTIONS, Item=write_payment(payment))


@pytest.mark.parametrize(("kind", "view"), [("payments", PaymentView), ("bindings", BindingView)])
def test_each_member_of_a_view_has_a_column_or_is_left_out_on_purpose(kind: str, view: type[View]) -> None:
    columns = {path.split(".")[0] for path in _COLUMNS[kind].values()}
    members = {str(info.alias) for info in view.model_fields.values()}
    forgotten = members - columns - _NOT_EXPORTED
    assert not forgotten, (
        f"tools/ops/export.py: give {forgotten} of {view.__name__} a column, or name it in _NOT_EXPORTED"
    )
    gone = columns - members
    assert not gone, f"tools/ops/export.py: take the columns of {gone} away: {view.__name__} has no such member"


def many(count: int) -> list[Payment]:
    return [replace(a_payment(f"R{n:05}"), created_at=START + timedelta(milliseconds=n)) for n in range(count)]


def test_a_days_payments_in_the_order_in_which_they_were_made(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    keep(desk, *many(250), replace(a_payment("YESTERDAY"), created_at=START - timedelta(days=1)))
    assert run(desk, "payments", "--from", DAY.isoformat()) == 0
    told = capsys.readouterr()
    rows = list(csv.DictReader(io.StringIO(told.out)))
    assert [row["partnerReferenceNo"] for row in rows] == [f"R{n:05}" for n in range(250)]
    assert rows[0]["amount"] == "10000.00"
    assert (rows[0]["currency"], rows[0]["state"]) == ("IDR", "REQUESTED")
    assert f"{DAY}: done, 250 so far" in told.err
    assert "REQUESTED: 250, 2,500,000.00 IDR" in told.err


def test_json_lines_are_what_the_api_shows_but_for_pages_and_links(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.pay()
    capsys.readouterr()
    assert run(desk, "payments", "--from", DAY.isoformat(), "--format", "jsonl") == 0
    (line,) = capsys.readouterr().out.splitlines()
    shown = desk.house.call("get_payment", path={"ref": REF}).json
    left_out = {"links", "webRedirectUrl", "history"}
    assert json.loads(line) == {name: value for name, value in shown.items() if name not in left_out}
    assert run(desk, "bindings", "--from", DAY.isoformat(), "--format", "jsonl") == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["state"] == "ACTIVE"
    assert "redirectUrl" not in json.loads(line)


def test_days_and_states_are_chosen(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    keep(desk, a_payment("TODAY"), replace(a_payment("TOMORROW"), created_at=START + timedelta(days=1)))
    last = (DAY + timedelta(days=1)).isoformat()
    assert run(desk, "payments", "--from", DAY.isoformat(), "--to", last, "--format", "jsonl") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["partnerReferenceNo"] for line in lines] == ["TODAY", "TOMORROW"]
    assert run(desk, "payments", "--from", DAY.isoformat(), "--state", "PAID", "--format", "jsonl") == 0
    assert capsys.readouterr().out == ""


def test_a_file_is_for_its_owner_alone_and_is_there_when_it_is_whole(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(desk, *many(3))
    path = tmp_path / "day.csv"
    assert run(desk, "payments", "--from", DAY.isoformat(), "--output", str(path), "--json") == 0
    assert json.loads(capsys.readouterr().out)["records"] == 3
    assert path.stat().st_mode & 0o077 == 0
    assert run(desk, "payments", "--from", DAY.isoformat(), "--output", str(path)) == 1
    assert "is there already" in capsys.readouterr().err

    def fail(*_: object, **__: object) -> None:
        raise StoreUnavailable("throttled")

    monkeypatch.setattr(type(desk.system.ports.payments), "list_page", fail)
    assert run(desk, "payments", "--from", DAY.isoformat(), "--output", str(tmp_path / "other.csv")) == 1
    assert [one.name for one in tmp_path.iterdir()] == ["day.csv"]


def test_a_spreadsheet_runs_no_text_of_a_caller(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    keep(desk, replace(a_payment(), remarks='=HYPERLINK("https://evil.example")', metadata={"a": "=1"}))
    assert run(desk, "payments", "--from", DAY.isoformat()) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert row["remarks"] == '\'=HYPERLINK("https://evil.example")'
    assert row["metadata"] == '{"a": "=1"}'


def test_what_can_not_be_read_is_named_and_for_a_person(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.pay()
    keep(desk, a_payment("OTHER"))
    newer_payment(desk.house, REF)
    capsys.readouterr()
    assert run(desk, "payments", "--from", DAY.isoformat(), "--format", "jsonl") == 3
    told = capsys.readouterr()
    assert [json.loads(line)["partnerReferenceNo"] for line in told.out.splitlines()] == ["OTHER"]
    assert REF in told.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["payments", "--from", "2026-03-02", "--to", "2026-03-01"], "is before"),
        (["payments", "--from", "2024-03-02", "--to", "2026-03-01"], "366 days at most"),
        (["payments", "--from", "2026-03-02", "--state", "ACTIVE"], "payments are never ACTIVE: REQUESTED"),
        (["bindings", "--from", "2026-03-02", "--state", "PAID"], "bindings are never PAID: REQUESTED"),
        (["payments", "--from", "2026-03-02", "--json"], "--output"),
        (["payments", "--from", "2026-03-02", "--output", "/nowhere/x.csv"], "no folder /nowhere"),
    ],
)
def test_a_wish_that_can_not_be_says_why(
    desk: Desk, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert run(desk, *arguments) == 1
    assert words in capsys.readouterr().err


def test_memory_is_a_pages_however_long_the_day(desk: Desk, tmp_path: Path) -> None:
    def peak(path: Path) -> int:
        tracemalloc.start()
        export(Export(kind="payments", first=DAY, last=DAY, path=path), desk.system, io.StringIO())
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    payments = many(3_000)
    keep(desk, *payments[:300])
    short = peak(tmp_path / "short.csv")
    keep(desk, *payments[300:])
    assert peak(tmp_path / "long.csv") < 1.5 * short
