"""A store that asks two: moto through boto3, and the one in memory. Both have to say the same; moto's word goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack, cast

from botocore.exceptions import ClientError

from tests.fakes.in_memory_dynamodb import InMemoryDynamoDb

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy_boto3_dynamodb.type_defs import (
        GetItemInputTypeDef,
        PutItemInputTypeDef,
        QueryInputTypeDef,
        TransactWriteItemsInputTypeDef,
        UpdateItemInputTypeDef,
    )

    from direct_debit.adapters.dynamodb.client import DynamoDb

_NOT_COMPARED = ("ResponseMetadata", "Count", "ScannedCount", "ConsumedCapacity")


class Referee(InMemoryDynamoDb):
    """An in-memory store whose every answer is checked against moto. Streams and whole tables come from memory."""

    def __init__(self, moto: DynamoDb, tables: Mapping[str, str]) -> None:
        """`tables` maps the names in use to those in moto."""
        super().__init__(*tables)
        self._moto = moto
        self._names = tables
        self.compared = 0

    def get_item(self, **kwargs: Unpack[GetItemInputTypeDef]) -> Mapping[str, object]:
        return self._ask("get_item", dict(kwargs))

    def put_item(self, **kwargs: Unpack[PutItemInputTypeDef]) -> Mapping[str, object]:
        return self._ask("put_item", dict(kwargs))

    def update_item(self, **kwargs: Unpack[UpdateItemInputTypeDef]) -> Mapping[str, object]:
        return self._ask("update_item", dict(kwargs))

    def query(self, **kwargs: Unpack[QueryInputTypeDef]) -> Mapping[str, object]:
        return self._ask("query", dict(kwargs))

    def transact_write_items(self, **kwargs: Unpack[TransactWriteItemsInputTypeDef]) -> Mapping[str, object]:
        return self._ask("transact_write_items", dict(kwargs))

    def _ask(self, name: str, request: dict[str, Any]) -> Mapping[str, object]:
        self.compared += 1
        here = _outcome(lambda: getattr(InMemoryDynamoDb, name)(self, **request))
        there = _outcome(lambda: getattr(self._moto, name)(**self._renamed(request)))
        assert _comparable(here) == _comparable(there), (name, request)
        if isinstance(there, ClientError):
            raise there
        return there

    def _renamed(self, request: dict[str, Any]) -> dict[str, Any]:
        if "TransactItems" not in request:
            return {**request, "TableName": self._names[request["TableName"]]}
        steps = [{kind: self._renamed(step)} for one in request["TransactItems"] for kind, step in one.items()]
        return {**request, "TransactItems": steps}


def _outcome(call: Callable[[], object]) -> Mapping[str, object] | ClientError:
    try:
        return cast("Mapping[str, object]", call())
    except ClientError as error:
        return error


def _comparable(outcome: Mapping[str, object] | ClientError) -> object:
    if isinstance(outcome, ClientError):
        response = cast("Mapping[str, Any]", outcome.response)
        reasons = [
            (reason.get("Code") or "None", _sorted_sets(reason.get("Item")))
            for reason in response.get("CancellationReasons", ())
        ]
        return response["Error"]["Code"], _sorted_sets(response.get("Item")), reasons
    return _sorted_sets({name: value for name, value in outcome.items() if name not in _NOT_COMPARED and value})


def _sorted_sets(value: object) -> object:
    if isinstance(value, dict):
        return {name: sorted(part) if name == "SS" else _sorted_sets(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_sorted_sets(part) for part in value]
    return value
