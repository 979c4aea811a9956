"""The one request that the store in memory does not know, for those who read whole tables: operators, and no function.

tests/integration/adapters/test_sealing_anew.py holds it against moto.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb.type_defs import ScanInputTypeDef

    from tests.fakes.dynamodb_expressions import Item
    from tests.fakes.in_memory_dynamodb import InMemoryDynamoDb

_KNOWN = frozenset({"TableName", "Limit", "ConsistentRead", "ExclusiveStartKey"})


@dataclass(frozen=True, slots=True)
class Scannable:
    """A store whose tables may be read whole."""

    store: InMemoryDynamoDb

    def scan(self, **asked: Unpack[ScanInputTypeDef]) -> Mapping[str, object]:
        """Read a page. The order says nothing, and is always the same."""
        if not _KNOWN.issuperset(asked):
            raise NotImplementedError(sorted(asked.keys() - _KNOWN))
        items = sorted(self.store.items(str(asked["TableName"])), key=_key)
        if "ExclusiveStartKey" in asked:
            start = _key(cast("Item", asked["ExclusiveStartKey"]))
            items = [item for item in items if _key(item) > start]
        page = items[: asked["Limit"]]
        answer: dict[str, object] = {"Items": page, "Count": len(page), "ScannedCount": len(page)}
        if len(page) == asked["Limit"]:  # AWS does not look whether there is more
            answer["LastEvaluatedKey"] = {name: page[-1][name] for name in ("pk", "sk")}
        return answer


def _key(item: Item) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]
