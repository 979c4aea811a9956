"""What waits for a person, in the `due` index: nothing of it is visited by itself, the operator's tools read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from direct_debit.adapters.dynamodb.due import EVER, find_filed
from direct_debit.adapters.dynamodb.items import read_instant, read_text
from direct_debit.adapters.dynamodb.keys import REVIEW_KIND, record_id, record_kind

if TYPE_CHECKING:
    from datetime import datetime

    from direct_debit.adapters.dynamodb.client import Store


@dataclass(frozen=True, slots=True)
class WaitingRecord:
    """A record that waits for a person: what it is (`PAYMENT`, `INBOX`, `BINDING`), its id, and since when. UTC."""

    kind: str
    id: str
    since: datetime


def list_waiting_for_review(
    store: Store, table: str, now: datetime, limit: int, *, since: datetime = EVER
) -> list[WaitingRecord]:
    """Return at most `limit` records that wait for a person, the longest waiting first; none from before `since`."""
    found = []
    for item in find_filed(store, table, REVIEW_KIND, now, limit, since=since):
        key = read_text(item, "pk")
        found.append(WaitingRecord(record_kind(key), record_id(key), read_instant(item, "dueAt")))
    return found
