"""Both packages as a shop gets them: built, installed into an empty place, type-checked against and run."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from tools.bootstrap import find_uv
from tools.clients import PYTHON, TYPESCRIPT, build_typescript, read_examples
from tools.local_cloud.checkout import ROOT
from tools.node import find_node, find_npm, install_packages, with_node

HERE = Path(__file__).parent
NPM_NAME = "doku-cimb-direct-debit-client"


def run(command: list[str], folder: Path, environment: Mapping[str, str] = os.environ) -> str:
    """Return what a program says. Fails with all that it said."""
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# --- Python ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, as `pip install ./clients/python` builds it."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [find_uv(), "build", "--quiet", "--wheel", "--python", sys.executable, "--out-dir", str(folder)]
    run([*build, str(ROOT / "clients" / "python")], folder)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        names = {name for name in opened.namelist() if ".dist-info/" not in name}
    assert names == {f"direct_debit_client/{path.name}" for path in PYTHON.iterdir() if path.is_file()}


def test_the_wheel_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    """With the locked versions of what it depends on, and nothing else."""
    python = tmp_path / "env" / "bin" / "python"
    run([find_uv(), "venv", "--quiet", "--python", sys.executable, str(tmp_path / "env")], tmp_path)
    locked = ["--constraint", str(ROOT / "requirements" / "dev.txt"), "--verify-hashes"]
    run([find_uv(), "pip", "install", "--quiet", "--python", str(python), *locked, str(wheel)], tmp_path)
    shutil.copy(HERE / "consumer.py", tmp_path)
    readme = read_examples(ROOT / "clients" / "python" / "README.md", "python")
    (tmp_path / "readme.py").write_text("\n".join([*readme, "def fulfil(reference: str) -> None: ...\n"]))
    assert run([str(python), "-I", "consumer.py"], tmp_path).split() == ["10000.00", "INV1"]
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir=cache"]
    run(
        [*command, "--python-executable", str(python), "consumer.py", "readme.py"],
        tmp_path,
        {"PATH": os.environ["PATH"]},
    )


# --- TypeScript ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, as `npm pack` makes it."""
    build_typescript()
    folder = tmp_path_factory.mktemp("tarball")
    command = [*find_npm(), "pack", "--silent", "--ignore-scripts", "--pack-destination", str(folder)]
    return folder / run(command, TYPESCRIPT, with_node()).strip()


def test_the_tarball_holds_the_built_client_and_nothing_else(tarball: Path) -> None:
    with tarfile.open(tarball) as opened:
        files = {name.removeprefix("package/") for name in opened.getnames()}
    sources = {path.stem for path in (TYPESCRIPT / "src").glob("*.ts")}
    built = {f"dist/src/{name}{ending}" for name in sources for ending in (".js", ".d.ts")}
    assert files == {"package.json", "README.md"} | built


def test_the_tarball_in_an_empty_project(tarball: Path, tmp_path: Path) -> None:
    """With the locked versions of what it depends on, and nothing else: not even Node's types."""
    write_project(tmp_path, tarball)
    install_packages(tmp_path)
    shutil.copy(HERE / "consumer.ts", tmp_path)
    readme = read_examples(TYPESCRIPT / "README.md", "ts")
    (tmp_path / "readme.ts").write_text("\n".join([*readme, AROUND_THE_README]))
    compiler = TYPESCRIPT / "node_modules" / "typescript" / "bin" / "tsc"
    strict = ["--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess"]
    place = ["--target", "es2022", "--module", "nodenext", "--lib", "es2022,dom,dom.iterable,dom.asynciterable"]
    run([find_node(), str(compiler), *strict, *place, "consumer.ts", "readme.ts"], tmp_path)
    assert run([find_node(), "consumer.js"], tmp_path).splitlines() == ["PAID 10000.00"] * 2
    # From a program that is no module, too (Node 20.19 or later).
    required = f"console.log(typeof require('{NPM_NAME}').DirectDebitClient)"
    assert run([find_node(), "--input-type=commonjs", "-e", required], tmp_path).strip() == "function"


AROUND_THE_README = """
declare const process: { readonly env: Readonly<Record<string, string | undefined>> };
type Buffer = Uint8Array;
declare function askForTheCode(): Promise<string>;
declare function fulfil(reference: string): void;
export { receive };
"""


def write_project(folder: Path, tarball: Path) -> None:
    """A project that has the package alone; its lock is that of the client, without what only its developers need."""
    project = {"name": "shop", "private": True, "type": "module", "dependencies": {NPM_NAME: f"file:{tarball}"}}
    (folder / "package.json").write_text(json.dumps(project))
    lock = json.loads((TYPESCRIPT / "package-lock.json").read_text("utf-8"))
    ours = lock["packages"].pop("")
    packages = {place: package for place, package in lock["packages"].items() if not package.get("dev")}
    packages[""] = project
    packages[f"node_modules/{NPM_NAME}"] = {
        "version": ours["version"],
        "resolved": f"file:{tarball}",
        "dependencies": ours["dependencies"],
    }
    (folder / "package-lock.json").write_text(json.dumps({"name": "shop", "lockfileVersion": 3, "packages": packages}))
