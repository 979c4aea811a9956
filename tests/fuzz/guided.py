"""`python -m tests.fuzz.guided TARGET CASES SEED FOLDER`: one target under atheris, which follows what the code does.

libFuzzer ends the process itself, so each target has one of its own. What it keeps of its inputs is in FOLDER, and the
next run begins with it; a finding is left there as `finding.json`.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from pathlib import Path
from random import Random

import atheris

with atheris.instrument_imports(include=["doku_snap", "direct_debit", "jwt"]):
    from tests.fuzz.targets import TARGETS
from tests.fuzz.mutation import mutate
from tests.fuzz.target import find_fault
from tests.fuzz.unguided import LONGEST, make_finding

FOUND = 77
FINDING = "finding.json"
_OURS = 0.7  # of the changes; the others are libFuzzer's own
_SECONDS = 60  # for one input: a reader that takes longer hangs


def main(name: str, cases: int, seed: int, folder: Path) -> None:
    """Fuzz; does not return."""
    target = TARGETS[name]
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(target.seeds):
        (corpus / f"seed-{number}").write_bytes(data)
    (folder / FINDING).unlink(missing_ok=True)
    tried = 0

    def check(data: bytes) -> None:
        nonlocal tried
        tried += 1
        if find_fault(target, data) is None:
            return
        finding = make_finding(target, data)
        told = {"tried": tried, "error": finding.error, "data": base64.b64encode(finding.data).decode()}
        (folder / FINDING).write_text(json.dumps(told))
        os._exit(FOUND)  # libFuzzer would write the large input down, and its own stack

    def change(data: bytes, limit: int, chance_seed: int) -> bytes:
        chance = Random(chance_seed)  # noqa: S311 - inputs have to repeat
        if chance.random() < _OURS:
            return mutate(data, chance, limit)
        changed: bytes = atheris.Mutate(data, limit)
        return changed

    options = [
        f"-runs={cases}",
        f"-seed={seed % 2**31 or 1}",
        f"-max_len={LONGEST}",
        f"-timeout={_SECONDS}",
        "-print_final_stats=1",
        "-verbosity=1",
        f"-artifact_prefix={folder}/",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], check, custom_mutator=change)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
