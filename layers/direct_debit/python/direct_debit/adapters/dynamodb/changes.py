"""Update expressions: only what changed is written, so that attributes of newer code survive a save by older code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from direct_debit.adapters.dynamodb.items import AttributeValue, Item

WRITE_ID = "writeId"
"""Names the latest write. After a lost reply it tells a writer that the change it meets is its own."""


_BOOKKEEPING = frozenset({"untold", "tellBy", "dueAt", "dueShard"})


@dataclass(frozen=True, slots=True)
class Change:
    """An update expression with what its placeholders stand for."""

    expression: str
    names: Mapping[str, str]
    values: Mapping[str, AttributeValue]


def set_and_remove(new: Item, gone: tuple[str, ...] = (), *, lasting: Container[str] = ()) -> Change:
    """Return the change that sets all attributes of `new` (one at least) and removes those named in `gone`.

    One that is named in `lasting` is only set where there is none.
    """
    names = {"#" + name: name for name in new}
    expression = "SET " + ", ".join(
        [f"#{name} = if_not_exists(#{name}, :{name})" if name in lasting else f"#{name} = :{name}" for name in new]
    )
    if gone:
        expression += " REMOVE " + ", ".join(["#" + name for name in gone])
        names.update({"#" + name: name for name in gone})
    return Change(expression, names, {":" + name: value for name, value in new.items()})


def difference(before: Item, after: Item, write_id: str, *, lasting: Container[str] = ()) -> Change:
    """Return the change from one form of a record to another, marked with the write's id.

    Both are forms made by this code: attributes that it does not know are in neither, and stay. The bookkeeping that an
    unmarked write may have taken out meanwhile is written whether it differs or not; what is named in `lasting` is only
    written where it is not there.
    """
    new: dict[str, AttributeValue] = {
        name: value for name, value in after.items() if before.get(name) != value or name in _BOOKKEEPING
    }
    new[WRITE_ID] = {"S": write_id}
    return set_and_remove(new, tuple([name for name in before if name not in after]), lasting=lasting)


def unmarked_difference(before: Item, after: Item) -> Change | None:
    """Like `difference`, without a mark: for bookkeeping that no writer has to notice. None when nothing differs."""
    new: dict[str, AttributeValue] = {name: value for name, value in after.items() if before.get(name) != value}
    gone = tuple([name for name in before if name not in after])
    if new:
        return set_and_remove(new, gone)
    return remove(*gone) if gone else None


def add_to_set(name: str, member: str) -> Change:
    """Return the change that puts a member into a set of strings. Harmless when repeated."""
    return Change(f"ADD #{name} :{name}", {"#" + name: name}, {":" + name: {"SS": [member]}})


def add_and_count(name: str, member: str, counter: str, day: str, *, begins: bool) -> Change:
    """Return the change that puts a member into a set of strings and counts it on a day; `begins`: as the first one."""
    of_day = counter + "Day"
    names = {"#" + name: name, "#" + counter: counter}
    values: dict[str, AttributeValue] = {":" + name: {"SS": [member]}, ":" + counter: {"N": "1"}}
    if not begins:
        return Change(f"ADD #{name} :{name}, #{counter} :{counter}", names, values)
    return Change(
        f"SET #{counter} = :{counter}, #{of_day} = :{of_day} ADD #{name} :{name}",
        {**names, "#" + of_day: of_day},
        {**values, ":" + of_day: {"S": day}},
    )


def delete_from_set(name: str, member: str) -> Change:
    """Return the change that takes a member out of a set of strings. Harmless when repeated."""
    return Change(f"DELETE #{name} :{name}", {"#" + name: name}, {":" + name: {"SS": [member]}})


def remove(*gone: str) -> Change:
    """Return the change that only removes attributes."""
    return Change("REMOVE " + ", ".join(["#" + name for name in gone]), {"#" + name: name for name in gone}, {})
