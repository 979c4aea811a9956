"""The survivors that a person has looked at and accepts, each with a reason (accepted.txt)."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

ACCEPTED = Path(__file__).with_name("accepted.txt")


class BadList(Exception):
    """The list can not be read, or does not fit the source."""


def read_accepted(text: str | None = None) -> dict[str, str]:
    """Return the reasons by name: a name begins its line, its reason is indented below. Raises BadList."""
    reasons: dict[str, str] = {}
    name = ""
    for number, line in enumerate((ACCEPTED.read_text("utf-8") if text is None else text).splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line[0] != " ":
            name = line.strip()
            if name in reasons:
                raise BadList(f"line {number}: {name} is there twice")
            reasons[name] = ""
        elif not name:
            raise BadList(f"line {number}: a reason without a mutant")
        else:
            reasons[name] = f"{reasons[name]} {line.strip()}".strip()
    without = [name for name, reason in reasons.items() if not reason]
    if without:
        raise BadList(f"no reason for {without[0]}")
    return reasons


def find_strangers(accepted: Collection[str], names: Collection[str]) -> list[str]:
    """Return what is accepted although there is no such mutant any more."""
    return sorted(set(accepted) - set(names))
