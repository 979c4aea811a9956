"""What is generated in clients/ is fresh, and TypeScript's own tests pass."""

import subprocess

import pytest

from tools.clients import PYTHON, TYPESCRIPT, build_typescript, make_files, write_async_client
from tools.node import find_node, with_node


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


def test_the_lock_names_no_registry() -> None:
    assert '"resolved"' not in (TYPESCRIPT / "package-lock.json").read_text("utf-8")
