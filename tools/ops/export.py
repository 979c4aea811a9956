"""All payments or links of some days, as CSV or JSON Lines: a page at a time, so that the length needs no memory.

A day is Jakarta's, and the records come in the order in which they were made. Pages to send customers to are left out.
"""

import csv
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TextIO

from direct_debit.application.bindings.result import BindingResult
from direct_debit.application.ports.pages import OfDay, Page, PageMark
from direct_debit.domain.binding import Binding, BindingState
from direct_debit.domain.payment import Payment, PaymentState
from direct_debit.entrypoint.views.binding import show_binding
from direct_debit.entrypoint.views.payment import show_payment
from tools.ops.failure import OpsError
from tools.ops.report import DONE, NEEDS_A_PERSON, Report
from tools.ops.system import System

KINDS = ("payments", "bindings")
FORMATS = ("csv", "jsonl")
STATES = tuple(dict.fromkeys([*PaymentState, *BindingState]))

_PAGE = 100
_TOLD_EACH = 1_000  # records
_LONGEST = 366  # days in one file
_NOT_EXPORTED = frozenset({"links", "redirectUrl", "webRedirectUrl", "history"})
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run a cell that begins so

# Columns by the members of the API's views: "amount.value" is `value` of `amount`.
_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "payments": {
        "partnerReferenceNo": "partnerReferenceNo",
        "dokuReference": "dokuReference",
        "customerId": "customerId",
        "bindingId": "bindingId",
        "amount": "amount.value",
        "currency": "amount.currency",
        "state": "state",
        "failureCause": "failure.cause",
        "review": "review",
        "responseCode": "responseCode",
        "remarks": "remarks",
        "createdAt": "createdAt",
        "updatedAt": "updatedAt",
        "partnerRefundNo": "refund.partnerRefundNo",
        "refundNo": "refund.refundNo",
        "refundState": "refund.state",
        "refundAmount": "refund.amount.value",
        "refundedAt": "refund.refundedAt",
        "metadata": "metadata",
    },
    "bindings": {
        name: name
        for name in (
            "bindingId",
            "customerId",
            "state",
            "phoneHint",
            "responseCode",
            "createdAt",
            "updatedAt",
            "metadata",
        )
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What to export: a kind of record, the days (both included), one state or all, the format, and the file.

    Without a file the records go to standard output, and what is told about them to standard error.
    """

    kind: str
    first: date
    last: date
    state: str | None = None
    format: str = "csv"
    path: Path | None = None


@dataclass(slots=True)
class _Tally:
    """What was written so far."""

    count: Counter[str] = field(default_factory=Counter)
    amount: dict[str, Decimal] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)

    def add(self, record: Mapping[str, object]) -> None:
        state = str(record["state"])
        self.count[state] += 1
        amount = record.get("amount")
        if isinstance(amount, dict):
            self.amount[state] = self.amount.get(state, Decimal(0)) + Decimal(amount["value"])


def export(wanted: Export, system: System, progress: TextIO | None = None) -> Report:
    """Write the records; tell how many of each state, and what they amount to.

    A file is there when it is whole: it is written beside its place and put there at the end. Raises OpsError for days
    or a state that can not be, and where the file is there already.
    """
    progress = progress or sys.stderr
    _check(wanted)
    tally = _Tally()
    with _open(wanted.path) as file:
        write = _write_csv(file, _COLUMNS[wanted.kind]) if wanted.format == "csv" else _write_lines(file)
        for record in _read(wanted, system, tally, progress):
            write(record)
            tally.add(record)
    return _report(wanted, tally, progress)


def _check(wanted: Export) -> None:
    if wanted.last < wanted.first:
        raise OpsError(f"--to {wanted.last} is before --from {wanted.first}")
    if (wanted.last - wanted.first).days >= _LONGEST:
        raise OpsError(f"a file has {_LONGEST} days at most; export a year at a time")
    states = PaymentState if wanted.kind == "payments" else BindingState
    if wanted.state not in (None, *states):
        raise OpsError(f"{wanted.kind} are never {wanted.state}: {', '.join(states)}")
    if wanted.path is not None and wanted.path.exists():
        raise OpsError(f"{wanted.path} is there already; name another file, or remove it")
    if wanted.path is not None and not wanted.path.parent.is_dir():
        raise OpsError(f"there is no folder {wanted.path.parent}")


@contextmanager
def _open(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        return
    unfinished = path.with_name(path.name + ".part")
    try:
        # Customers and amounts are nobody else's business.
        unfinished.touch(mode=0o600)
        with unfinished.open("w", encoding="utf-8", newline="") as file:
            yield file
        unfinished.rename(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _read(wanted: Export, system: System, tally: _Tally, progress: TextIO) -> Iterator[Mapping[str, object]]:
    day = wanted.first
    written = 0
    while day <= wanted.last:
        for record in _read_day(wanted.kind, day, system, tally):
            if wanted.state in (None, record["state"]):
                written += 1
                yield record
                if written % _TOLD_EACH == 0:
                    print(f"{day}: {written:,} so far", file=progress, flush=True)
        print(f"{day}: done, {written:,} so far", file=progress, flush=True)
        day += timedelta(days=1)


def _read_day(kind: str, day: date, system: System, tally: _Tally) -> Iterator[Mapping[str, object]]:
    selection = OfDay(day, oldest_first=True)
    if kind == "payments":
        payments = system.ports.payments
        yield from _read_pages(lambda after: payments.list_page(selection, _PAGE, after), _show_payment, tally)
    else:
        bindings = system.ports.bindings
        yield from _read_pages(lambda after: bindings.list_page(selection, _PAGE, after), _show_binding, tally)


def _read_pages[Record](
    read: Callable[[PageMark | None], Page[Record]], show: Callable[[Record], Mapping[str, object]], tally: _Tally
) -> Iterator[Mapping[str, object]]:
    after: PageMark | None = None
    while True:
        page = read(after)
        tally.unreadable += page.unreadable
        yield from map(show, page.records)
        after = page.following
        if after is None:
            return


def _show_payment(payment: Payment) -> Mapping[str, object]:
    return _leave_out(show_payment(payment).to_json())


def _show_binding(binding: Binding) -> Mapping[str, object]:
    return _leave_out(show_binding(BindingResult(binding, replayed=False, redirect_url=None)).to_json())


def _leave_out(shown: Mapping[str, object]) -> Mapping[str, object]:
    return {name: value for name, value in shown.items() if name not in _NOT_EXPORTED}


def _write_lines(file: TextIO) -> Callable[[Mapping[str, object]], None]:
    def write(record: Mapping[str, object]) -> None:
        file.write(json.dumps(record, ensure_ascii=False) + "\n")

    return write


def _write_csv(file: TextIO, columns: Mapping[str, str]) -> Callable[[Mapping[str, object]], None]:
    rows = csv.writer(file)  # RFC 4180
    rows.writerow(columns)

    def write(record: Mapping[str, object]) -> None:
        rows.writerow([_write_cell(_find(record, path)) for path in columns.values()])

    return write


def _find(record: Mapping[str, object], path: str) -> object:
    found: object = record
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _write_cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False) if value else ""
    text = str(value)
    return "'" + text if text.startswith(_FORMULA) else text


def _report(wanted: Export, tally: _Tally, progress: TextIO) -> Report:
    total = tally.count.total()
    unreadable = tally.unreadable
    facts = {
        "kind": wanted.kind,
        "from": wanted.first.isoformat(),
        "to": wanted.last.isoformat(),
        "file": None if wanted.path is None else str(wanted.path),
        "records": total,
        "states": {
            state: {"count": count, **({"amount": f"{tally.amount[state]:.2f}"} if state in tally.amount else {})}
            for state, count in sorted(tally.count.items())
        },
        "unreadable": unreadable,
    }
    lines = [f"{total:,} {wanted.kind} of {wanted.first} to {wanted.last}"]
    for state, count in sorted(tally.count.items()):
        amount = f", {tally.amount[state]:,.2f} IDR" if state in tally.amount else ""
        lines.append(f"  {state}: {count:,}{amount}")
    if unreadable:
        lines.append(f"not exported, since this release can not read them: {', '.join(unreadable)}")
    status = NEEDS_A_PERSON if unreadable else DONE
    if wanted.path is None:
        print("\n".join(lines), file=progress)
        return Report(facts, [], status)
    return Report(facts, [*lines, f"in {wanted.path}"], status)
