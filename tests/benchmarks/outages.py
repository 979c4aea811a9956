"""How long after an outage of DOKU's each kind of open record is settled, played in virtual time.

python -m tests.benchmarks.outages [--seeds 8] [--jobs 2] [--write]

The shipped use cases against the simulator's bank, in one process and on one clock (tests/fakes/outages.py). Each
outage is played with several seeds: when it begins between two sweeps, and the jitter of every plan. `--write` puts the
table into docs/measurements.md in place of the one before.
"""

import argparse
import os
import statistics
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from random import Random

from tests.fakes.outages import SCENES, Scene, play

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "measurements.md"
OUTAGES = {
    "16 min": timedelta(minutes=16),
    "2 h": timedelta(hours=2),
    "6 h": timedelta(hours=6),
    "10 h": timedelta(hours=10),
}
GOAL = timedelta(minutes=10)
_DRAWN_SECONDS = 300
_HEADING = "## After an outage of DOKU's"
_FOLLOWING = "\n## "


@dataclass(frozen=True, slots=True)
class Result:
    """How long after DOKU's return a scene was settled, by seed; None: not within a day."""

    scene: Scene
    outage: str
    after: Sequence[timedelta | None]

    @property
    def is_good(self) -> bool:
        """Whether every seed met the goal."""
        return all(one is not None and one <= GOAL + self.scene.grace for one in self.after)

    def describe(self) -> str:
        """The median and the longest, as minutes and seconds."""
        seconds = [one / timedelta(seconds=1) for one in self.after if one is not None]
        if len(seconds) < len(self.after):
            return "**not within a day**"
        text = f"{_clock(statistics.median(seconds))} / {_clock(max(seconds))}"
        return text if self.is_good else f"**{text}**"


def main() -> int:
    """Play, print, and say by the exit status whether all was settled in time."""
    parser = argparse.ArgumentParser(description="How long after an outage everything is settled.")
    parser.add_argument("--seeds", type=int, default=8, help="how often each outage is played")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--write", action="store_true", help="put the result into docs/measurements.md")
    given = parser.parse_args()
    results = measure(given.seeds, given.jobs)
    text = describe(results, given.seeds)
    sys.stdout.write(text)
    if given.write:
        RESULTS.write_text(put_section(RESULTS.read_text(), text))
    return 0 if all(one.is_good for one in results) else 1


def measure(seeds: int, jobs: int) -> list[Result]:
    """Play every scene through every outage."""
    plays = list(product(range(len(SCENES)), OUTAGES))
    with ProcessPoolExecutor(jobs) as pool:
        played = pool.map(_play, [scene for scene, _ in plays], [outage for _, outage in plays], [seeds] * len(plays))
        return [Result(SCENES[scene], outage, after) for (scene, outage), after in zip(plays, played, strict=True)]


def _play(scene: int, outage: str, seeds: int) -> list[timedelta | None]:
    # The steps of the schedules lie at whole hours too: the last minutes of an outage are drawn.
    chance = Random(outage)  # noqa: S311 - a measurement has to repeat
    return [
        play(SCENES[scene], OUTAGES[outage] + timedelta(seconds=chance.uniform(0, _DRAWN_SECONDS)), seed)
        for seed in range(seeds)
    ]


def describe(results: Sequence[Result], seeds: int) -> str:
    """The result as a section of docs/measurements.md."""
    cells = {(one.scene.title, one.outage): one.describe() for one in results}
    rows = [
        "| " + " | ".join([scene.title, *(cells[scene.title, outage] for outage in OUTAGES)]) + " |" for scene in SCENES
    ]
    lines = [
        _HEADING,
        "",
        "`make bench-outages` (virtual time: no machine is measured): the answer that would have told is lost as DOKU",
        "goes, no notification comes, and no call gets through until it is back (up to five drawn minutes later than",
        "the heading says). How long after its return the truth is written, as minutes:seconds, median / longest of",
        f"{seeds} seeds. Goal: at most 10:00; of an unlinking 16:00, where a code may still be used.",
        "",
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC:",
        "",
        "| what stood open | " + " | ".join(f"away {name}" for name in OUTAGES) + " |",
        "|---|" + "---|" * len(OUTAGES),
        *rows,
        "",
    ]
    return "\n".join(lines)


def put_section(document: str, section: str) -> str:
    """Return the document with the section in the place of the one before, or before its last section."""
    start = document.find(_HEADING)
    if start < 0:
        start = end = document.rindex(_FOLLOWING) + 1
    else:
        following = document.find(_FOLLOWING, start)
        end = len(document) if following < 0 else following + 1
    return document[:start] + section + ("\n" if end < len(document) else "") + document[end:]


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


if __name__ == "__main__":
    sys.exit(main())
