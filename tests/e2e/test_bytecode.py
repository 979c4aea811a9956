"""What is deployed has its bytecode: a cold start on Lambda's read-only disk compiles nothing of it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tools.invoke.functions import read_functions
from tools.local_cloud import sam
from tools.local_cloud.bytecode import compile_build

pytestmark = pytest.mark.e2e

START = """
import importlib, importlib.machinery, json, sys
compiled = []
real = importlib.machinery.SourceFileLoader.source_to_code
def source_to_code(loader, data, path, **more):
    compiled.append(str(path))
    return real(loader, data, path, **more)
importlib.machinery.SourceFileLoader.source_to_code = source_to_code
sys.path[:0] = sys.argv[1:]
importlib.import_module("handler")
print(json.dumps([path for path in compiled if path.startswith(tuple(sys.argv[1:]))]))
"""


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sam.build(tmp_path_factory.mktemp("build") / "build.log").resolve()


@pytest.mark.parametrize("name", read_functions().names())
def test_a_start_compiles_nothing(build: Path, name: str) -> None:
    layers = [str(build / layer / "python") for layer in ("DependenciesLayer", "DokuSnapLayer", "DirectDebitLayer")]
    command = [sys.executable, "-B", "-c", START, str(build / name), *layers]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


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
