"""DynamoDB in memory: the low-level client's five methods with their shapes, conditions and errors.

Made for a simulation that makes millions of calls: expressions are parsed once, items are shared and never copied
deeply (nobody may change a value once it was handed in or out), indexes stay sorted. Differences to the service, all
deliberate: indexes and reads are never stale, nothing throttles, a request that is repeated under its token is done
again. Limits are those of `tests/aws_rules`. Whoever wants faults wraps it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, Unpack, cast

from botocore.exceptions import ClientError

from tests.aws_rules.item_limits import LARGEST_ITEM, LONGEST_PARTITION_KEY, LONGEST_SORT_KEY, is_beyond
from tests.aws_rules.transaction_limits import LARGEST_TRANSACTION, MOST_ACTIONS
from tests.fakes.dynamodb_expressions import (
    ExpressionError,
    parse_condition,
    parse_key_condition,
    parse_projection,
    parse_update,
    sort_value,
    type_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from mypy_boto3_dynamodb.type_defs import (
        GetItemInputTypeDef,
        PutItemInputTypeDef,
        QueryInputTypeDef,
        TransactWriteItemsInputTypeDef,
        UpdateItemInputTypeDef,
    )

    from tests.fakes.dynamodb_expressions import Item, Names, ParsedKeyCondition, Value, Values

_REMEMBERED_REQUESTS = 1000

type Request = Mapping[str, Any]
type Key = tuple[str | Decimal, str | Decimal]


@dataclass(frozen=True, slots=True)
class Index:
    """A global secondary index: its keys, and what it projects (None: everything)."""

    partition: str
    sort: str
    attributes: frozenset[str] | None = None


@dataclass(frozen=True)
class Schema:
    """A table's keys and indexes. Key attributes not named in `numbers` are strings."""

    partition: str = "pk"
    sort: str = "sk"
    indexes: Mapping[str, Index] = field(default_factory=dict)
    numbers: frozenset[str] = frozenset()

    @cached_property
    def index_keys(self) -> Mapping[str, int]:
        """The indexes' key attributes, each once, with the most bytes that it may have."""
        partitions = {index.partition: LONGEST_PARTITION_KEY for index in self.indexes.values()}
        return partitions | {index.sort: LONGEST_SORT_KEY for index in self.indexes.values()}

    def key_type(self, name: str) -> str:
        """Return the type letter of a key attribute."""
        return "N" if name in self.numbers else "S"


APPLICATION_SCHEMA = Schema(
    indexes={
        "customer": Index("customerId", "createdAt", frozenset()),
        "day": Index("day", "createdAt", frozenset()),
        "due": Index("dueShard", "dueAt", frozenset({"kind"})),
        "dokuReference": Index("dokuReference", "createdAt", frozenset()),
    }
)
"""What both tables of the application have (template.yaml); DOKU's reference is that of payments only."""


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One change, as a stream with new and old images shows it."""

    sequence: int
    event: str  # INSERT, MODIFY, REMOVE
    keys: Item
    old: Item | None
    new: Item | None


@dataclass(slots=True)
class _Partition:
    """Items that share a partition key: `order` is sorted; an index's entry carries the table's key behind its own."""

    order: list[Any] = field(default_factory=list)
    items: dict[Any, Item] = field(default_factory=dict)

    def put(self, key: object, item: Item) -> None:
        if key not in self.items:
            insort(self.order, key)
        self.items[key] = item

    def remove(self, key: object) -> None:
        if self.items.pop(key, None) is not None:
            del self.order[bisect_left(self.order, key)]


@dataclass(slots=True)
class _Table:
    schema: Schema
    items: dict[Key, Item] = field(default_factory=dict)
    partitions: dict[str | Decimal, _Partition] = field(default_factory=dict)
    indexes: dict[str, dict[str | Decimal, _Partition]] = field(default_factory=dict)
    stream: list[StreamRecord] | None = None
    sequence: int = 0


class InMemoryDynamoDb:
    """Implements `DynamoDb`. One lock makes each request atomic, so that threads may share it.

    Items are handed out as they are kept, without a copy: nobody changes one.
    """

    def __init__(self, *tables: str, schema: Schema = APPLICATION_SCHEMA, with_streams: bool = True) -> None:
        self._lock = Lock()
        self._tables: dict[str, _Table] = {}
        self._requests: dict[str, object] = {}  # by their tokens, the latest only
        for name in tables:
            self.create_table(name, schema, with_stream=with_streams)

    def create_table(self, name: str, schema: Schema = APPLICATION_SCHEMA, *, with_stream: bool = True) -> None:
        """Make an empty table."""
        self._tables[name] = _Table(
            schema, indexes={index: {} for index in schema.indexes}, stream=[] if with_stream else None
        )

    def stream(self, table: str) -> Sequence[StreamRecord]:
        """Return all changes of a table so far, in order; always the same list, so that a reader keeps a position."""
        records = self._tables[table].stream
        if records is None:
            raise ValueError("this table was made without a stream")
        return records

    def items(self, table: str) -> Iterable[Item]:
        """Return all items of a table, for checks of a whole state."""
        return self._tables[table].items.values()

    # --- the client's methods ----------------------------------------------------------------------------------------

    def get_item(self, **kwargs: Unpack[GetItemInputTypeDef]) -> Mapping[str, object]:
        """Read one item."""
        _only(kwargs, _GET)
        with self._lock:
            table = self._table(kwargs, "GetItem")
            item = table.items.get(_key(table.schema, kwargs["Key"], "GetItem"))
        if item is None:
            return {}
        return {"Item": _projected(item, kwargs, "GetItem")}

    def put_item(self, **kwargs: Unpack[PutItemInputTypeDef]) -> Mapping[str, object]:
        """Write one item."""
        _only(kwargs, _PUT)
        with self._lock:
            table = self._table(kwargs, "PutItem")
            write = _prepare_put(table, kwargs, "PutItem")
            _refuse(write, kwargs, "PutItem")
            _apply(table, write)
        if kwargs.get("ReturnValues") == "ALL_OLD" and write.old is not None:
            return {"Attributes": write.old}
        return {}

    def update_item(self, **kwargs: Unpack[UpdateItemInputTypeDef]) -> Mapping[str, object]:
        """Change one item."""
        _only(kwargs, _UPDATE)
        with self._lock:
            table = self._table(kwargs, "UpdateItem")
            write = _prepare_update(table, kwargs, "UpdateItem")
            _refuse(write, kwargs, "UpdateItem")
            _apply(table, write)
        wanted = kwargs.get("ReturnValues", "NONE")
        if wanted == "ALL_NEW" and write.new is not None:
            return {"Attributes": write.new}
        if wanted == "ALL_OLD" and write.old is not None:
            return {"Attributes": write.old}
        if wanted not in ("NONE", "ALL_NEW", "ALL_OLD"):
            raise NotImplementedError(wanted)
        return {}

    def query(self, **kwargs: Unpack[QueryInputTypeDef]) -> Mapping[str, object]:
        """Read a page of one partition."""
        _only(kwargs, _QUERY)
        with self._lock:
            return _query(self._table(kwargs, "Query"), kwargs)

    def transact_write_items(self, **kwargs: Unpack[TransactWriteItemsInputTypeDef]) -> Mapping[str, object]:
        """Write several items, all or nothing."""
        _only(kwargs, _TRANSACT)
        operation = "TransactWriteItems"
        if not 1 <= len(kwargs["TransactItems"]) <= MOST_ACTIONS:
            raise _invalid(f"A transaction has 1 to {MOST_ACTIONS} actions", operation)
        with self._lock:
            self._note_token(kwargs.get("ClientRequestToken"), kwargs["TransactItems"])
            writes: list[tuple[_Table, _Write]] = []
            reasons: list[dict[str, object]] = []
            seen: set[tuple[str, Key]] = set()
            for step in kwargs["TransactItems"]:
                ((kind, request),) = cast("Mapping[str, Request]", step).items()
                table = self._table(request, operation)
                write = _PREPARE[kind](table, request, operation)
                if (request["TableName"], write.key) in seen:
                    raise _invalid("Transaction request cannot include multiple operations on one item", operation)
                seen.add((request["TableName"], write.key))
                writes.append((table, write))
                reasons.append(_reason(write, request))
            if any(reason["Code"] != "None" for reason in reasons):
                raise _cancelled(reasons)
            if is_beyond((write.new for _, write in writes if write.new), LARGEST_TRANSACTION):
                raise _invalid("The items of a transaction have 4 MB at most", operation)
            for table, write in writes:
                _apply(table, write)
        return {}

    def _note_token(self, token: str | None, steps: object) -> None:
        """Refuse another request under a token that is in use (tests.aws_rules.idempotency_tokens)."""
        if token is None:
            return
        if self._requests.setdefault(token, steps) != steps:
            message = "Another request has this token"
            raise _error("IdempotentParameterMismatchException", message, "TransactWriteItems")
        if len(self._requests) > _REMEMBERED_REQUESTS:
            del self._requests[next(iter(self._requests))]

    def _table(self, request: Mapping[str, object], operation: str) -> _Table:
        table = self._tables.get(str(request["TableName"]))
        if table is None:
            raise _error("ResourceNotFoundException", "Requested resource not found", operation)
        return table


# --- writes ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Write:
    key: Key
    old: Item | None
    new: Item | None
    allowed: bool


def _prepare_put(table: _Table, request: Request, operation: str) -> _Write:
    item: Item = dict(request["Item"])
    _check_item(table.schema, item, item.values(), operation)
    key = _key(table.schema, {name: item[name] for name in (table.schema.partition, table.schema.sort)}, operation)
    old = table.items.get(key)
    return _Write(key, old, item, _allowed(old, request, frozenset(), operation))


def _prepare_update(table: _Table, request: Request, operation: str) -> _Write:
    schema = table.schema
    key = _key(schema, request["Key"], operation)
    old = table.items.get(key)
    try:
        update = parse_update(request["UpdateExpression"])
    except ExpressionError as error:
        raise _invalid(f"Invalid UpdateExpression: {error}", operation) from None
    allowed = _allowed(old, request, update.used, operation)
    new: dict[str, Value] | None = None
    if allowed:
        before: Item = dict(request["Key"]) if old is None else old
        try:
            new = update.apply(before, request.get("ExpressionAttributeNames", {}), _values(request))
        except ExpressionError as error:
            raise _invalid(str(error), operation) from None
        if new.get(schema.partition) != before[schema.partition] or new.get(schema.sort) != before[schema.sort]:
            raise _invalid("Cannot update attribute. This attribute is part of the key", operation)
        _check_item(schema, new, _values(request).values(), operation)
    return _Write(key, old, new, allowed)


def _prepare_delete(table: _Table, request: Request, operation: str) -> _Write:
    key = _key(table.schema, request["Key"], operation)
    old = table.items.get(key)
    return _Write(key, old, None, _allowed(old, request, frozenset(), operation))


def _prepare_check(table: _Table, request: Request, operation: str) -> _Write:
    write = _prepare_delete(table, request, operation)
    write.new = write.old
    return write


_PREPARE = {
    "Put": _prepare_put,
    "Update": _prepare_update,
    "Delete": _prepare_delete,
    "ConditionCheck": _prepare_check,
}


def _allowed(item: Item | None, request: Request, used: frozenset[str], operation: str) -> bool:
    names: Names = request.get("ExpressionAttributeNames", {})
    values = _values(request)
    expression = request.get("ConditionExpression")
    if expression is None:
        _check_placeholders(used, names, values, operation)
        return True
    try:
        condition = parse_condition(expression)
    except ExpressionError as error:
        raise _invalid(f"Invalid ConditionExpression: {error}", operation) from None
    _check_placeholders(used | condition.used, names, values, operation)
    return condition.test(item or {}, names, values)


def _refuse(write: _Write, request: Request, operation: str) -> None:
    if write.allowed:
        return
    code, text = "ConditionalCheckFailedException", "The conditional request failed"
    response: dict[str, Any] = {"Error": {"Code": code, "Message": text}}
    if write.old is not None and request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD":
        response["Item"] = write.old
    raise ClientError(cast("Any", response), operation)


def _reason(write: _Write, request: Request) -> dict[str, object]:
    if write.allowed:
        return {"Code": "None"}
    reason: dict[str, object] = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}
    if write.old is not None and request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD":
        reason["Item"] = write.old
    return reason


def _apply(table: _Table, write: _Write) -> None:
    schema, old, new = table.schema, write.old, write.new
    partition, sort = write.key
    if old is new or (old is not None and old == new):
        return
    if new is None:
        if old is None:
            return
        del table.items[write.key]
        table.partitions[partition].remove(sort)
    else:
        table.items[write.key] = new
        _find_partition(table.partitions, partition).put(sort, new)
    for name, index in schema.indexes.items():
        _move(table.indexes[name], _index_key(index, old), _index_key(index, new), write.key, new)
    table.sequence += 1
    if table.stream is not None:
        image = new if new is not None else old
        if image is not None:
            keys = {schema.partition: image[schema.partition], schema.sort: image[schema.sort]}
            event = "INSERT" if old is None else "REMOVE" if new is None else "MODIFY"
            table.stream.append(StreamRecord(table.sequence, event, keys, old, new))


def _index_key(index: Index, item: Item | None) -> Key | None:
    """Return an item's key in an index; None for one that is not in it (the index is sparse)."""
    if item is None:
        return None
    partition, sort = item.get(index.partition), item.get(index.sort)
    if partition is None or sort is None:
        return None
    return _key_value(partition), _key_value(sort)


def _move(
    index: dict[str | Decimal, _Partition], old: Key | None, new: Key | None, key: Key, item: Item | None
) -> None:
    if old is not None and old != new:
        index[old[0]].remove((old[1], key))
    if new is not None and item is not None:
        _find_partition(index, new[0]).put((new[1], key), item)


def _find_partition(partitions: dict[str | Decimal, _Partition], key: str | Decimal) -> _Partition:
    found = partitions.get(key)
    if found is None:
        found = partitions[key] = _Partition()
    return found


# --- reads -----------------------------------------------------------------------------------------------------------


def _query(table: _Table, request: Request) -> Mapping[str, object]:
    schema = table.schema
    names: Names = request.get("ExpressionAttributeNames", {})
    values = _values(request)
    try:
        condition = parse_key_condition(request["KeyConditionExpression"])
        chosen = parse_condition(request["FilterExpression"]) if "FilterExpression" in request else None
    except ExpressionError as error:
        raise _invalid(f"Invalid KeyConditionExpression: {error}", "Query") from None
    used = condition.used | (chosen.used if chosen else frozenset()) | _projection_used(request)
    _check_placeholders(used, names, values, "Query")
    index: Index | None = None
    if "IndexName" in request:
        index = schema.indexes.get(request["IndexName"])
        if index is None:
            raise _invalid("The table does not have the specified index", "Query")
        if request.get("ConsistentRead"):
            raise _invalid("Consistent reads are not supported on global secondary indexes", "Query")
    keys = (index.partition, index.sort) if index else (schema.partition, schema.sort)
    _check_key_condition(schema, condition, keys, names, values)
    partitions = table.indexes[request["IndexName"]] if index else table.partitions
    partition = partitions.get(_key_value(values[condition.partition[1]]))
    if partition is None:
        return {"Items": [], "Count": 0, "ScannedCount": 0}
    page, more = _page(partition, condition, table, index, request)
    found = [partition.items[key] for key in page]
    scanned = len(found)
    if chosen is not None:
        found = [item for item in found if chosen.test(item, names, values)]
    response: dict[str, object] = {
        "Items": [_projected(_visible(item, index, schema), request, "Query") for item in found],
        "Count": len(found),
        "ScannedCount": scanned,
    }
    if more and page:
        last = partition.items[page[-1]]
        marks = {schema.partition, schema.sort, *keys}
        response["LastEvaluatedKey"] = {name: last[name] for name in marks}
    return response


def _page(
    partition: _Partition, condition: ParsedKeyCondition, table: _Table, index: Index | None, request: Request
) -> tuple[list[Any], bool]:
    """Return the sorted keys of one page, and whether it ended at the limit."""

    def sort_of(key: Any) -> Any:  # noqa: ANN401 - an index's keys are pairs, a table's are plain
        return key if index is None else key[0]

    order = partition.order
    low, high = _range(order, condition, _values(request), sort_of)
    forward = request.get("ScanIndexForward", True)
    start = request.get("ExclusiveStartKey")
    if start is not None:
        schema = table.schema
        mark: Any = _key_value(start[schema.sort])
        if index is not None:
            mark = (_key_value(start[index.sort]), (_key_value(start[schema.partition]), mark))
        if forward:
            low = max(low, bisect_right(order, mark))
        else:
            high = min(high, bisect_left(order, mark))
    limit = request.get("Limit")
    if limit is not None and limit < 1:
        raise _invalid("Limit must be greater than or equal to 1", "Query")
    if limit is None or high - low < limit:
        page = order[low:high]
        more = False
    else:
        page = order[low : low + limit] if forward else order[high - limit : high]
        more = True
    return (page if forward else page[::-1]), more


def _range(
    order: list[Any], condition: ParsedKeyCondition, values: Values, sort_of: Callable[[Any], Any]
) -> tuple[int, int]:
    if condition.sort is None:
        return 0, len(order)
    _, operator, placeholders = condition.sort
    first = _key_value(values[placeholders[0]])
    if operator == "begins_with":
        low = bisect_left(order, first, key=sort_of)
        return low, bisect_left(order, str(first) + "\U0010ffff", key=sort_of)
    if operator == "BETWEEN":
        second = _key_value(values[placeholders[1]])
        return bisect_left(order, first, key=sort_of), bisect_right(order, second, key=sort_of)
    left, right = bisect_left(order, first, key=sort_of), bisect_right(order, first, key=sort_of)
    return {
        "=": (left, right),
        "<": (0, left),
        "<=": (0, right),
        ">": (right, len(order)),
        ">=": (left, len(order)),
    }[operator]


def _check_key_condition(
    schema: Schema, condition: ParsedKeyCondition, keys: tuple[str, str], names: Names, values: Values
) -> None:
    partition = condition.partition
    parts: list[tuple[str, tuple[str, ...], str]] = [(partition[0], (partition[1],), keys[0])]
    if condition.sort is not None:
        parts.append((condition.sort[0], condition.sort[2], keys[1]))
    for name, placeholders, key in parts:
        if (names[name] if name.startswith("#") else name) != key:
            raise _invalid(f"Query condition missed key schema element: {key}", "Query")
        for placeholder in placeholders:
            value = values[placeholder]
            if schema.key_type(key) not in value:
                raise _invalid("Condition parameter type does not match schema type", "Query")
            if value.get("S") == "":
                raise _invalid("An AttributeValue for a key attribute cannot contain an empty string value", "Query")


def _visible(item: Item, index: Index | None, schema: Schema) -> Item:
    if index is None or index.attributes is None:
        return item
    shown = index.attributes | {index.partition, index.sort, schema.partition, schema.sort}
    return {name: value for name, value in item.items() if name in shown}


def _projection_used(request: Request) -> frozenset[str]:
    expression = request.get("ProjectionExpression")
    return frozenset() if expression is None else parse_projection(expression)[1]


def _projected(item: Item, request: Request, operation: str) -> Item:
    expression = request.get("ProjectionExpression")
    if expression is None:
        return item
    try:
        wanted, _ = parse_projection(expression)
    except ExpressionError as error:
        raise _invalid(f"Invalid ProjectionExpression: {error}", operation) from None
    names: Names = request.get("ExpressionAttributeNames", {})
    plain = [names[name] if name.startswith("#") else name for name in wanted]
    return {name: item[name] for name in plain if name in item}


# --- checks ----------------------------------------------------------------------------------------------------------

_CONDITIONAL = frozenset(
    {
        "TableName",
        "ConditionExpression",
        "ExpressionAttributeNames",
        "ExpressionAttributeValues",
        "ReturnValues",
        "ReturnValuesOnConditionCheckFailure",
    }
)
_GET = frozenset({"TableName", "Key", "ConsistentRead", "ProjectionExpression", "ExpressionAttributeNames"})
_PUT = _CONDITIONAL | {"Item"}
_UPDATE = _CONDITIONAL | {"Key", "UpdateExpression"}
_TRANSACT = frozenset({"TransactItems", "ClientRequestToken"})
_QUERY = frozenset(
    {
        "TableName",
        "IndexName",
        "KeyConditionExpression",
        "FilterExpression",
        "ProjectionExpression",
        "ExpressionAttributeNames",
        "ExpressionAttributeValues",
        "ConsistentRead",
        "ExclusiveStartKey",
        "Limit",
        "ScanIndexForward",
    }
)


def _only(request: Mapping[str, object], known: frozenset[str]) -> None:
    if not known.issuperset(request):
        raise NotImplementedError(sorted(request.keys() - known))


def _values(request: Request) -> Values:
    values: Values = request.get("ExpressionAttributeValues", {})
    return values


def _check_placeholders(used: frozenset[str], names: Names, values: Values, operation: str) -> None:
    """Refuse a placeholder that is not defined, and a definition that is not used."""
    if len(used) == len(names) + len(values) and used.issuperset(names) and used.issuperset(values):
        return
    for kind, defined in (("names", names), ("values", values)):
        unused = sorted(defined.keys() - used)
        if unused:
            raise _invalid(f"Value provided in ExpressionAttribute{kind} unused in expressions: {unused}", operation)
    missing = sorted(used - names.keys() - values.keys())
    raise _invalid(f"An expression attribute used in expression is not defined: {missing}", operation)


def _key(schema: Schema, key: Mapping[str, Any], operation: str) -> Key:
    if len(key) != 2 or schema.partition not in key or schema.sort not in key:
        raise _invalid("The provided key element does not match the schema", operation)
    return _key_part(schema, schema.partition, key, operation), _key_part(schema, schema.sort, key, operation)


def _key_part(schema: Schema, name: str, key: Mapping[str, Any], operation: str) -> str | Decimal:
    value = key[name]
    text: str | None = value.get("S")
    if text and name not in schema.numbers:
        return text
    if schema.key_type(name) not in value:
        raise _invalid("The provided key element does not match the schema", operation)
    if value.get("S") == "":
        raise _invalid("The AttributeValue for a key attribute cannot contain an empty string value", operation)
    return _key_value(value)


def _key_value(value: Value) -> str | Decimal:
    found = sort_value(value)
    if found is None:
        raise TypeError("keys are strings or numbers")
    return found


def _check_item(schema: Schema, item: Item, given: Iterable[Value], operation: str) -> None:
    """Refuse an item that is too large, whose keys are not as the schema wants them, or that was given an empty set."""
    for name, longest in ((schema.partition, LONGEST_PARTITION_KEY), (schema.sort, LONGEST_SORT_KEY)):
        if name not in item:
            raise _invalid(f"One of the required keys was not given a value: {name}", operation)
        if len(str(item[name].get("S", "")).encode()) > longest:
            raise _invalid(f"The key {name} has {longest} bytes at most", operation)
    _check_index_keys(schema, item, operation)
    for value in given:
        if "S" not in value and type_of(value) in ("SS", "NS", "BS") and not next(iter(value.values())):
            raise _invalid("An AttributeValue may not contain an empty set", operation)
    if is_beyond([item], LARGEST_ITEM):
        raise _invalid("Item size has exceeded the maximum allowed size", operation)


def _check_index_keys(schema: Schema, item: Item, operation: str) -> None:
    for name, longest in schema.index_keys.items():
        value = item.get(name)
        if value is None:
            continue
        if schema.key_type(name) not in value:
            raise _invalid(f"Type mismatch for Index Key {name}", operation)
        text = value.get("S")
        if text == "":
            raise _invalid("A value of a secondary index key can not be an empty string", operation)
        if text is not None and len(str(text).encode()) > longest:
            raise _invalid(f"The index key {name} has {longest} bytes at most", operation)


def _error(code: str, message: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def _invalid(message: str, operation: str) -> ClientError:
    return _error("ValidationException", message, operation)


def _cancelled(reasons: Sequence[Mapping[str, object]]) -> ClientError:
    codes = ", ".join(str(reason["Code"]) for reason in reasons)
    response = {
        "Error": {
            "Code": "TransactionCanceledException",
            "Message": f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
        },
        "CancellationReasons": list(reasons),
    }
    return ClientError(cast("Any", response), "TransactWriteItems")
