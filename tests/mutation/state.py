"""What a run has learnt so far, in a file: one line per verdict, so that an interrupted run goes on where it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from tests.mutation.mutants import ROOT
from tests.mutation.trial import Verdict


class State:
    """The verdicts of one run. They belong to one state of the sources: with others the file is refused."""

    def __init__(self, path: Path | None, digest: str) -> None:
        self._path = path
        self.verdicts: dict[str, Verdict] = {}
        if path is None:
            return
        if path.exists():
            head, *lines = path.read_text("utf-8").splitlines()
            if json.loads(head) != {"sources": digest}:
                raise SystemExit(f"{path} belongs to other sources; remove it to begin anew")
            for line in lines:
                self._keep(Verdict(**json.loads(line)))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({"sources": digest}) + "\n", "utf-8")

    def add(self, verdict: Verdict) -> None:
        """Keep a verdict, at once."""
        self._keep(verdict)
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(verdict)) + "\n")

    def _keep(self, verdict: Verdict) -> None:
        self.verdicts[verdict.name] = verdict


def digest_sources(folders: Iterable[Path] = (ROOT / "layers", ROOT / "tests", ROOT / "tools")) -> str:
    """Return a digest of all that a verdict depends on."""
    digest = hashlib.sha256()
    for path in sorted(path for folder in folders for path in folder.rglob("*.py")):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
