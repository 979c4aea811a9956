"""The store in memory, counting what is read: entries that queries return, and records that are got by their keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from tests.fakes.in_memory_dynamodb import InMemoryDynamoDb

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Unpack

    from mypy_boto3_dynamodb.type_defs import GetItemInputTypeDef, QueryInputTypeDef


class CountingDynamoDb(InMemoryDynamoDb):
    """Counts since it was made, or since `forget`."""

    queries = 0
    entries = 0
    records = 0

    def forget(self) -> None:
        """Begin to count anew."""
        self.queries = self.entries = self.records = 0

    def query(self, **kwargs: Unpack[QueryInputTypeDef]) -> Mapping[str, object]:
        """See DynamoDb.query."""
        answer = super().query(**kwargs)
        self.queries += 1
        self.entries += len(cast("Sequence[object]", answer["Items"]))
        return answer

    def get_item(self, **kwargs: Unpack[GetItemInputTypeDef]) -> Mapping[str, object]:
        """See DynamoDb.get_item."""
        self.records += 1
        return super().get_item(**kwargs)
