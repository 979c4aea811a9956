"""How large an item and its keys may be, and that a key is never empty.

An item has at most 400 KB, names and values in UTF-8 together; a partition key 1 to 2,048 bytes, a sort key 1 to 1,024.
A value that an index has as its key may be absent, but not empty.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html;
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html (how a value is counted)
"""

import marshal
from collections.abc import Iterable, Mapping

LARGEST_ITEM = 400 * 1024
LONGEST_PARTITION_KEY = 2048
LONGEST_SORT_KEY = 1024


def is_beyond(items: Iterable[Mapping[str, Mapping[str, object]]], most: int) -> bool:
    """Whether items are larger than `most` bytes together.

    What Python writes of them (version 0 repeats each text in full) is never shorter, and is known much faster.
    """
    items = list(items)
    return len(marshal.dumps(items, 0)) > most and sum(map(item_size, items)) > most


def item_size(item: Mapping[str, Mapping[str, object]]) -> int:
    """Return the size of an item in bytes."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(value: Mapping[str, object]) -> int:
    ((kind, content),) = value.items()
    if isinstance(content, str):
        return (len(content) + 1) // 2 + 1 if kind == "N" else len(content.encode())
    if isinstance(content, bytes):
        return len(content)
    if isinstance(content, Mapping):
        return 3 + sum(1 + len(name.encode()) + _value_size(member) for name, member in content.items())
    if isinstance(content, list | tuple):
        members = [{kind[0]: member} if kind in ("SS", "NS", "BS") else member for member in content]
        own = 0 if kind in ("SS", "NS", "BS") else 3 + len(members)
        return own + sum(_value_size(member) for member in members)
    return 1  # a boolean, or nothing
