"""Puts a mutant into the running process, for as long as that lives: a trial has a process of its own.

A function keeps its identity and gets new code, so that everybody who holds it runs the change. What is worked on at
import (constants, defaults) is worked out anew, and put wherever the old value is known under its name.
"""

from __future__ import annotations

import ast
import functools
import gc
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from types import CodeType, FunctionType, ModuleType
from typing import Any

from tests.mutation.mutants import Mutant

_GENERATED = ("__init__", "__repr__", "__eq__")  # what a dataclass makes of its fields


class DoesNotFit(Exception):
    """The mutant can not be put into the process: its source is not what was imported, or it changes nothing here."""


def plant(mutant: Mutant) -> None:
    """Let the mutant live. Raises DoesNotFit."""
    if mutant.place.host is None:
        _plant_at_import(mutant)
        return
    wanted = (str(mutant.path), mutant.place.host_name, _first_line(mutant.place.host))
    functions = live_functions().get(wanted)
    if not functions:
        raise DoesNotFit(f"nobody has the function {mutant.place.host_name}")
    with mutant.change.made():
        changed = compile(mutant.tree, str(mutant.path), "exec", dont_inherit=True)
    key = _key(functions[0].__code__)
    (code,) = [one for one in _codes(changed) if _key(one) == key]
    for function in functions:
        try:
            function.__code__ = code
        except ValueError as error:  # another number of variables of a function around it
            raise DoesNotFit(str(error)) from error


def _key(code: CodeType) -> tuple[str, int]:
    return code.co_qualname, code.co_firstlineno


def _first_line(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return min([function.lineno, *(one.lineno for one in function.decorator_list)])


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


@functools.cache
def live_functions() -> Mapping[tuple[str, str, int], Sequence[FunctionType]]:
    """Return all functions of the process by file, name and line. To be asked before the collector freezes them."""
    found: defaultdict[tuple[str, str, int], list[FunctionType]] = defaultdict(list)
    for one in gc.get_objects():
        if isinstance(one, FunctionType):
            found[one.__code__.co_filename, *_key(one.__code__)].append(one)
    return found


# --- what is worked on at import -------------------------------------------------------------------------------------


def _plant_at_import(mutant: Mutant) -> None:
    module = _module_of(str(mutant.path))
    top = mutant.place.top
    if top is None:
        raise DoesNotFit("no statement")
    with mutant.change.made():
        code = compile(ast.Module([top], []), str(mutant.path), "exec", dont_inherit=True)
    # A namespace of its own: what the statement defines is compared with what the module has.
    scope = dict(vars(module))
    exec(code, scope)  # noqa: S102 - the product's own source with one piece exchanged
    put = 0
    for name in _defined(top):
        put += _put(name, vars(module)[name], scope[name])
    if put == 0:
        raise DoesNotFit("nothing that runs depends on it")


def _module_of(path: str) -> ModuleType:
    for module in list(sys.modules.values()):
        if getattr(module, "__file__", None) == path:
            return module
    raise DoesNotFit(f"{path} is not imported")


def _defined(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=targets):
            return [one.id for one in targets if isinstance(one, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
    return []


def _put(name: str, old: Any, new: Any) -> int:  # noqa: ANN401 - whatever a module holds
    """Put the new value in the old one's place; returns how often that mattered."""
    if isinstance(old, FunctionType) and isinstance(new, FunctionType):
        return _copy_defaults(old, new)
    if isinstance(old, type) and isinstance(new, type):
        return _put_into_class(old, new)
    if isinstance(old, dict) and isinstance(new, dict):
        as_it_was = dict(old)
        old.clear()
        old.update(new)
        return int(as_it_was != new)
    if old == new:
        return 0
    holders = [vars(one) for one in list(sys.modules.values()) if vars(one).get(name) is old]
    for holder in holders:
        holder[name] = new
    return len(holders)


def _put_into_class(old: type, new: type) -> int:
    put = 0
    for name, value in list(vars(new).items()):
        before = vars(old).get(name)
        if isinstance(before, FunctionType) and isinstance(value, FunctionType):
            if name in _GENERATED and value.__code__.co_filename != _file_of(old):
                # Made by `dataclass` from the fields: the new one knows the new defaults, and who is shown.
                type.__setattr__(old, name, value)
                put += 1
            else:
                put += _copy_defaults(before, value)
        elif isinstance(value, (bool, int, float)) and isinstance(before, (bool, int, float)) and before != value:
            type.__setattr__(old, name, value)
            put += 1
    return put


def _file_of(owner: type) -> str | None:
    return getattr(sys.modules[owner.__module__], "__file__", None)


def _copy_defaults(old: FunctionType, new: FunctionType) -> int:
    same = (old.__defaults__, old.__kwdefaults__) == (new.__defaults__, new.__kwdefaults__)
    old.__defaults__, old.__kwdefaults__ = new.__defaults__, new.__kwdefaults__
    return 0 if same else 1
