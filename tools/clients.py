"""Writes what is generated in clients/: the tables of problems, the asynchronous Python client, TypeScript's types.

make clients                # write all
make clients ARGS=--check   # exit 1 when one would change, or when TypeScript's compiler refuses the client
"""

import argparse
import contextlib
import fcntl
import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from direct_debit.entrypoint.errors import PROBLEMS
from tools.local_cloud.checkout import ROOT
from tools.node import find_node, install_packages, with_node
from tools.openapi.problems import CATCH_NAMES

DOCUMENT = ROOT / "docs" / "openapi.json"
PYTHON = ROOT / "clients" / "python" / "src" / "direct_debit_client"
TYPESCRIPT = ROOT / "clients" / "typescript"

# From the blocking client to the asynchronous one: what is written, what is written instead. In this order.
_ASYNCHRONOUS = (
    ("The blocking client.", "The same client for asyncio, written by `make clients` from client.py."),
    ("class Client:", "class AsyncClient:"),
    ("a context manager. Threads may share it.", "an asynchronous context manager. Tasks may share it."),
    ("import Callable, Iterator", "import AsyncIterator, Awaitable, Callable"),
    ("import httpx\n", "import anyio\nimport httpx\n"),
    ("sleep: Callable[[float], None] = time.sleep", "sleep: Callable[[float], Awaitable[None]] = anyio.sleep"),
    ("httpx.BaseTransport", "httpx.AsyncBaseTransport"),
    ("= httpx.Client(", "= httpx.AsyncClient("),
    ("    def __init__(", "    DEF __init__("),  # the one that stays as it is
    ("    def ", "    async def "),
    ("    DEF ", "    def "),
    ("return self._", "return await self._"),
    ("page = self.list_", "page = await self.list_"),
    ("self._sleep(step", "await self._sleep(step"),
    ("= self._send(", "= await self._send("),
    ("self._http.send(", "await self._http.send("),
    ("-> Iterator[", "-> AsyncIterator["),
    ("yield from page.payments", "for payment in page.payments:\n                yield payment"),
    ("yield from page.bindings", "for binding in page.bindings:\n                yield binding"),
    ("def close(", "def aclose("),
    ("self._http.close()", "await self._http.aclose()"),
    ("self.close()", "await self.aclose()"),
    ("__enter__", "__aenter__"),
    ("__exit__", "__aexit__"),
)


def write_async_client(blocking: str) -> str:
    """Return the asynchronous client's source. Raises LookupError where a line that it changes is gone."""
    text = blocking
    for before, after in _ASYNCHRONOUS:
        if before not in text:
            raise LookupError(f"tools/clients.py: client.py has no {before!r} any more")
        text = text.replace(before, after)
    return _format(text)


def _format(source: str) -> str:
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(PYTHON / "async_client.py"), "-"]
    return subprocess.run(command, input=source, check=True, capture_output=True, text=True).stdout


def list_problems() -> Mapping[str, Mapping[str, str]]:
    """Return each problem's error class and remedy, by its slug."""
    return {slug: {"name": CATCH_NAMES[slug], "remedy": kind.remedy} for slug, kind in PROBLEMS.items()}


def write_problems_ts() -> str:
    """Return the table as TypeScript."""
    table = json.dumps(list_problems(), indent=2, ensure_ascii=False)
    return (
        "// Written by `make clients`: what docs/errors.md says of each problem.\n"
        "export const PROBLEMS: Readonly<Record<string, { readonly name: string; readonly remedy: string }>> = "
        f"{table};\n"
    )


def write_types() -> str:
    """Return TypeScript's types of docs/openapi.json. Raises CalledProcessError after the generator's words."""
    with _prepared():
        document = json.dumps(_without_examples(json.loads(DOCUMENT.read_text("utf-8"))))
        return _run_package("openapi-typescript/bin/cli.js", input=document)


def _without_examples(value: object) -> object:
    """Drop examples: as comments they are most of the types, and each change of one would change them."""
    if isinstance(value, list):
        return [_without_examples(part) for part in value]
    if isinstance(value, dict):
        return {name: _without_examples(part) for name, part in value.items() if name not in ("example", "examples")}
    return value


@cache
def build_typescript() -> None:
    """Compile the TypeScript client and its tests into `dist`, where they have changed since that was done.

    Raises CalledProcessError after the compiler's words.
    """
    with _prepared():
        sources = [*TYPESCRIPT.glob("src/*.ts"), *TYPESCRIPT.glob("test/**/*.ts")]
        inputs = [*sorted(sources), TYPESCRIPT / "tsconfig.json", TYPESCRIPT / "package-lock.json"]
        digest = hashlib.sha256(b"".join(b"%s\n%s" % (str(one).encode(), one.read_bytes()) for one in inputs))
        stamp = TYPESCRIPT / "dist" / ".built"
        if stamp.is_file() and stamp.read_text("utf-8") == digest.hexdigest():
            return
        for folder in ("src", "test"):
            shutil.rmtree(TYPESCRIPT / "dist" / folder, ignore_errors=True)  # nothing stays of a file that is gone
        try:
            _run_package("typescript/bin/tsc", "--project", "tsconfig.json")
        except subprocess.CalledProcessError as error:
            print(error.stdout, file=sys.stderr)  # where the compiler says what is wrong
            raise
        stamp.write_text(digest.hexdigest(), "utf-8")


@contextlib.contextmanager
def _prepared() -> Iterator[None]:
    """Hold the folder with its packages installed: tests in several processes build it, one after the other."""
    (TYPESCRIPT / "dist").mkdir(exist_ok=True)
    with (TYPESCRIPT / "dist" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        install_packages(TYPESCRIPT)
        yield


def _run_package(program: str, *arguments: str, input: str | None = None) -> str:  # noqa: A002 - as subprocess names it
    command = [find_node(), str(TYPESCRIPT / "node_modules" / program), *arguments]
    done = subprocess.run(
        command, env=with_node(), check=True, stdout=subprocess.PIPE, text=True, cwd=TYPESCRIPT, input=input
    )
    return done.stdout


def read_examples(page: Path, language: str) -> list[str]:
    """Return a page's blocks of code in one language. Raises LookupError where it has none."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    if not found:
        raise LookupError(f"{page} has no example in {language}")
    return found


def make_files() -> Mapping[Path, str]:
    """Return what each generated file holds."""
    return {
        PYTHON / "problems.json": json.dumps(list_problems(), indent=2, ensure_ascii=False) + "\n",
        PYTHON / "async_client.py": write_async_client((PYTHON / "client.py").read_text("utf-8")),
        TYPESCRIPT / "src" / "problem-kinds.ts": write_problems_ts(),
        TYPESCRIPT / "src" / "openapi.ts": write_types(),
    }


def main() -> int:
    """Write or check the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file would change")
    check: bool = parser.parse_args().check
    stale = []
    for file, text in make_files().items():
        if file.is_file() and file.read_text("utf-8") == text:
            continue
        stale.append(file.name)
        if not check:
            file.write_text(text, "utf-8")
    print(*stale, "would change: run `make clients`" if check else "written") if stale else print("nothing to do")
    if check and not stale:
        build_typescript()
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
