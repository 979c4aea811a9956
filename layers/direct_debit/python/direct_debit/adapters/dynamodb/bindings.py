"""The bindings table: bindings, the claims on account and customer, the pointers from return states.

A claim is an item of its own, so that uniqueness is a condition on one key: it names the binding that holds it and,
until that binding is ACTIVE, the end of its lease. A change of a binding that touches its claims is one transaction.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from direct_debit.adapters.dynamodb import conditions
from direct_debit.adapters.dynamodb.binding_item import BINDING_KIND, read_binding, write_binding
from direct_debit.adapters.dynamodb.changes import (
    WRITE_ID,
    difference,
    remove,
    set_and_remove,
    unmarked_difference,
)
from direct_debit.adapters.dynamodb.client import Refused
from direct_debit.adapters.dynamodb.customer_claim import CUSTOMER_KIND, CustomerClaim, release
from direct_debit.adapters.dynamodb.due import list_due
from direct_debit.adapters.dynamodb.items import MalformedItem, instant, read_text, text
from direct_debit.adapters.dynamodb.keys import (
    CUSTOMER_INDEX,
    HISTORY_PREFIX,
    account_key,
    binding_key,
    customer_key,
    record_id,
    return_key,
)
from direct_debit.adapters.dynamodb.steps import delete_step, put_step, update_step
from direct_debit.application.errors import BindingChanged, NotFound, StoreUnavailable
from direct_debit.application.ports.bindings import AccountClaimLost, AccountTaken, CustomerBindings
from direct_debit.domain.binding import BindingState, remember_move

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from direct_debit.adapters.dynamodb.client import Store
    from direct_debit.adapters.dynamodb.conditions import Condition
    from direct_debit.adapters.dynamodb.items import AttributeValue, Item
    from direct_debit.application.ports.history import HistoryEntry
    from direct_debit.application.ports.pages import Page, PageMark, Selection
    from direct_debit.domain.binding import Binding


_COUNTINGS = 4  # tries, where others count the same customer's pages at the same time


class DynamoDbBindings:
    """Implements `Bindings`."""

    def __init__(self, store: Store, table: str, *, max_pages_per_day: int) -> None:
        self._store = store
        self._table = table
        self._max_pages_per_day = max_pages_per_day

    def create(self, binding: Binding, now: datetime, *, replacing: Sequence[str] = ()) -> AccountTaken | None:
        """Write the binding and claim account, customer and return state, all or nothing.

        A claim whose lease ended before `now` may be taken over, and one of the links named in `replacing` while the
        bank has not confirmed it. The page that it asks for is counted as one of its customer's day, and it goes on
        with the counts of the customer's links before. Raises PagesUsedUp.
        """
        free = conditions.claimable(binding.id, now, replacing)
        for _ in range(_COUNTINGS):
            claim = self._read_claim(binding.customer_id)
            counted = {
                **_claim(customer_key(binding.customer_id), CUSTOMER_KIND, binding),
                **claim.carry(),
                **claim.count_page(binding.pages.day, self._max_pages_per_day),
            }
            write_id = self._store.new_write_id()
            item = {**write_binding(binding), **claim.carry(), WRITE_ID: text(write_id)}
            refusals = self._store.transact(
                [
                    put_step(self._table, item, conditions.IS_NEW),
                    put_step(self._table, _claim(account_key(binding.account), "account", binding), free),
                    put_step(self._table, counted, free & claim.is_as_counted()),
                    put_step(self._table, _pointer(binding), conditions.IS_NEW),
                ],
                write_id,
            )
            if refusals is None:
                return None
            itself, account, customer, _ = refusals
            raced = customer is not None and not claim.has_same_counts(customer.item)
            if itself is not None or account is not None or not raced:
                return self._find_holder(refusals, write_id)
        raise StoreUnavailable("the customer's pages are being counted by others")

    def _find_holder(self, refusals: Sequence[Refused | None], write_id: str) -> AccountTaken | None:
        """Return who is in the way of a new binding; None where it was the binding itself."""
        itself, account, customer, _ = refusals
        if itself is not None:
            if itself.is_write(write_id):
                return None
            return AccountTaken(None if itself.item is None else read_binding(itself.item))
        claim = account or customer
        if claim is None:
            # 128 random bits met twice, or an id given twice: another attempt draws new ones.
            raise StoreUnavailable("the return state is in use")
        return AccountTaken(None if claim.item is None else self.get(read_text(claim.item, "bindingId")))

    def get(self, binding_id: str) -> Binding | None:
        """Read consistently."""
        item = self._store.get(self._table, binding_key(binding_id))
        return None if item is None else read_binding(item)

    def find_by_return_state(self, return_state_hash: str) -> Binding | None:
        """Return the binding that handed out this return state, now or earlier."""
        return self._follow(return_key(return_state_hash))

    def find_by_customer(self, customer_id: str) -> Binding | None:
        """Return the binding that holds the customer's one place, if any (its lease may have ended)."""
        holder = self._read_claim(customer_id).holder
        return None if holder is None else self.get(holder)

    def list_by_customer(self, customer_id: str) -> CustomerBindings:
        """Return all bindings of a customer, newest first, each as it is now; a new one may be missing for a moment.

        One that this code can not read is named, and hides none of the others.
        """
        # The index keeps keys only: with all attributes it would be written at each change of a record.
        items = self._store.query(
            {
                "TableName": self._table,
                "IndexName": CUSTOMER_INDEX,
                "KeyConditionExpression": "#customerId = :customer",
                "ExpressionAttributeNames": {"#customerId": "customerId"},
                "ExpressionAttributeValues": {":customer": text(customer_id)},
                "ScanIndexForward": False,
            }
        )
        bindings: list[Binding] = []
        unreadable: list[str] = []
        for binding_id in (record_id(read_text(item, "pk")) for item in items):
            try:
                binding = self.get(binding_id)
            except MalformedItem:
                unreadable.append(binding_id)
            else:
                bindings += [] if binding is None else [binding]
        return CustomerBindings(tuple(bindings), tuple(unreadable))

    def list_page(self, selection: Selection, limit: int, after: PageMark | None) -> Page[Binding]:
        """Return a page of a list, each binding as it is now; a new one may be missing for a moment."""
        from direct_debit.adapters.dynamodb.listing import list_page  # noqa: PLC0415 - one function lists

        return list_page(
            self._store, self._table, BINDING_KIND, selection=selection, limit=limit, after=after, read=read_binding
        )

    def save(self, before: Binding, after: Binding) -> Binding:
        """Write `after` if the record is still `before` (by version); keeps concurrent changes of `open_payments`.

        A binding that becomes ACTIVE makes its claims permanent, one that ends gives them up, a new return state gets
        its pointer, all in the same write. Raises BindingChanged, AccountClaimLost when a claim had passed to
        another binding, NotFound, StoreUnavailable. Where claims are part of the write, the answer's `open_payments`
        is that of `after`: a transaction returns no attributes. Where `pages` differ, the customer's are counted in the
        same write. Raises PagesUsedUp.
        """
        for _ in range(_COUNTINGS):
            claim = None if after.pages == before.pages else self._read_claim(before.customer_id)
            keep, give_up = self._claim_steps(before, after, claim)
            if not keep and not give_up:
                return self._update(before, after, conditions.unchanged(before.version, before.state.value))
            try:
                return self._transact(before, after, keep, give_up)
            except AccountClaimLost as lost:
                if claim is None or claim.has_same_counts(self._read_claim(before.customer_id).item):
                    raise lost from None
        raise StoreUnavailable("the customer's pages are being counted by others")

    def save_when_settled(self, before: Binding, after: Binding) -> Binding:
        """Like `save`, on the further condition that no payment is open on the binding.

        Raises BindingChanged; its `current.open_payments` says whether payments were the reason.
        """
        condition = conditions.unchanged_and_no_open_payments(before.version, before.state.value)
        return self._update(before, after, condition)

    def confirm_told(self, binding: Binding) -> None:
        """Take the untold moves out of a binding that is still as it was read; otherwise do nothing.

        Neither version nor write id move: a save that runs at the same time does not lose its race.
        """
        as_read = conditions.unchanged(binding.version, binding.state.value)
        self._note(binding, binding.told(), as_read)

    def put_off_news(self, binding: Binding, until: datetime) -> bool:
        """Let the untold moves of a binding that is still as it was read be told after `until`; False when it changed.

        As in `confirm_told`, nobody loses a race by it.
        """
        still_untold = conditions.unchanged_and_untold(binding.version, binding.state.value)
        return self._note(binding, replace(binding, tell_by=until), still_untold)

    def _note(self, binding: Binding, after: Binding, condition: Condition) -> bool:
        change = unmarked_difference(write_binding(binding), write_binding(after))
        if change is None:
            return True
        return not isinstance(self._store.update(self._table, binding_key(binding.id), change, condition), Refused)

    def history(self, binding_id: str) -> Sequence[HistoryEntry]:
        """Return the recorded steps, oldest first (written off the hot path, so the newest may be missing)."""
        from direct_debit.adapters.dynamodb.history_item import read_history  # noqa: PLC0415 - no function reads it

        items = self._store.query(
            {
                "TableName": self._table,
                "KeyConditionExpression": "#pk = :pk AND begins_with(#sk, :steps)",
                "ExpressionAttributeNames": {"#pk": "pk", "#sk": "sk"},
                "ExpressionAttributeValues": {":pk": binding_key(binding_id)["pk"], ":steps": text(HISTORY_PREFIX)},
                "ConsistentRead": True,
            }
        )
        return [read_history(item) for item in items]

    def add_history(self, binding_id: str, entry: HistoryEntry) -> bool:
        """Write one step; False when it was written before.

        As an update: who tells news may change items of this table, and put none (decision 0053).
        """
        from direct_debit.adapters.dynamodb.history_item import write_binding_history  # noqa: PLC0415 - for who tells

        write_id = self._store.new_write_id()
        item = {**write_binding_history(binding_id, entry), WRITE_ID: text(write_id)}
        key = {name: item.pop(name) for name in ("pk", "sk")}
        answer = self._store.update(self._table, key, set_and_remove(item), conditions.IS_NEW)
        return not isinstance(answer, Refused) or answer.is_write(write_id)

    def list_due(self, now: datetime, limit: int) -> Sequence[str]:
        """Return ids of bindings whose due time has come (eventually consistent, oldest first)."""
        return list_due(self._store, self._table, BINDING_KIND, now, limit)

    def _follow(self, key: Item) -> Binding | None:
        pointer = self._store.get(self._table, key)
        return None if pointer is None else self.get(read_text(pointer, "bindingId"))

    def _update(self, before: Binding, after: Binding, condition: Condition) -> Binding:
        write_id = self._store.new_write_id()
        change = difference(write_binding(before), write_binding(remember_move(before, after)), write_id)
        answer = self._store.update(self._table, binding_key(before.id), change, condition)
        if isinstance(answer, Refused):
            return _own_or_lost(answer, write_id)
        return read_binding(answer)

    def _claim_steps(
        self, before: Binding, after: Binding, claim: CustomerClaim | None
    ) -> tuple[list[TransactWriteItemTypeDef], list[TransactWriteItemTypeDef]]:
        """Return the further steps of a save: claims to keep (owned, or the save fails), claims to give up if owned.

        `claim` is the customer's, where pages are to be counted in it.
        """
        claims = (account_key(before.account), customer_key(before.customer_id))
        keep: list[TransactWriteItemTypeDef] = []
        if after.is_unconfirmed and after.lease_until != before.lease_until:
            keep = self._take_claims(after, claim)
        elif claim is not None:
            counts = self._count(before, after, claim)
            if counts:
                same = conditions.EXISTS & claim.is_as_counted()
                keep = [update_step(self._table, claims[1], set_and_remove(counts), same)]
        elif before.is_unconfirmed and after.state is BindingState.ACTIVE:
            keep = self._take_claims(after, None, for_good=True)
        elif after.state is BindingState.ACTIVE and before.state is not BindingState.ACTIVE:
            owned = conditions.owned(before.id)
            keep = [update_step(self._table, key, remove("leaseUntil"), owned) for key in claims]
        if after.return_state_hash != before.return_state_hash:
            keep.append(put_step(self._table, _pointer(after), conditions.IS_NEW))
        if before.holds_account and not after.holds_account:
            mine = conditions.owned_or_gone(before.id)
            free = update_step(self._table, claims[1], set_and_remove(release(after)), mine)
            return keep, [delete_step(self._table, claims[0], mine), free]
        return keep, []

    def _count(self, before: Binding, after: Binding, claim: CustomerClaim) -> dict[str, AttributeValue]:
        """Return what becomes of the customer's pages where the link's are another number. Raises PagesUsedUp."""
        if (after.pages.day, after.pages.count) > (before.pages.day, before.pages.count):
            return claim.count_page(after.pages.day, self._max_pages_per_day)
        return claim.take_page_back(after.pages.day)

    def _read_claim(self, customer_id: str) -> CustomerClaim:
        return CustomerClaim(self._store.get(self._table, customer_key(customer_id)))

    def _take_claims(
        self, binding: Binding, claim: CustomerClaim | None, *, for_good: bool = False
    ) -> list[TransactWriteItemTypeDef]:
        """Return the steps that claim account and customer; `claim` is the customer's, to count the page in."""
        counts = {} if claim is None else claim.count_page(binding.pages.day, self._max_pages_per_day)
        free = conditions.unconfirmed_or_own(binding.id)
        own = free if claim is None else free & claim.is_as_counted()
        claims: tuple[tuple[Item, str, Item, Condition], ...] = (
            (account_key(binding.account), "account", {}, free),
            (customer_key(binding.customer_id), CUSTOMER_KIND, counts, own),
        )
        steps: list[TransactWriteItemTypeDef] = []
        for key, kind, more, condition in claims:  # updates: those who prove links have that right, and may put nothing
            new: Item = {"kind": text(kind), "bindingId": text(binding.id), **more}
            if for_good:
                taken = set_and_remove(new, ("leaseUntil",))
            else:
                taken = set_and_remove({**new, "leaseUntil": instant(binding.lease_until)})
            steps.append(update_step(self._table, key, taken, condition))
        return steps

    def _transact(
        self,
        before: Binding,
        after: Binding,
        keep: list[TransactWriteItemTypeDef],
        give_up: list[TransactWriteItemTypeDef],
    ) -> Binding:
        write_id = self._store.new_write_id()
        after = remember_move(before, after)
        itself = update_step(
            self._table,
            binding_key(before.id),
            difference(write_binding(before), write_binding(after), write_id),
            conditions.unchanged(before.version, before.state.value),
        )
        while True:
            refusals = self._store.transact([itself, *keep, *give_up], write_id)
            if refusals is None:
                return after
            if refusals[0] is not None:
                return _own_or_lost(refusals[0], write_id)
            if any(refusals[1 : 1 + len(keep)]):
                raise AccountClaimLost
            # A claim to give up has passed to another binding, and never comes back: go on without it.
            mine = [step for step, refused in zip(give_up, refusals[1 + len(keep) :], strict=True) if refused is None]
            if len(mine) == len(give_up):
                raise StoreUnavailable("the store cancelled the transaction without a reason")
            give_up = mine


def _claim(key: Item, kind: str, binding: Binding) -> Item:
    return {
        **key,
        "kind": text(kind),
        "bindingId": text(binding.id),
        "leaseUntil": instant(binding.lease_until),
    }


def _pointer(binding: Binding) -> Item:
    return {**return_key(binding.return_state_hash), "kind": text("return"), "bindingId": text(binding.id)}


def _own_or_lost(refused: Refused, write_id: str) -> Binding:
    if refused.item is None:
        raise NotFound("there is no such binding")
    current = read_binding(refused.item)
    if refused.is_write(write_id):
        return current
    raise BindingChanged(current)
