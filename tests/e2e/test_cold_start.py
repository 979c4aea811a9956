"""A cold start: nothing is compiled, since the build has done it, and no other room is loaded than its own."""

import json
import re
from pathlib import Path

import pytest

from tests.e2e.loaded import PYTHON, count_packages, read_loaded, read_packages, start
from tools.invoke.functions import read_functions
from tools.local_cloud import sam
from tools.local_cloud.bytecode import compile_build

pytestmark = pytest.mark.e2e

START = """
import builtins, importlib, importlib.machinery, json, re, sys
compiled, methods, expressions = [], [], []
real_exec = builtins.exec
def execute(source, *names):
    if isinstance(source, str) and source.startswith("def __create_fn__"):
        methods.append(source)
    real_exec(source, *names)
builtins.exec = execute
real_parse = re._parser.parse
def parse(pattern, *more):
    expressions.append(str(pattern))
    return real_parse(pattern, *more)
re._parser.parse = parse
real = importlib.machinery.SourceFileLoader.source_to_code
def source_to_code(loader, data, path, **more):
    compiled.append(str(path))
    return real(loader, data, path, **more)
importlib.machinery.SourceFileLoader.source_to_code = source_to_code
sys.path[:0] = sys.argv[1:]
before = set(sys.modules)
importlib.import_module("handler")
import dataclasses, gc
print(json.dumps({
    "unended": [what for what, is_so in (
        ("the collector is off", not gc.isenabled()), ("methods are looked up", "exec" in vars(dataclasses))
    ) if is_so],
    "compiled": [path for path in compiled if path.startswith(tuple(sys.argv[1:]))],
    "methods": methods,
    "expressions": expressions,
    "ours": [name for name in sys.modules if name.startswith(("direct_debit", "doku_snap"))],
    "others": [
        name for name in sys.modules if name not in before and not name.startswith(("direct_debit", "doku_snap"))
    ],
}))
"""
# PyJWT writes this one from a set: another one in each process.
UNSTEADY = "(?=(----[- ](BEGIN|END) ("
ROOMS = "direct_debit.entrypoint.operations."
LOADED = read_loaded()
PACKAGES = read_packages()
# Another patch of Python may load one or two more of its own.
SPARE = 2


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sam.build(tmp_path_factory.mktemp("build") / "build.log").resolve()


@pytest.mark.parametrize("name", read_functions().names())
def test_a_start_compiles_nothing_and_loads_its_own_room_only(build: Path, name: str) -> None:
    started: dict[str, list[str]] = json.loads(start(build, name, START))
    assert started["compiled"] == started["methods"] == started["unended"] == []
    assert [one for one in started["expressions"] if UNSTEADY not in one] == []
    rooms = [module.removeprefix(ROOMS) for module in started["ours"] if module.startswith(ROOMS)]
    assert rooms in ([], [re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()])
    remedy = "look whether it is meant, then python -m tests.e2e.loaded writes tests/e2e/loaded_modules.json anew"
    assert name in LOADED, f"{name} is not in the list of what functions load: {remedy}"
    more, less = set(started["ours"]) - LOADED[name], LOADED[name] - set(started["ours"])
    assert not more, (
        f"{name} loads more at its start: {sorted(more)}; import what few requests need where it is needed, or {remedy}"
    )
    assert not less, f"{name} loads less at its start than the list says: {sorted(less)}; {remedy}"
    packages, listed = dict(count_packages(started["others"])), dict(PACKAGES[name])
    pythons, bound = packages.pop(PYTHON), listed.pop(PYTHON) + SPARE
    assert packages == listed, (
        f"{name} loads other modules of packages at its start than the list says: "
        f"{sorted(packages.items() ^ listed.items())}; find what brings them (python -X importtime), or {remedy}"
    )
    assert pythons <= bound, (
        f"{name} loads {pythons} modules of Python's own, and {bound} are its bound; find what brings them "
        f"(python -X importtime), load it where it is used, or {remedy}"
    )


def test_every_function_has_its_bounds() -> None:
    assert set(read_functions().names()) == LOADED.keys() == PACKAGES.keys()


def test_a_build_made_again_has_the_same_bytes(build: Path, tmp_path: Path) -> None:
    """Or each deployment from another machine would publish everything anew."""
    made = {}
    for number in range(2):
        folder = tmp_path / str(number) / "Layer" / "python"
        folder.parent.mkdir(parents=True)
        (folder).mkdir()
        for source in (build / "DirectDebitLayer" / "python" / "direct_debit").rglob("*.py"):
            target = folder / source.relative_to(build / "DirectDebitLayer" / "python")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
        compile_build(tmp_path / str(number))
        made[number] = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.pyc")}
    assert made[0] == made[1] != {}
    in_build = {
        path.relative_to(build / "DirectDebitLayer" / "python"): path.read_bytes()
        for path in (build / "DirectDebitLayer" / "python").rglob("*.pyc")
    }
    assert made[0] == in_build
