"""Writes the file that direct_debit.starting.compiled reads: FILE LAYER [LAYER ...], a script of a process of its own.

It loads the modules of the layers' packages and keeps what is compiled meanwhile. What it loads itself would not be
compiled again, so it begins with expressions, and takes little more than a start does.
"""

import marshal
import re
import sys
from collections.abc import Callable
from importlib import import_module

_WITHOUT_REFERENCES = 2  # later versions of the format note what else refers to a value, which differs from run to run
_PACKAGES = ("doku_snap", "direct_debit")

methods: dict[bytes, bytes] = {}
patterns: dict[tuple[str | bytes, int], object] = {}


class _Recorder:
    """Stands for `_sre` in the compiler of expressions, and remembers what it was last asked for."""

    def __init__(self, module: object) -> None:
        self._module = module
        self.asked: object = None

    def __getattr__(self, name: str) -> object:
        return getattr(self._module, name)

    def compile(self, *asked: object) -> object:
        self.asked = _plain(asked)
        make: Callable[..., object] = vars(self._module)["compile"]
        return make(*asked)


def _plain(value: object) -> object:
    """Return a value as `marshal` writes it: the compiler's numbers have classes of their own."""
    if isinstance(value, list | tuple):
        return type(value)(map(_plain, value))
    if isinstance(value, dict):
        return {name: _plain(number) for name, number in value.items()}
    return int(value) if isinstance(value, int) else value


def _record_patterns() -> None:
    compiler = vars(re)["_compiler"]
    recorder, compile_pattern = _Recorder(vars(compiler)["_sre"]), compiler.compile

    def compile_and_keep(pattern: str | bytes, flags: int = 0) -> object:
        compiled = compile_pattern(pattern, flags)
        patterns[pattern, int(flags)] = recorder.asked
        return compiled

    vars(compiler).update(_sre=recorder, compile=compile_and_keep)


def _record_methods() -> None:
    import dataclasses  # noqa: PLC0415 - loads what has expressions
    from hashlib import sha256  # noqa: PLC0415 - as above

    def execute(text: str, *names: dict[str, object]) -> None:
        code = compile(text, "<string>", "exec", dont_inherit=True)
        methods[sha256(text.encode()).digest()] = marshal.dumps(code, _WITHOUT_REFERENCES)
        exec(code, *names)  # noqa: S102 - the standard library's own text

    vars(dataclasses)["exec"] = execute


def _load_all(package: str) -> None:
    import pkgutil  # noqa: PLC0415 - loads what has expressions

    for module in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
        import_module(module.name)


if __name__ == "__main__":
    target, *layers = sys.argv[1:]
    sys.path[:1] = layers
    _record_patterns()
    _record_methods()
    for name in _PACKAGES:
        _load_all(name)
    content = (dict(sorted(methods.items())), dict(sorted(patterns.items(), key=repr)))
    version = import_module("direct_debit.starting.compiled").VERSION
    with open(target, "wb") as file:  # noqa: PTH123 - pathlib is one of those that are recorded
        file.write(version + marshal.dumps(content, _WITHOUT_REFERENCES))
