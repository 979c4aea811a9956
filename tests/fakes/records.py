"""Records with other fields, where a table of cases names them."""

from dataclasses import replace
from typing import Any, cast


def with_fields[T](record: T, **fields: object) -> T:
    """Return the dataclass with these fields; a wrong name raises TypeError. `replace` wants to know their types."""
    changed: T = replace(cast("Any", record), **fields)
    return changed
