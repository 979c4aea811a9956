"""Fuzzing without guidance: the same inputs for the same seed, on every machine. `make test` runs a little of it."""

from __future__ import annotations

from random import Random

from tests.fuzz.mutation import mutate
from tests.fuzz.shrink import shrink
from tests.fuzz.target import Finding, Target, find_fault

LONGEST = 16 * 1024
_POOL = 400


def run_unguided(target: Target, cases: int, seed: int) -> tuple[int, Finding | None]:
    """Try the seeds and then inputs made from them, `cases` in all; stop at the first that fails. Returns how many."""
    chance = Random(f"{target.name} {seed}")  # noqa: S311 - inputs have to repeat
    pool = list(target.seeds)
    made: list[bytes] = []
    for number in range(cases):
        data = pool[number] if number < len(target.seeds) else mutate(chance.choice(pool), chance, LONGEST)
        if find_fault(target, data) is not None:
            return number + 1, make_finding(target, data)
        if chance.random() < 0.1:  # what was changed is changed further, beside the seeds
            made = [*made[1 - _POOL :], data]
            pool = [*target.seeds, *made]
    return cases, None


def make_finding(target: Target, data: bytes) -> Finding:
    """Return the finding of an input that fails, made small; of several faults, the one that it had."""
    kind = _kind(find_fault(target, data))
    small = shrink(data, lambda other: _kind(find_fault(target, other)) == kind)
    return Finding(target.name, small, find_fault(target, small) or "")


def _kind(fault: str | None) -> str | None:
    return None if fault is None else fault.partition(":")[0]
