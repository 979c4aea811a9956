"""Seal everything anew that stands in the tables under another key than the active one, beside live traffic.

A page of a table at a time. What is written takes nothing from anybody: a text is put only in the place of the very
one that was opened, the record's version stays, and a record whose news the stream has still to tell waits until they
are told, since each write would have them told once more. What a run has done, the next one finds done.
"""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from direct_debit.adapters.dynamodb.changes import set_and_remove
from direct_debit.adapters.dynamodb.client import Refused
from direct_debit.adapters.dynamodb.items import Item, MalformedItem
from direct_debit.adapters.dynamodb.keys import record_kind
from direct_debit.adapters.dynamodb.sealed_item import (
    SEALED_FIELDS,
    SealedText,
    has_pending_news,
    kind_of,
    list_sealed,
    list_strangers,
    put_in_place,
)
from direct_debit.application.ports.vault import UnsealFailed
from tools.ops.data_keys import ACTIVE, DataKeys, Sealer, is_still_in_use, let_it_be_heard, read_data_keys
from tools.ops.report import DONE, NEEDS_A_PERSON, Report, align
from tools.ops.system import System

_TRIES = 4  # at one item that others write at the same time
_KEPT = 1000  # of what has to wait, and of what is listed
_LISTED = 50  # for eyes
_EACH = 40  # pages between two lines of progress
_BREATH = 5.0  # s: news are told within one or two


@dataclass(frozen=True, slots=True)
class Left:
    """A text that is not under an active key, by its place. `record` names no customer."""

    record: str
    kind: str
    attribute: str
    reason: str


@dataclass(slots=True)
class _Outcome:
    anew: int = 0
    new: int = 0
    gone: int = 0
    left: int = 0
    complete: bool = True
    listed: list[Left] = field(default_factory=list)
    read: Counter[str] = field(default_factory=Counter)

    def leave(self, item: Item, attribute: str, reason: str) -> None:
        """Count a text that stays, and list it as long as there is room."""
        self.left += 1
        if len(self.listed) < _KEPT:
            self.listed.append(Left(name_record(item), kind_of(item), attribute, reason))


def reseal(system: System) -> Report:
    """Walk both tables, and seal anew what is not sealed as it would be today. May be repeated at any time.

    Raises OpsError, StoreUnavailable; what was done until then is done.
    """
    keys = read_data_keys(system)
    let_it_be_heard(keys, system)
    outcome = _Outcome()
    work = _Work(keys, Sealer(keys, system.ports.ids), system, outcome)
    work.walk()
    return _report(outcome)


def name_record(item: Item) -> str:
    """Return a partition key where it names a record; else its kind alone, since claims bear a customer's id."""
    key = item["pk"].get("S", "")
    return key if kind_of(item) in SEALED_FIELDS else record_kind(key)


class _Work:
    def __init__(self, keys: DataKeys, sealer: Sealer, system: System, outcome: _Outcome) -> None:
        self._keys = keys
        self._sealer = sealer
        self._system = system
        self._outcome = outcome
        self._old = frozenset(one for ring in ACTIVE for one in keys.ring(ring).keys() - {keys.active(ring)})
        self._later: list[tuple[str, Item]] = []

    def walk(self) -> None:
        tables = self._system.environment
        for name, table in (("bindings", tables.bindings_table), ("transactions", tables.transactions_table)):
            for number, page in enumerate(self._system.pages(table), 1):
                if not is_still_in_use(self._keys, self._system):
                    self._outcome.complete = False
                    return
                for item in page:
                    self._count(item)
                    self._seal_anew(table, item)
                self._outcome.read[name] += len(page)
                if number % _EACH == 0:
                    self._tell_progress(name)
            self._tell_progress(name)
        if self._later:
            self._system.outside.pause(_BREATH)
        for table, key in self._later:
            again = self._system.store.get(table, key)
            if again is not None:
                self._seal_anew(table, again, is_last=True)

    def _tell_progress(self, name: str) -> None:
        done = self._outcome
        print(f"{name}: {done.read[name]} items read, {done.anew} texts sealed anew", file=sys.stderr, flush=True)

    def _count(self, item: Item) -> None:
        """Count what is new already, and what this release can not judge."""
        for attribute, key_id in list_strangers(item):
            if key_id in self._old:
                self._outcome.leave(item, attribute, "this release knows of no sealed text there: run a newer one")
        try:
            self._outcome.new += sum(self._sealer.is_new(one) for one in list_sealed(item))
        except MalformedItem as error:
            self._outcome.leave(item, "-", f"this release can not read it: {error.fault}")

    def _seal_anew(self, table: str, item: Item, *, is_last: bool = False) -> None:
        key, texts = {"pk": item["pk"], "sk": item["sk"]}, self._list_old(item)
        for _ in range(_TRIES):
            try:
                if not texts or has_pending_news(item):
                    break
            except MalformedItem as error:
                self._outcome.leave(item, "-", f"this release can not read it: {error.fault}")
                return
            anew, unopened = self._open_each(texts)
            refused = self._put(table, key, item, anew)
            if refused is None:
                self._outcome.anew += len(anew)
                self._leave(item, unopened)
                return
            item, before = refused.item or {}, len(texts)
            texts = self._list_old(item)
            self._outcome.gone += max(before - len(texts), 0)
        if texts and (is_last or len(self._later) >= _KEPT):
            self._leave(item, dict.fromkeys(texts, "it is being written, or its news told: again in a minute"))
        elif texts:
            self._later.append((table, key))

    def _put(self, table: str, key: Item, item: Item, anew: Mapping[SealedText, str]) -> Refused | None:
        if not anew:
            return None
        attributes, condition = put_in_place(item, anew)
        answer = self._system.store.update(table, key, set_and_remove(attributes), condition)
        return answer if isinstance(answer, Refused) else None

    def _list_old(self, item: Item) -> list[SealedText]:
        try:
            return [one for one in list_sealed(item) if not self._sealer.is_new(one)]
        except MalformedItem:
            return []  # counted before

    def _open_each(self, texts: Sequence[SealedText]) -> tuple[dict[SealedText, str], dict[SealedText, str]]:
        """Return those that open, sealed anew, and why the others do not."""
        anew: dict[SealedText, str] = {}
        unopened: dict[SealedText, str] = {}
        for one in texts:
            try:
                anew[one] = self._sealer.seal(self._sealer.open(one), one)
            except UnsealFailed as error:
                unopened[one] = error.detail
        return anew, unopened

    def _leave(self, item: Item, texts: Mapping[SealedText, str]) -> None:
        for one, reason in texts.items():
            self._outcome.leave(item, one.attribute, reason)


def _report(outcome: _Outcome) -> Report:
    facts = {
        "sealedAnew": outcome.anew,
        "alreadyNew": outcome.new,
        "goneMeanwhile": outcome.gone,
        "left": outcome.left,
        "records": [
            {"record": one.record, "kind": one.kind, "attribute": one.attribute, "reason": one.reason}
            for one in outcome.listed
        ],
        "read": dict(outcome.read),
        "complete": outcome.complete,
    }
    lines = [
        f"{outcome.anew} texts are sealed anew, {outcome.new} were already, {outcome.gone} were gone meanwhile",
    ]
    if not outcome.complete:
        lines.append("the secret was changed meanwhile: run it again")
    if outcome.left:
        shown = outcome.listed[:_LISTED]
        lines += [f"{outcome.left} are left:", *align([(one.record, one.attribute, one.reason) for one in shown])]
        lines += [f"and {outcome.left - len(shown)} more"] if outcome.left > len(shown) else []
    if outcome.left or not outcome.complete:
        return Report(facts, lines, NEEDS_A_PERSON)
    return Report(facts, [*lines, "nothing is under another key: ./ops revoke tokenKeys may take the old ones"], DONE)
