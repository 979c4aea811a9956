"""The payments in the transactions table. Each write is one conditional request."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from direct_debit.adapters.dynamodb import conditions
from direct_debit.adapters.dynamodb.binding_item import CHARGES, OPEN_PAYMENTS, read_binding
from direct_debit.adapters.dynamodb.changes import (
    WRITE_ID,
    add_and_count,
    add_to_set,
    delete_from_set,
    difference,
    set_and_remove,
    unmarked_difference,
)
from direct_debit.adapters.dynamodb.client import Refused
from direct_debit.adapters.dynamodb.due import list_due
from direct_debit.adapters.dynamodb.filing import keep_earlier_filing
from direct_debit.adapters.dynamodb.items import instant, read_text, text
from direct_debit.adapters.dynamodb.key_item import read_key, write_key
from direct_debit.adapters.dynamodb.keys import (
    DOKU_REFERENCE_INDEX,
    HISTORY_PREFIX,
    binding_key,
    idempotency_key,
    is_step,
    payment_key,
)
from direct_debit.adapters.dynamodb.payment_item import PAYMENT_KIND, read_payment, write_payment
from direct_debit.adapters.dynamodb.steps import check_step, put_step, update_step
from direct_debit.application.errors import NotFound, PaymentChanged, StoreUnavailable
from direct_debit.application.ports.payments import BindingUnusable, KeyTaken, PaymentExists
from direct_debit.domain.payment import remember_moves
from direct_debit.domain.values import day_in_jakarta

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from direct_debit.adapters.dynamodb.changes import Change
    from direct_debit.adapters.dynamodb.client import Store
    from direct_debit.adapters.dynamodb.conditions import Condition
    from direct_debit.application.ports.history import HistoryEntry
    from direct_debit.application.ports.pages import Page, PageMark, Selection
    from direct_debit.application.ports.payments import PaymentKey
    from direct_debit.domain.payment import Payment
    from direct_debit.domain.values import DayCount


class DynamoDbPayments:
    """Implements `Payments`.

    `max_open_payments` bounds the unsettled payments of one binding, `max_payments_per_day` the new ones of a day in
    Jakarta (0: no bound).
    """

    def __init__(
        self,
        store: Store,
        transactions_table: str,
        bindings_table: str,
        *,
        max_open_payments: int,
        max_payments_per_day: int,
    ) -> None:
        self._store = store
        self._table = transactions_table
        self._bindings_table = bindings_table
        self._max_open_payments = max_open_payments
        self._max_payments_per_day = max_payments_per_day

    def create(
        self, payment: Payment, key: PaymentKey | None = None, charges: DayCount | None = None
    ) -> PaymentExists | KeyTaken | BindingUnusable | None:
        """Write the payment and note it as open on its binding, if the reference is new and the binding is ACTIVE.

        It is counted as one of the day; `charges` is the binding's count as it was read. Where the day has been begun
        since, the binding is unusable, as it is then.
        From the same transaction on the key names this payment; nothing is written when it names another one.
        """
        write_id = self._store.new_write_id()
        day = day_in_jakarta(payment.created_at)
        begins_day = charges is None or charges.day != day
        refusals = self._store.transact(
            [
                put_step(
                    self._table,
                    {**write_payment(payment), WRITE_ID: text(write_id)},
                    conditions.IS_NEW,
                ),
                update_step(
                    self._bindings_table,
                    binding_key(payment.binding_id),
                    add_and_count(OPEN_PAYMENTS, payment.ref, CHARGES, day, begins=begins_day),
                    conditions.can_take_payment(
                        payment.customer_id,
                        self._max_open_payments,
                        day,
                        self._max_payments_per_day,
                        begins_day=begins_day and charges is not None,
                    ),
                ),
                *([] if key is None else self._key_steps(key, payment.ref)),
            ],
            write_id,
        )
        if refusals is None:
            return None
        exists, unusable, *of_key = refusals
        if exists is not None:
            if exists.is_write(write_id):
                return None
            if exists.item is None:
                raise StoreUnavailable("the store refused the payment without telling what is there")
            return PaymentExists(read_payment(exists.item))
        return _taken(key, of_key) or _unusable(unusable)

    def bind_key(self, key: PaymentKey, ref: str) -> KeyTaken | None:
        """Let a key name a payment that exists, for ever, unless it names another one. Harmless when repeated."""
        refusals = self._store.transact(self._key_steps(key, ref), self._store.new_write_id())
        return None if refusals is None else _taken(key, refusals)

    def find_key(self, key: PaymentKey) -> str | None:
        """Return the reference of the payment that the key was recorded with. Read consistently."""
        item = self._store.get(self._table, idempotency_key(key.fingerprint))
        return None if item is None else read_key(item)

    def _key_steps(self, key: PaymentKey, ref: str) -> list[TransactWriteItemTypeDef]:
        steps = [put_step(self._table, write_key(key, ref), conditions.names_no_other(ref))]
        if key.own_ref != ref:
            steps.append(check_step(self._table, payment_key(key.own_ref), conditions.NO_PAYMENT_BY_KEY_ALONE))
        return steps

    def get(self, ref: str) -> Payment | None:
        """Read consistently."""
        item = self._store.get(self._table, payment_key(ref))
        return None if item is None else read_payment(item)

    def get_with_history(self, ref: str) -> tuple[Payment, Sequence[HistoryEntry]] | None:
        """Read a payment and its recorded steps together: they are one partition, the steps before the payment."""
        from direct_debit.adapters.dynamodb.history_item import read_history

        items = self._store.query(
            {
                "TableName": self._table,
                "KeyConditionExpression": "#pk = :pk",
                "ExpressionAttributeNames": {"#pk": "pk"},
                "ExpressionAttributeValues": {":pk": payment_key(ref)["pk"]},
                "ConsistentRead": True,
            }
        )
        payment, steps = None, []
        for item in items:
            if item["sk"] == payment_key(ref)["sk"]:
                payment = read_payment(item)
            elif is_step(item):
                steps.append(read_history(item))
        return None if payment is None else (payment, steps)

    def save(self, before: Payment, after: Payment) -> Payment:
        """Write `after` if the record is still `before` (by version).

        Raises PaymentChanged, NotFound when there is no record, StoreUnavailable.
        """
        write_id = self._store.new_write_id()
        answer = self._store.update(
            self._table,
            payment_key(before.ref),
            _change(before, remember_moves(before, after), write_id),
            conditions.unchanged(before.version, before.state.value),
        )
        if isinstance(answer, Refused):
            return _own_or_lost(answer, write_id)
        return read_payment(answer)

    def reclaim(self, before: Payment, after: Payment) -> BindingUnusable | Payment:
        """Like `save` for a payment that is about to be sent (again): the binding must be ACTIVE in the same write.

        The payment counts as open on its binding again. Raises PaymentChanged, NotFound, StoreUnavailable.
        """
        usable = conditions.can_take_payment_again(before.customer_id, self._max_open_payments, before.ref)
        return self._save_as_open(before, after, usable)

    def hold_account(self, before: Payment, after: Payment) -> BindingUnusable | Payment:
        """Like `save` for a payment whose refund begins: it counts as open on its binding, which must be linked.

        Raises PaymentChanged, NotFound, StoreUnavailable.
        """
        return self._save_as_open(before, after, conditions.is_linked(before.customer_id))

    def release_account(self, binding_id: str, ref: str, settled: Payment | None, *, told: bool = False) -> None:
        """Take a payment out of its binding's `openPayments`, if the payment is still as it was read.

        `told` takes its untold moves out of the record in the same write. Neither version nor write id of the two move:
        a save that runs at the same time does not lose its race. A binding that is not there is left so. Raises
        PaymentChanged, NotFound, StoreUnavailable.
        """
        as_read = conditions.IS_NEW if settled is None else conditions.unchanged(settled.version, settled.state.value)
        change = None
        if told and settled is not None:
            change = unmarked_difference(write_payment(settled), write_payment(settled.told()))
        key = payment_key(ref)
        refusals = self._store.transact(
            [
                check_step(self._table, key, as_read)
                if change is None
                else update_step(self._table, key, change, as_read),
                update_step(
                    self._bindings_table,
                    binding_key(binding_id),
                    delete_from_set(OPEN_PAYMENTS, ref),
                    conditions.EXISTS,
                ),
            ],
            self._store.new_write_id(),
        )
        if refusals is not None and refusals[0] is not None:
            if refusals[0].item is None:
                raise NotFound("there is no such payment")
            raise PaymentChanged(read_payment(refusals[0].item))
        if refusals is not None and told and settled is not None:
            self.confirm_told(settled)  # without its binding there is nothing to take it out of

    def confirm_told(self, payment: Payment) -> None:
        """Let a payment that is still as it was read carry its moves no longer; otherwise do nothing.

        Neither version nor write id move: a save that runs at the same time does not lose its race.
        """
        as_read = conditions.unchanged(payment.version, payment.state.value)
        self._note(payment, payment.told(), as_read)

    def put_off_news(self, payment: Payment, until: datetime) -> bool:
        """Let the untold moves of a payment that is still as it was read be told after `until`; False when it changed.

        As in `confirm_told`, nobody loses a race by it.
        """
        still_untold = conditions.unchanged_and_untold(payment.version, payment.state.value)
        return self._note(payment, replace(payment, tell_by=until), still_untold)

    def file_again(self, payment: Payment) -> None:
        """File a payment that is still as it was read at its due time; do nothing when it has changed.

        As in `confirm_told`, nobody loses a race by it. What has left the index meanwhile stays out of it.
        """
        if payment.first_due is not None:
            as_read = conditions.unchanged_and_filed(payment.version, payment.state.value)
            change = set_and_remove({"dueAt": instant(payment.first_due)})
            self._store.update(self._table, payment_key(payment.ref), change, as_read)

    def _note(self, payment: Payment, after: Payment, condition: Condition) -> bool:
        change = unmarked_difference(write_payment(payment), write_payment(after))
        if change is None:
            return True
        return not isinstance(self._store.update(self._table, payment_key(payment.ref), change, condition), Refused)

    def _save_as_open(self, before: Payment, after: Payment, binding: Condition) -> BindingUnusable | Payment:
        write_id = self._store.new_write_id()
        after = remember_moves(before, after)
        refusals = self._store.transact(
            [
                update_step(
                    self._table,
                    payment_key(before.ref),
                    _change(before, after, write_id),
                    conditions.unchanged(before.version, before.state.value),
                ),
                update_step(
                    self._bindings_table, binding_key(before.binding_id), add_to_set(OPEN_PAYMENTS, before.ref), binding
                ),
            ],
            write_id,
        )
        if refusals is None:
            return after
        changed, unusable = refusals
        if changed is not None:
            return _own_or_lost(changed, write_id)
        return _unusable(unusable)

    def list_due(self, now: datetime, limit: int) -> Sequence[str]:
        """Return references of payments whose due time has come (eventually consistent, oldest first)."""
        return list_due(self._store, self._table, PAYMENT_KIND, now, limit)

    def list_page(self, selection: Selection, limit: int, after: PageMark | None) -> Page[Payment]:
        """Return a page of a list, each payment as it is now; a new one may be missing for a moment."""
        from direct_debit.adapters.dynamodb.listing import list_page

        return list_page(
            self._store, self._table, PAYMENT_KIND, selection=selection, limit=limit, after=after, read=read_payment
        )

    def find_by_doku_reference(self, doku_reference: str) -> Page[Payment]:
        """Return the payments that DOKU named so; a new one may be missing for a moment."""
        from direct_debit.adapters.dynamodb.listing import mark_entries, read_page

        entries = self._store.query(
            {
                "TableName": self._table,
                "IndexName": DOKU_REFERENCE_INDEX,
                "KeyConditionExpression": "#dokuReference = :reference",
                "ExpressionAttributeNames": {"#dokuReference": "dokuReference"},
                "ExpressionAttributeValues": {":reference": text(doku_reference)},
            }
        )
        return read_page(
            self._store, self._table, PAYMENT_KIND, mark_entries(entries, "createdAt"), None, read=read_payment
        )

    def history(self, ref: str) -> Sequence[HistoryEntry]:
        """Return the recorded steps, oldest first (written off the hot path, so the newest may be missing)."""
        from direct_debit.adapters.dynamodb.history_item import read_history

        items = self._store.query(
            {
                "TableName": self._table,
                "KeyConditionExpression": "#pk = :pk AND begins_with(#sk, :steps)",
                "ExpressionAttributeNames": {"#pk": "pk", "#sk": "sk"},
                "ExpressionAttributeValues": {
                    ":pk": text(read_text(payment_key(ref), "pk")),
                    ":steps": text(HISTORY_PREFIX),
                },
                "ConsistentRead": True,
            }
        )
        return [read_history(item) for item in items]

    def add_history(self, ref: str, entry: HistoryEntry) -> bool:
        """Write one step; False when it was written before."""
        from direct_debit.adapters.dynamodb.history_item import write_history

        write_id = self._store.new_write_id()
        item = {**write_history(ref, entry), WRITE_ID: text(write_id)}
        refused = self._store.put(self._table, item, conditions.IS_NEW)
        return refused is None or refused.is_write(write_id)


def _taken(key: PaymentKey | None, refusals: Sequence[Refused | None]) -> KeyTaken | None:
    """Return what the steps of a key were refused for: the payment that it names; None when they were not."""
    if key is None or not any(refusals):
        return None
    named = refusals[0]
    return KeyTaken(key.own_ref if named is None or named.item is None else read_key(named.item))


def _change(before: Payment, after: Payment, write_id: str) -> Change:
    old, new = write_payment(before), write_payment(after)
    return difference(old, new, write_id, lasting=keep_earlier_filing(before, after, old, new))


def _own_or_lost(refused: Refused, write_id: str) -> Payment:
    if refused.item is None:
        raise NotFound("there is no such payment")
    current = read_payment(refused.item)
    if refused.is_write(write_id):
        return current
    raise PaymentChanged(current)


def _unusable(refused: Refused | None) -> BindingUnusable:
    if refused is None:
        raise StoreUnavailable("the store cancelled the transaction without a reason")
    return BindingUnusable(None if refused.item is None else read_binding(refused.item))
