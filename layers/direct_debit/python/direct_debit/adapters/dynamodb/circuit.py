"""The fleet's shared memory of whether DOKU answers: one item of the transactions table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from direct_debit.adapters.dynamodb import conditions
from direct_debit.adapters.dynamodb.changes import WRITE_ID, set_and_remove
from direct_debit.adapters.dynamodb.client import Refused
from direct_debit.adapters.dynamodb.items import instant, number, read_instant_or_none, read_number, text
from direct_debit.adapters.dynamodb.keys import CIRCUIT_KEY
from direct_debit.application.ports.fleet import CircuitState

if TYPE_CHECKING:
    from direct_debit.adapters.dynamodb.client import Store
    from direct_debit.adapters.dynamodb.items import AttributeValue


class DynamoDbCircuit:
    """Implements `Circuit`."""

    def __init__(self, store: Store, transactions_table: str) -> None:
        self._store = store
        self._table = transactions_table

    def read(self) -> CircuitState:
        """Read (eventually consistent is enough)."""
        item = self._store.get(self._table, CIRCUIT_KEY, consistent=False)
        if item is None:
            return CircuitState()
        return CircuitState(
            failures=read_number(item, "failures", 0),
            since=read_instant_or_none(item, "since"),
            open_until=read_instant_or_none(item, "openUntil"),
        )

    def replace(self, before: CircuitState, after: CircuitState) -> bool:
        """Write `after` if the state is still `before`; False otherwise."""
        write_id = self._store.new_write_id()
        new: dict[str, AttributeValue] = {
            "kind": text("circuit"),
            "failures": number(after.failures),
            WRITE_ID: text(write_id),
        }
        gone = []
        for name, moment in (("since", after.since), ("openUntil", after.open_until)):
            if moment is None:
                gone.append(name)
            else:
                new[name] = instant(moment)
        answer = self._store.update(
            self._table,
            CIRCUIT_KEY,
            set_and_remove(new, tuple(gone)),
            conditions.circuit_is(before.failures, before.since, before.open_until),
        )
        return not isinstance(answer, Refused) or answer.is_write(write_id)
