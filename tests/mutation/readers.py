"""On which lines a change shows: where it stands, or, when it is worked on at import, where its outcome is read."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

from tests.mutation.mutants import PRODUCT, Mutant, find_sources
from tests.mutation.reach import Line


def lines_of(mutant: Mutant) -> set[Line] | None:
    """Return the lines of which one has to run for the change to show; None when that can not be told."""
    place, path = mutant.place, str(mutant.path)
    if place.host is not None:
        return {(path, line) for line in place.lines}
    if isinstance(place.statement, ast.FunctionDef):  # a default of an argument
        return {(path, line) for line in range(place.statement.body[0].lineno, (place.statement.end_lineno or 0) + 1)}
    names = constant_names(mutant)
    if not names:
        return None
    found: set[Line] = set()
    for name in names:
        readers = _readers(name)
        if readers is None:
            return None
        found |= readers
    return found


def constant_names(mutant: Mutant) -> list[str]:
    """Return the module's names that a change at import gives another value."""
    match mutant.place.top:
        case ast.Assign(targets=targets) if mutant.place.host is None:
            return [one.id for one in targets if isinstance(one, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)) if mutant.place.host is None:
            return [name]
    return []


def mentions(path: Path, mutant: Mutant) -> bool:
    """Tell whether a test's file names a constant that the mutant changes."""
    return any(name in _text(path) for name in constant_names(mutant))


@functools.cache
def _readers(name: str) -> set[Line] | None:
    """Return the lines of functions that read a name; None when it is read elsewhere too."""
    mutated = set(find_sources())
    found: set[Line] = set()
    for path in PRODUCT.rglob("*.py"):
        if name not in _text(path):
            continue
        if path not in mutated:
            return None
        tree = ast.parse(_text(path))
        inside = {id(node) for function in ast.walk(tree) if _is_function(function) for node in ast.walk(function)}
        for node in ast.walk(tree):
            if _reads(node, name):
                if id(node) not in inside:
                    return None
                found.add((str(path), node.lineno))  # type: ignore[attr-defined]  # a name and an attribute have one
    return found


def _is_function(node: ast.AST) -> bool:
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))


def _reads(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr == name
    return isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)


@functools.cache
def _text(path: Path) -> str:
    return path.read_text("utf-8")
