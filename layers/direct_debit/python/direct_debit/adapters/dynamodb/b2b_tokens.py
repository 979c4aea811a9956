"""The merchant's one B2B token, shared by the fleet, and the lease of the one who may renew it.

It lies in the bindings table, beside the customers' tokens: whoever speaks to DOKU may read that table.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from direct_debit.adapters.dynamodb import conditions
from direct_debit.adapters.dynamodb.changes import WRITE_ID, remove, set_and_remove
from direct_debit.adapters.dynamodb.client import Refused
from direct_debit.adapters.dynamodb.items import (
    instant,
    number,
    read_instant,
    read_instant_or_none,
    read_number,
    read_text,
    read_text_or_none,
    text,
)
from direct_debit.adapters.dynamodb.keys import B2B_TOKEN_KEY
from direct_debit.application.ports.fleet import SharedToken, SharedTokenRecord

if TYPE_CHECKING:
    from direct_debit.adapters.dynamodb.client import Store

TOKEN_KIND = "token"  # noqa: S105 - a name
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class DynamoDbB2BTokens:
    """Implements `B2BTokens`. A lease's `owner` is unique per renewal."""

    def __init__(self, store: Store, bindings_table: str) -> None:
        self._store = store
        self._table = bindings_table

    def read(self) -> SharedTokenRecord:
        """Read consistently."""
        item = self._store.get(self._table, B2B_TOKEN_KEY)
        if item is None:
            return SharedTokenRecord()
        token = None
        if "token" in item:
            token = SharedToken(
                token=read_text(item, "token"),
                # Older code wrote neither: such a token serves, and proves nothing.
                signed_with=read_text_or_none(item, "signedWith") or "",
                issued_at=read_instant_or_none(item, "issuedAt") or _LONG_AGO,
                expires_at=read_instant(item, "expiresAt"),
                generation=read_number(item, "generation"),
            )
        return SharedTokenRecord(token, read_instant_or_none(item, "leaseUntil"))

    def take_lease(self, owner: str, generation: int, now: datetime, until: datetime) -> bool:
        """Become the one who renews generation `generation`; False while another lease runs or it was renewed."""
        change = set_and_remove({"kind": text(TOKEN_KIND), "leaseOwner": text(owner), "leaseUntil": instant(until)})
        condition = conditions.token_renewable(owner, generation, now)
        return not isinstance(self._store.update(self._table, B2B_TOKEN_KEY, change, condition), Refused)

    def publish(self, owner: str, token: SharedToken) -> bool:
        """Replace the token and give up the lease; False when the lease had passed to somebody else."""
        write_id = self._store.new_write_id()
        change = set_and_remove(
            {
                "token": text(token.token),
                "signedWith": text(token.signed_with),
                "issuedAt": instant(token.issued_at),
                "expiresAt": instant(token.expires_at),
                "generation": number(token.generation),
                WRITE_ID: text(write_id),
            },
            ("leaseOwner", "leaseUntil"),
        )
        answer = self._store.update(self._table, B2B_TOKEN_KEY, change, conditions.token_lease_held(owner))
        return not isinstance(answer, Refused) or answer.is_write(write_id)

    def release_lease(self, owner: str) -> None:
        """Give up the lease after a failed renewal; nothing happens when it has passed to somebody else."""
        change = remove("leaseOwner", "leaseUntil")
        self._store.update(self._table, B2B_TOKEN_KEY, change, conditions.token_lease_held(owner))
