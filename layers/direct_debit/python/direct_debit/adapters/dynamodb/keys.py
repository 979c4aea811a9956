"""Keys of both tables and of their indexes. All keys are strings; `pk` and `sk` are the tables' keys.

Bindings table: `BINDING#<id>`/`BINDING` with its history `BINDING#<id>`/`HISTORY#<version>`, the
claims `ACCOUNT#<hash>`/`ACCOUNT` and `CUSTOMER#<id>`/`CUSTOMER`, the return pointers `RETURN#<hash>`/`RETURN`, the
shared token `TOKEN#b2b`/`TOKEN`; while somebody is being forgotten `CUSTOMER#<id>`/`FORGET`.
Transactions table: `PAYMENT#<ref>`/`PAYMENT` with its history `PAYMENT#<ref>`/`HISTORY#<version>`, the idempotency keys
`KEY#<fingerprint>`/`KEY`, the notifications `INBOX#<id>`/`INBOX`, the circuit `CIRCUIT#doku`/`CIRCUIT`.
Both have the indexes `customer` (customerId, createdAt), `day` (day, createdAt) and `due` (dueShard, dueAt); `due`
is sparse: only a record that is due some time, or waits for a person, carries its two keys. The transactions have
`dokuReference` too, for those that DOKU gave one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from zlib import crc32

from direct_debit.domain.values import JAKARTA

if TYPE_CHECKING:
    from datetime import date, datetime

    from direct_debit.adapters.dynamodb.items import Item

DUE_INDEX = "due"
CUSTOMER_INDEX = "customer"
DAY_INDEX = "day"
DOKU_REFERENCE_INDEX = "dokuReference"
SHARDS = 8
"""Partitions of the `due` index per kind of record. It may be raised; lowering it strands what is filed in
the partitions that are no longer read."""

DAY_SHARDS = 4
"""Partitions of the `day` index per day. It may be raised, never lowered."""

REVIEW_KIND = "review"
"""The partitions of the `due` index that hold what waits for a person, whatever kind of record it is."""

HISTORY_PREFIX = "HISTORY#"


def binding_key(binding_id: str) -> Item:
    """Return the key of a binding."""
    return {"pk": {"S": "BINDING#" + binding_id}, "sk": {"S": "BINDING"}}


def account_key(account: str) -> Item:
    """Return the key of the claim on an account; `account` is the phone's keyed hash."""
    return {"pk": {"S": "ACCOUNT#" + account}, "sk": {"S": "ACCOUNT"}}


def customer_key(customer_id: str) -> Item:
    """Return the key of the claim on a customer's one place for a link."""
    return {"pk": {"S": "CUSTOMER#" + customer_id}, "sk": {"S": "CUSTOMER"}}


def forget_key(customer_id: str) -> Item:
    """Return the key of what says that a customer is being forgotten; it is there only meanwhile."""
    return {"pk": {"S": "CUSTOMER#" + customer_id}, "sk": {"S": "FORGET"}}


def return_key(return_state_hash: str) -> Item:
    """Return the key of the pointer from a return state to its binding."""
    return {"pk": {"S": "RETURN#" + return_state_hash}, "sk": {"S": "RETURN"}}


def payment_key(ref: str) -> Item:
    """Return the key of a payment."""
    return {"pk": {"S": "PAYMENT#" + ref}, "sk": {"S": "PAYMENT"}}


def idempotency_key(fingerprint: str) -> Item:
    """Return the key of what an idempotency key names; `fingerprint` is its keyed hash."""
    return {"pk": {"S": "KEY#" + fingerprint}, "sk": {"S": "KEY"}}


def history_key(ref: str, version: int) -> Item:
    """Return the key of a step in a payment's history; versions are padded so that they sort."""
    return {"pk": {"S": "PAYMENT#" + ref}, "sk": {"S": f"{HISTORY_PREFIX}{version:010d}"}}


def binding_history_key(binding_id: str, version: int) -> Item:
    """Return the key of a step in a link's history."""
    return {"pk": {"S": "BINDING#" + binding_id}, "sk": {"S": f"{HISTORY_PREFIX}{version:010d}"}}


def is_step(item: Item) -> bool:
    """Return whether an item of a record's partition is a step of its history."""
    return str(item["sk"].get("S")).startswith(HISTORY_PREFIX)


def inbox_key(item_id: str) -> Item:
    """Return the key of an accepted notification."""
    return {"pk": {"S": "INBOX#" + item_id}, "sk": {"S": "INBOX"}}


B2B_TOKEN_KEY: Item = {"pk": {"S": "TOKEN#b2b"}, "sk": {"S": "TOKEN"}}
CIRCUIT_KEY: Item = {"pk": {"S": "CIRCUIT#doku"}, "sk": {"S": "CIRCUIT"}}


def due_shard(kind: str, record_id: str) -> str:
    """Return the partition of the `due` index that a record belongs to, the same in every process."""
    return f"{kind}#{crc32(record_id.encode()) % SHARDS}"


def is_of_kind(shard: str | None, kind: str) -> bool:
    """Return whether a partition of the `due` index is one of this kind; None is of no kind."""
    return shard is not None and shard.partition("#")[0] == kind


def due_shards(kind: str) -> list[str]:
    """Return all partitions of the `due` index for a kind of record."""
    return [f"{kind}#{shard}" for shard in range(SHARDS)]


def day_shard(created_at: datetime, record_id: str) -> str:
    """Return the partition of the `day` index that a record belongs to: its day in Jakarta, spread by its id."""
    return _day_shard(created_at.astimezone(JAKARTA).date(), crc32(record_id.encode()) % DAY_SHARDS)


def day_shards(day: date) -> list[str]:
    """Return all partitions of the `day` index for a day in Jakarta."""
    return [_day_shard(day, shard) for shard in range(DAY_SHARDS)]


@lru_cache(maxsize=256)  # each write of a record carries it
def _day_shard(day: date, shard: int) -> str:
    return f"{day:%Y%m%d}#{shard}"


def record_id(partition_key: str) -> str:
    """Return the id in a partition key: what stands behind the first `#`."""
    return partition_key.partition("#")[2]


def record_kind(partition_key: str) -> str:
    """Return what a partition key is of: what stands before the first `#`, for example `PAYMENT`."""
    return partition_key.partition("#")[0]
