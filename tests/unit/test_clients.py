"""What is generated in clients/ is fresh, TypeScript's own tests pass, and both packages hold what they need."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tools.bootstrap import find_uv
from tools.clients import PYTHON, TYPESCRIPT, build_typescript, make_files, write_async_client
from tools.local_cloud.checkout import ROOT
from tools.node import find_node, find_npm, with_node


def test_what_is_generated_is_fresh() -> None:
    stale = [path.name for path, text in make_files().items() if path.read_text("utf-8") != text]
    assert stale == [], "run `make clients`"


def test_a_line_that_the_asynchronous_client_is_made_from_may_not_vanish() -> None:
    with pytest.raises(LookupError, match=r"class Client:"):
        write_async_client((PYTHON / "client.py").read_text("utf-8").replace("class Client:", "class Caller:"))


def test_typescripts_own_tests() -> None:
    build_typescript()
    suites = sorted(path.name for path in (TYPESCRIPT / "test").glob("*.test.ts"))
    assert len(suites) >= 6
    files = [f"dist/test/{name.removesuffix('.ts')}.js" for name in suites]
    done = subprocess.run(
        [find_node(), "--test", "--test-reporter=tap", *files],
        cwd=TYPESCRIPT,
        env=with_node(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert "\n# fail 0\n" in done.stdout


def test_the_npm_package_holds_the_built_client_and_nothing_else() -> None:
    build_typescript()
    command = [*find_npm(), "pack", "--dry-run", "--json", "--ignore-scripts"]
    packed = subprocess.run(command, cwd=TYPESCRIPT, env=with_node(), capture_output=True, text=True, check=True)
    files = {entry["path"] for entry in json.loads(packed.stdout)[0]["files"]}
    sources = {path.stem for path in (TYPESCRIPT / "src").glob("*.ts")}
    built = {f"dist/src/{name}{ending}" for name in sources for ending in (".js", ".d.ts")}
    assert files == {"package.json", "README.md"} | built


def test_the_lock_names_no_registry() -> None:
    assert '"resolved"' not in (TYPESCRIPT / "package-lock.json").read_text("utf-8")


def test_the_python_package_is_whole(tmp_path: Path) -> None:
    """As `pip install ./clients/python` builds it: with its table and its mark of types, and it can be imported."""
    folder = ROOT / "clients" / "python"
    command = [find_uv(), "build", "--quiet", "--wheel", "--out-dir", str(tmp_path), str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        names = {name for name in opened.namelist() if not name.startswith("doku_cimb")}
        opened.extractall(tmp_path / "installed")
    assert names == {f"direct_debit_client/{path.name}" for path in PYTHON.iterdir() if path.is_file()}
    probe = "from direct_debit_client import problems; print(len(problems.known_problems()), problems.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", probe],
        env={"PYTHONPATH": str(tmp_path / "installed")},
        capture_output=True,
        text=True,
        check=True,
    )
    count, file = done.stdout.split()
    assert int(count) >= 20
    assert file.startswith(str(tmp_path))
