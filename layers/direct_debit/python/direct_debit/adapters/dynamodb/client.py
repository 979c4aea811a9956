"""The one door to DynamoDB: the client's few methods as a Protocol, and `Store`, which turns its errors into values.

A failed condition is an answer, not an error. Everything else that goes wrong is StoreUnavailable: the write may or may
not have been applied, and the caller's repetition is safe because conditions and write ids make it so.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol, Unpack, cast

from botocore.exceptions import BotoCoreError, ClientError

from direct_debit.adapters.dynamodb.changes import WRITE_ID
from direct_debit.adapters.dynamodb.items import is_item
from direct_debit.adapters.dynamodb.run_all import run_in_turn
from direct_debit.application.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mypy_boto3_dynamodb.type_defs import (
        GetItemInputTypeDef,
        PutItemInputTypeDef,
        QueryInputTypeDef,
        TransactWriteItemsInputTypeDef,
        TransactWriteItemTypeDef,
        UpdateItemInputTypeDef,
    )

    from direct_debit.adapters.dynamodb.changes import Change
    from direct_debit.adapters.dynamodb.conditions import Condition
    from direct_debit.adapters.dynamodb.items import AttributeValue, Item
    from direct_debit.adapters.dynamodb.run_all import RunAll
    from direct_debit.application.ports.time_and_chance import Clock, Ids


class DynamoDb(Protocol):
    """What is used of boto3's low-level client, with its arguments, responses and errors."""

    def get_item(self, **kwargs: Unpack[GetItemInputTypeDef]) -> Mapping[str, object]:
        """Read one item."""
        ...

    def put_item(self, **kwargs: Unpack[PutItemInputTypeDef]) -> Mapping[str, object]:
        """Write one item."""
        ...

    def update_item(self, **kwargs: Unpack[UpdateItemInputTypeDef]) -> Mapping[str, object]:
        """Change one item."""
        ...

    def query(self, **kwargs: Unpack[QueryInputTypeDef]) -> Mapping[str, object]:
        """Read a page of one partition."""
        ...

    def transact_write_items(self, **kwargs: Unpack[TransactWriteItemsInputTypeDef]) -> Mapping[str, object]:
        """Write several items, all or nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Refused:
    """A condition was false. `item` is how the item stands; None when there is none."""

    item: Item | None

    def is_write(self, write_id: str) -> bool:
        """Whether the write that the condition met is this one: it had worked, and its reply was lost."""
        return self.item is not None and self.item.get(WRITE_ID, {}).get("S") == write_id


CONFLICT_ATTEMPTS = 4
CONFLICT_PAUSE = 0.05  # seconds, doubled each time, between half and the whole of it
_CONFLICTS = frozenset({"TransactionConflictException", "TransactionInProgressException"})
_CONDITION_FAILED = "ConditionalCheckFailed"
_OUR_MISTAKES = frozenset({"ValidationException", "IdempotentParameterMismatchException"})
_WRITE_ID_DIGITS = 24  # 96 random bits
_TOKEN_LENGTH = 32  # DynamoDB takes 36 at most


class _Conflict(Exception):
    """Another transaction was at one of the items: nothing was written, and trying again soon makes sense.

    `in_progress`: it is this very request, whose first sending is still at work.
    """

    def __init__(self, *, in_progress: bool = False) -> None:
        super().__init__("another transaction is at work")
        self.in_progress = in_progress


class _Tokens:
    """DynamoDB's request tokens of one transaction: they say what is the same request, and what is another one."""

    def __init__(self, write_id: str, steps: Sequence[TransactWriteItemTypeDef]) -> None:
        self._content = f"{write_id}:{json.dumps(steps)}"
        self._answers = 0
        self.current = self._make()

    def renew(self) -> None:
        """Count a definite answer: what follows is another request."""
        self._answers += 1
        self.current = self._make()

    def _make(self) -> str:
        return hashlib.sha256(f"{self._answers}:{self._content}".encode()).hexdigest()[:_TOKEN_LENGTH]


class Store:
    """Typed requests over a `DynamoDb`, for one composition root. Holds no state of its own.

    `run_all` runs what may be asked at the same time: in threads in Lambda, one after the other by itself.
    """

    def __init__(self, client: DynamoDb, clock: Clock, ids: Ids, run_all: RunAll = run_in_turn) -> None:
        self._client = client
        self._clock = clock
        self._ids = ids
        self._run_all = run_all

    def new_write_id(self) -> str:
        """Return a fresh id for one write: short, as it is stored with each record, and compared within it only."""
        return self._ids.new_id()[:_WRITE_ID_DIGITS]

    def get(self, table: str, key: Item, *, consistent: bool = True) -> Item | None:
        """Read one item; None when there is none."""
        response = self._call(
            lambda: self._client.get_item(TableName=table, Key=key, ConsistentRead=consistent),
        )
        found = response.get("Item")
        return None if found is None else _as_item(found)

    def put(self, table: str, item: Item, condition: Condition) -> Refused | None:
        """Write a whole item if the condition holds; None when it was written."""
        request: PutItemInputTypeDef = {
            "TableName": table,
            "Item": item,
            "ConditionExpression": condition.expression,
            "ExpressionAttributeNames": condition.names,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if condition.values:
            request["ExpressionAttributeValues"] = condition.values
        response = self._call_conditional(lambda: self._client.put_item(**request))
        return response if isinstance(response, Refused) else None

    def update(self, table: str, key: Item, change: Change, condition: Condition) -> Item | Refused:
        """Change one item if the condition holds; returns the whole item after the change."""
        request: UpdateItemInputTypeDef = {
            "TableName": table,
            "Key": key,
            "UpdateExpression": change.expression,
            "ConditionExpression": condition.expression,
            "ExpressionAttributeNames": {**change.names, **condition.names},
            "ReturnValues": "ALL_NEW",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        values: dict[str, AttributeValue] = {**change.values, **condition.values}
        if values:
            request["ExpressionAttributeValues"] = values
        response = self._call_conditional(lambda: self._client.update_item(**request))
        return response if isinstance(response, Refused) else _as_item(response.get("Attributes"))

    def query(self, request: QueryInputTypeDef) -> list[Item]:
        """Read one partition from the request's start to its end, or to its `Limit`."""
        found: list[Item] = []
        limit = request.get("Limit")
        while True:
            response = self._call(partial(self._client.query, **request))
            items = response.get("Items")
            if not isinstance(items, list):
                raise _unreadable()
            found.extend([_as_item(item) for item in items])
            last = response.get("LastEvaluatedKey")
            if not last or (limit is not None and len(found) >= limit):
                return found
            if last == request.get("ExclusiveStartKey"):
                raise _unreadable()  # a page that ends where it began has no next one
            request = {**request, "ExclusiveStartKey": _as_item(last)}

    def query_each(self, requests: Sequence[QueryInputTypeDef]) -> list[list[Item]]:
        """Read several partitions, at the same time where that is possible; see `query`."""
        return self._run_all([partial(self.query, request) for request in requests])

    def get_each(self, table: str, keys: Sequence[Item]) -> list[Item | None]:
        """Read several items, consistently, at the same time where that is possible; in the order of their keys."""
        found = self._run_all([partial(self._get_as_list, table, key) for key in keys])
        return [items[0] if items else None for items in found]

    def _get_as_list(self, table: str, key: Item) -> list[Item]:
        item = self.get(table, key)
        return [] if item is None else [item]

    def transact(self, steps: Sequence[TransactWriteItemTypeDef], write_id: str) -> Sequence[Refused | None] | None:
        """Write all steps or none. None when written; else, per step, how its condition was refused.

        What is sent again because its answer was lost bears DynamoDB's request token of the first time, and is
        recognised there for ten minutes. Other steps under the same write id, or the same ones after a definite answer
        ("in conflict"), are another request to DynamoDB and have another token.
        """
        tokens = _Tokens(write_id, steps)
        try:
            self._call(
                lambda: self._client.transact_write_items(TransactItems=steps, ClientRequestToken=tokens.current),
                after_conflict=tokens.renew,
            )
        except _Cancelled as cancelled:
            if len(cancelled.refusals) != len(steps):
                raise _unreadable() from None
            return cancelled.refusals
        return None

    def _call_conditional(self, call: Callable[[], Mapping[str, object]]) -> Mapping[str, object] | Refused:
        try:
            return self._call(call)
        except _ConditionFailed as failed:
            return Refused(failed.item)

    def _call(
        self, call: Callable[[], Mapping[str, object]], after_conflict: Callable[[], None] = lambda: None
    ) -> Mapping[str, object]:
        pause = CONFLICT_PAUSE
        for _ in range(CONFLICT_ATTEMPTS - 1):
            try:
                return _translate(call)
            except _Conflict as conflict:
                if not conflict.in_progress:
                    after_conflict()
                self._clock.sleep(pause * (1 + self._ids.jitter()) / 2)
                pause *= 2
        try:
            return _translate(call)
        except _Conflict:
            raise StoreUnavailable("the store is busy with this record", code="TransactionConflict") from None


class _ConditionFailed(Exception):
    def __init__(self, item: Item | None) -> None:
        super().__init__("a condition was false")
        self.item = item


class _Cancelled(Exception):
    def __init__(self, refusals: Sequence[Refused | None]) -> None:
        super().__init__("a transaction's condition was false")
        self.refusals = refusals


def _translate(call: Callable[[], Mapping[str, object]]) -> Mapping[str, object]:
    """Make the call; the only place that knows botocore's errors."""
    try:
        return call()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "ConditionalCheckFailedException":
            raise _ConditionFailed(_item_of(error.response)) from None
        if code == "TransactionCanceledException":
            raise _read_cancellation(error) from None
        if code in _CONFLICTS:
            raise _Conflict(in_progress=code == "TransactionInProgressException") from None
        if code in _OUR_MISTAKES:
            raise  # repeating it would not help
        raise StoreUnavailable(f"the store answered {code}", code=code) from error
    except BotoCoreError as error:
        raise StoreUnavailable(f"the store did not answer: {type(error).__name__}") from error


def _read_cancellation(error: ClientError) -> Exception:
    told: object = error.response.get("CancellationReasons")
    reasons = [reason for reason in told if isinstance(reason, dict)] if isinstance(told, list) else []
    codes = {str(reason.get("Code") or "None") for reason in reasons}
    if _CONDITION_FAILED in codes:
        return _Cancelled(
            [Refused(_item_of(reason)) if reason.get("Code") == _CONDITION_FAILED else None for reason in reasons]
        )
    if "TransactionConflict" in codes:
        return _Conflict()
    if "ValidationError" in codes:
        return error
    code = min(codes - {"None"}, default="TransactionCanceledException")
    return StoreUnavailable(f"the store cancelled the transaction: {code}", code=code)


def _item_of(response: object) -> Item | None:
    found = cast("Mapping[str, object]", response).get("Item")
    return _as_item(found) if found else None


def _as_item(value: object) -> Item:
    if not is_item(value):
        raise _unreadable()
    return value


def _unreadable() -> StoreUnavailable:
    """Say that an answer has another shape than the store's have: what it was about may have been done, or not."""
    return StoreUnavailable("the store's answer can not be read")
