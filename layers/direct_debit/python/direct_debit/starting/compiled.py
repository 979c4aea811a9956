"""What the build has compiled, so that no start does: methods of data classes, and regular expressions (decision 0063).

`dataclasses` writes the methods of a class as text and executes that; what the text compiles to depends on nothing
else. A regular expression is compiled to numbers, which depend on the expression and its flags. The build keeps both
(tools/local_cloud/compiling.py), as it keeps the modules' bytecode. What it has not met is compiled here, and so is all
where there is no whole file of this version of Python.
"""

import marshal
import re
from collections.abc import Callable, Sequence
from importlib.util import MAGIC_NUMBER

_COMPILER = vars(re)["_compiler"]
_compile_pattern: Callable[[str | bytes, int], object] = _COMPILER.compile
_make_pattern: Callable[..., object] = vars(_COMPILER)["_sre"].compile

COMPILED = __file__.removesuffix("py") + "marshal"
VERSION = MAGIC_NUMBER + int(vars(_COMPILER)["MAGIC"]).to_bytes(4, "little")
"""What the file begins with: the numbers that Python changes with its bytecode, and with the form of expressions."""

type Methods = dict[bytes, bytes]
"""By the SHA-256 of a text what it compiles to."""

type Patterns = dict[tuple[str | bytes, int], Sequence[object]]
"""By an expression and its flags what `_sre.compile` takes."""


def use_compiled() -> None:
    """Have data classes and expressions made of what the build has compiled, until `stop_using_compiled`."""
    read = _read()
    if read is not None:
        _use_patterns(read[1])  # first: what the other loads has expressions
        _use_methods(read[0])


def stop_using_compiled() -> None:
    """Let what comes later be compiled, and forget what was read."""
    import dataclasses  # noqa: PLC0415 - as below

    vars(dataclasses).pop("exec", None)
    _COMPILER.compile = _compile_pattern


def _use_patterns(patterns: Patterns) -> None:
    def compile_pattern(pattern: str | bytes, flags: int = 0) -> object:
        known = patterns.get((pattern, flags))
        return _compile_pattern(pattern, flags) if known is None else _make_pattern(*known)

    _COMPILER.compile = compile_pattern


def _use_methods(methods: Methods) -> None:
    import dataclasses  # noqa: PLC0415 - loads a dozen modules, with expressions
    from hashlib import sha256  # noqa: PLC0415 - only a start in Lambda needs it

    def execute(text: str, *names: dict[str, object]) -> None:
        code = methods.get(sha256(text.encode()).digest())
        exec(text if code is None else marshal.loads(code), *names)  # noqa: S102, S302 - the standard library's text; code of our own build

    vars(dataclasses)["exec"] = execute  # it looks among its own names before the builtins


def _read() -> tuple[Methods, Patterns] | None:
    try:
        with open(COMPILED, "rb") as file:  # noqa: PTH123 - pathlib has expressions
            content = file.read()
    except OSError:
        return None
    if not content.startswith(VERSION):
        return None
    try:
        found: tuple[Methods, Patterns] = marshal.loads(content[len(VERSION) :])  # noqa: S302 - written by our own build, as bytecode is
    except (EOFError, ValueError, TypeError):
        return None  # torn: what it saves is not worth a function that can not start
    return found
