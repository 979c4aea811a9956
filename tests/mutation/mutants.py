"""All mutants of domain and application, with names that survive changes elsewhere."""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.operators import Change, Place, find_changes

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ROOT / "layers" / "direct_debit" / "python" / "direct_debit"
LAYERS = ("domain", "application")
_LONGEST_EXCERPT = 80


@dataclass(frozen=True, slots=True)
class Mutant:
    """One changed place of the source.

    The name is made of what the place says, not of where it stands: file, function, operator, the statement, the
    change, and its number among equal ones of the function.
    """

    name: str
    path: Path
    tree: ast.Module
    change: Change

    @property
    def place(self) -> Place:
        """Where in its module it is."""
        return self.change.place

    @property
    def where(self) -> str:
        """File and line, for a person."""
        return f"{self.path.relative_to(ROOT)}:{self.change.line}"


def enumerate_mutants(paths: Iterable[Path] | None = None) -> Iterator[Mutant]:
    """Yield the mutants of these files, by default of all that are mutated."""
    for path in find_sources() if paths is None else paths:
        yield from _of_file(path)


def find_sources() -> list[Path]:
    """Return the files that are mutated."""
    return sorted(path for layer in LAYERS for path in (PRODUCT / layer).rglob("*.py"))


def _of_file(path: Path) -> Iterator[Mutant]:
    tree = ast.parse(path.read_text("utf-8"))
    file = path.relative_to(PRODUCT).as_posix() if path.is_relative_to(PRODUCT) else path.name
    seen: Counter[str] = Counter()
    for change in find_changes(tree):
        shown = f"{_shorten(change.before)} => {_shorten(change.after)}"
        if change.before != change.place.head:
            shown = f"{_shorten(change.place.head)} | {shown}"
        stem = f"{file} {change.place.function} {change.operator}: {shown}"
        seen[stem] += 1
        yield Mutant(f"{stem} #{seen[stem]}", path, tree, change)


def _shorten(text: str) -> str:
    """Return a text that fits a line, and differs for different texts."""
    if len(text) <= _LONGEST_EXCERPT:
        return text
    return f"{text[:_LONGEST_EXCERPT]}…{hashlib.sha256(text.encode()).hexdigest()[:6]}"


def sample(mutants: Sequence[Mutant], size: int, seed: int) -> list[Mutant]:
    """Return some mutants, drawn by their names: a change elsewhere draws the same ones."""

    def ticket(mutant: Mutant) -> str:
        return hashlib.sha256(f"{seed} {mutant.name}".encode()).hexdigest()

    drawn = {mutant.name for mutant in sorted(mutants, key=ticket)[:size]}
    return [mutant for mutant in mutants if mutant.name in drawn]
