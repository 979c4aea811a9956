"""Which modules each function loads at its start, as `loaded_modules.json` has them: ours, and others' by package.

python -m tests.e2e.loaded writes the file anew from a build: look at what changed before you keep it.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tests.fakes.environment import ACCESS_TOKENS, COMPLETE, WEBHOOKS
from tools.invoke.functions import read_functions
from tools.local_cloud import sam

FILE = Path(__file__).with_name("loaded_modules.json")
PYTHON = "python"
"""Python's own modules, beside the packages; what the interpreter itself is started with is left out."""

_ALL_BUT = "all but"
_LIST = """
import importlib, json, sys
sys.path[:0] = sys.argv[1:]
before = set(sys.modules)
importlib.import_module("handler")
print(json.dumps([name for name in sys.modules if name not in before]))
"""
_OURS = ("direct_debit", "doku_snap")
# What is no package of a lock: the door, and what a compiled package or the interpreter puts beside itself.
_NO_PACKAGE = re.compile(r"handler|_.*|cython_runtime|\w*__mypyc|sitecustomize")


def read_loaded() -> Mapping[str, frozenset[str]]:
    """Return the modules by function."""
    document = json.loads(FILE.read_text())
    return {
        name: frozenset(module for module, loaded_by in document["modules"].items() if _names(loaded_by, name))
        for name in document["functions"]
    }


def _names(loaded_by: Sequence[str], function: str) -> bool:
    return (function in loaded_by) != (loaded_by[:1] == [_ALL_BUT])


def _name(functions: Sequence[str], found: Sequence[str]) -> Sequence[str]:
    """Which functions load a module, or which do not where these are fewer: one more changes few lines."""
    others = [name for name in functions if name not in found]
    return found if len(found) <= len(others) else [_ALL_BUT, *others]


def read_packages() -> Mapping[str, Mapping[str, int]]:
    """Return, by function, how many modules of each package that is not ours, and how many of Python's own."""
    packages: Mapping[str, Mapping[str, int]] = json.loads(FILE.read_text())["packages"]
    return packages


def count_packages(modules: Iterable[str]) -> Mapping[str, int]:
    """How many of these modules are of each package that is not ours, and how many Python's own."""
    names = [name.partition(".")[0] for name in modules]
    packages = Counter(PYTHON if name in sys.stdlib_module_names else name for name in names)
    return {
        package: count
        for package, count in sorted(packages.items())
        if not (package in _OURS or _NO_PACKAGE.fullmatch(package))
    }


def start(build: Path, name: str, script: str) -> str:
    """Load a function of a build as Lambda does, in a fresh interpreter; return what the script prints."""
    layers = [str(build / layer / "python") for layer in ("DependenciesLayer", "DokuSnapLayer", "DirectDebitLayer")]
    in_lambda = {
        **COMPLETE,
        **WEBHOOKS,
        **ACCESS_TOKENS,
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_REGION": "ap-southeast-3",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
    }
    command = [sys.executable, "-B", "-c", script, str(build / name), *layers]
    return subprocess.run(command, env=in_lambda, capture_output=True, text=True, check=True).stdout


def main() -> None:
    """Write the file."""
    functions = sorted(read_functions().names())
    found: defaultdict[str, list[str]] = defaultdict(list)
    packages = {}
    with tempfile.TemporaryDirectory() as folder:
        build = sam.build(Path(folder) / "build.log").resolve()
        for name in functions:
            loaded = json.loads(start(build, name, _LIST))
            packages[name] = count_packages(loaded)
            for module in loaded:
                if module.partition(".")[0] in _OURS:
                    found[module].append(name)
    modules = {module: _name(functions, names) for module, names in sorted(found.items())}
    lines = ",\n".join(f"    {json.dumps(module)}: {json.dumps(names)}" for module, names in modules.items())
    others = ",\n".join(f"    {json.dumps(name)}: {json.dumps(counts)}" for name, counts in packages.items())
    FILE.write_text(
        f'{{\n  "functions": {json.dumps(functions)},\n  "modules": {{\n{lines}\n  }},\n'
        f'  "packages": {{\n{others}\n  }}\n}}\n'
    )


if __name__ == "__main__":
    main()
