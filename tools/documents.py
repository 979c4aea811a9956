"""A page's code, run as its reader runs it: block after block in one shell, each answer compared with the page's."""

import json
import re
import subprocess
import threading
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

ANYTHING = "…"
"""In a page's answer: any text may stand here; as a name, more fields may be there."""

_PATIENCE_SECONDS = 600.0
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_END = "--- end of block ---"


@dataclass(frozen=True, slots=True)
class Block:
    """A block of shell, with the answer that the page gives for it (None: none), and where it stands."""

    heading: str
    line: int
    shell: str
    answer: str | None
    language: str


def read_blocks(text: str) -> list[Block]:
    """Return the blocks that are marked `sh`, each with the `json` or `text` block that follows it, if one does."""
    found = list(_FENCE.finditer(text))
    blocks = []
    for number, fence in enumerate(found):
        if fence[1] != "sh":
            continue
        after = found[number + 1] if number + 1 < len(found) else None
        answer = after if after is not None and after[1] in {"json", "text"} else None
        blocks.append(
            Block(
                heading=_heading_before(text, fence.start()),
                line=text.count("\n", 0, fence.start()) + 1,
                shell=fence[2],
                answer=None if answer is None else answer[2],
                language="" if answer is None else answer[1],
            )
        )
    return blocks


def _heading_before(text: str, position: int) -> str:
    prose = _FENCE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    return next(reversed(_HEADING.findall(prose[:position])), "")


class Reader:
    """One shell, as a reader has it open: what a block sets, the next one has. A failed command ends it."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            ["/bin/bash", "--noprofile", "--norc", "-euo", "pipefail", "-s"],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, block: Block) -> str:
        """Run a block and return what it printed. Raises AssertionError when a command of it fails."""
        commands, words = self._pipes()
        said: list[str] = []
        # What is never said is not waited for any longer than anything else in these tests.
        patience = threading.Timer(_PATIENCE_SECONDS, self._process.kill)
        patience.start()
        try:
            # On a line of its own, though what was said may have no end of line.
            commands.write(f"{block.shell}\nprintf '\\n%s\\n' '{_END}'\n")
            commands.flush()
            for line in words:
                if line.rstrip("\n") == _END:
                    return "".join(said).removesuffix("\n")
                said.append(line)
        finally:
            patience.cancel()
        raise AssertionError(f"line {block.line}: a command failed\n{block.shell}\n{''.join(said)}")

    def close(self) -> None:
        """End the shell."""
        commands, words = self._pipes()
        commands.close()
        words.close()
        self._process.wait()

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        return cast("IO[str]", self._process.stdin), cast("IO[str]", self._process.stdout)


def compare(block: Block, said: str, own: Collection[str] = ()) -> None:
    """Raise AssertionError unless a block said what the page says; the values of `own` fields are each reader's own."""
    if block.answer is None:
        return
    if block.language == "json":
        differences = list(differing(json.loads(block.answer), json.loads(said), "$", own))
    else:
        differences = [] if _fits(block.answer.strip(), said.strip()) else [f"{said!r} is not {block.answer!r}"]
    if differences:
        raise AssertionError(f"line {block.line}: {'; '.join(differences)}\n{block.shell}")


def differing(wanted: object, got: object, where: str, own: Collection[str] = ()) -> Iterator[str]:
    """Yield where an answer is not as the page has it."""
    if isinstance(wanted, str) and isinstance(got, str):
        if not _fits(wanted, got):
            yield f"{where} is {got!r}, not {wanted!r}"
    elif isinstance(wanted, dict) and isinstance(got, dict):
        yield from _differing_fields(wanted, got, where, own)
    elif isinstance(wanted, list) and isinstance(got, list):
        if len(wanted) != len(got):
            yield f"{where} has {len(got)} items, not {len(wanted)}"
        for number, (one, other) in enumerate(zip(wanted, got, strict=False)):
            yield from differing(one, other, f"{where}[{number}]", own)
    elif wanted != got:
        yield f"{where} is {got!r}, not {wanted!r}"


def _differing_fields(
    wanted: Mapping[str, object], got: Mapping[str, object], where: str, own: Collection[str]
) -> Iterator[str]:
    names = [name for name in wanted if name != ANYTHING]
    yield from (f"{where}.{name} is missing" for name in names if name not in got)
    if ANYTHING not in wanted:
        yield from (f"{where}.{name} is not on the page" for name in got if name not in wanted)
    for name in names:
        if name in got and name not in own:
            yield from differing(wanted[name], got[name], f"{where}.{name}", own)


def _fits(pattern: str, text: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split(ANYTHING))), text, re.DOTALL) is not None
