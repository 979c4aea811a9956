"""The survivors that a person has looked at and accepts, each with a reason (accepted.txt)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

ACCEPTED = Path(__file__).with_name("accepted.txt")
_KIND = "kind: "
_WIDTH = 120  # as everywhere


class BadList(Exception):
    """The list can not be read, or does not fit the source."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What is accepted: reasons by a mutant's name, and by a pattern of names, in which `*` stands for any text."""

    names: Mapping[str, str]
    kinds: Mapping[str, str]

    def accepts(self, name: str) -> bool:
        """Whether a mutant may live."""
        return name in self.names or any(_fits(pattern, name) for pattern in self.kinds)

    def find_strangers(self, names: Iterable[str]) -> list[str]:
        """Return the entries that fit no mutant (any more): what they accepted is gone."""
        known = set(names)
        gone = self.names.keys() - known
        gone |= {pattern for pattern in self.kinds if not any(_fits(pattern, name) for name in known)}
        return sorted(gone)

    def find_repetitions(self) -> list[str]:
        """Return the names that one of the patterns accepts as well."""
        return sorted(name for name in self.names if any(_fits(pattern, name) for pattern in self.kinds))


def read_accepted(text: str | None = None) -> Accepted:
    """Read the list. Raises BadList.

    A name begins its line, its reason is indented below: one paragraph, its lines filled. A line `kind: ...` holds a
    pattern in a name's place, for mutants of one kind that have one reason.
    """
    reasons: dict[str, str] = {}
    name = above = ""
    for number, line in enumerate((ACCEPTED.read_text("utf-8") if text is None else text).splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            name = ""
        elif line[0] != " ":
            name = line.strip()
            if name in reasons:
                raise BadList(f"line {number}: {name} is there twice")
            reasons[name] = ""
        elif not name:
            raise BadList(f"line {number}: a reason without a mutant")
        elif reasons[name] and _has_room(above, line):
            raise BadList(f"line {number}: a second reason for {name}")
        else:
            reasons[name] = f"{reasons[name]} {line.strip()}".strip()
        above = line
    without = [name for name, reason in reasons.items() if not reason]
    if without:
        raise BadList(f"no reason for {without[0]}")
    return Accepted(
        names={name: reason for name, reason in reasons.items() if not name.startswith(_KIND)},
        kinds={name.removeprefix(_KIND): reason for name, reason in reasons.items() if name.startswith(_KIND)},
    )


def _has_room(above: str, line: str) -> bool:
    """Whether a line's first word had room above: whose entry has gone leaves such a reason to the one before."""
    return len(above) + 1 + len(line.split(maxsplit=1)[0]) <= _WIDTH


def _fits(pattern: str, name: str) -> bool:
    # No shell pattern: names are full of brackets.
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name) is not None
