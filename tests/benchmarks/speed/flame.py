"""Flame graphs of the first payment and of warm ones: build/flame-cold.svg, build/flame-warm.svg, and their stacks.

The text files hold collapsed stacks (`frame;frame;frame count`), which other tools read too.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.speed.row import Row
from tests.benchmarks.speed.samples import Samples

_FUNCTION = "MakePayment"
_COLD_RUNS = 10  # environments whose samples are laid on each other
_WARM_EVENTS = 400
_WIDTH, _ROW = 1600, 16
_NARROWEST = 0.0006  # of the whole width; what is narrower is not drawn
_LEGIBLE = 40  # pixels from which on a frame has its name in it


@dataclass(slots=True)
class _Frame:
    name: str
    samples: int = 0
    below: dict[str, _Frame] = field(default_factory=dict)


def draw_flames(samples: Samples, folder: Path) -> Iterator[Row]:
    """Write the files; return a row that says where."""
    bench = samples.bench
    cold: Counter[str] = Counter()
    for _ in range(_COLD_RUNS):
        run = bench.sample(_FUNCTION, bench.stage.prepare(_FUNCTION, 1))
        cold.update(stack for _, stack in run.stacks)
    run = bench.sample(_FUNCTION, bench.stage.prepare(_FUNCTION, _WARM_EVENTS))
    warm = Counter(stack for at, stack in run.stacks if at >= run.report.began[1])
    for name, stacks in (("cold", cold), ("warm", warm)):
        (folder / f"flame-{name}.txt").write_text("".join(f"{one} {count}\n" for one, count in sorted(stacks.items())))
        (folder / f"flame-{name}.svg").write_text(draw(stacks, f"{_FUNCTION}, {name}"))
        yield Row(
            measure="flame",
            what=f"{name} payment",
            ours=stacks.total(),
            unit="samples",
            note=f"{folder.name}/flame-{name}.svg; most by themselves: {_dearest(stacks)}",
        )


def draw(stacks: Counter[str], title: str) -> str:
    """Return an SVG: the outermost frames at the top, each as wide as its share of the samples."""
    root = _Frame(title)
    for stack, count in stacks.items():
        frame = root
        frame.samples += count
        for name in stack.split(";"):
            frame = frame.below.setdefault(name, _Frame(name))
            frame.samples += count
    boxes = list(_lay_out(root, 0.0, 0, root.samples))
    height = _ROW * (1 + max(depth for _, _, depth in boxes))
    drawn = "\n".join(_box(frame, x, depth, root.samples) for frame, x, depth in boxes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'font-family="monospace" font-size="11">\n{drawn}\n</svg>\n'
    )


def _lay_out(frame: _Frame, x: float, depth: int, total: int) -> Iterator[tuple[_Frame, float, int]]:
    """Yield each frame that can be seen, with its left edge (0 to 1) and its depth."""
    yield frame, x, depth
    for below in sorted(frame.below.values(), key=lambda one: one.name):
        if below.samples / total >= _NARROWEST:
            yield from _lay_out(below, x, depth + 1, total)
        x += below.samples / total


def _box(frame: _Frame, x: float, depth: int, total: int) -> str:
    share = frame.samples / total
    left, width, top = x * _WIDTH, share * _WIDTH, depth * _ROW
    hue = 200 if frame.name.startswith(("direct_debit", "doku_snap")) else 30  # ours are blue
    name = html.escape(frame.name)
    text = ""
    if width >= _LEGIBLE:
        shown = html.escape(frame.name[-int(width / 7) :])
        text = f'<text x="{left + 2:.1f}" y="{top + 12}">{shown}</text>'
    return (
        f'<g><title>{name} {share:.1%}</title><rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{_ROW - 1}" '
        f'fill="hsl({hue},70%,{70 + depth % 4 * 4}%)"/>{text}</g>'
    )


def _dearest(stacks: Counter[str]) -> str:
    own: Counter[str] = Counter()
    for stack, count in stacks.items():
        own[stack.rpartition(";")[2]] += count
    return ", ".join(f"{name} {count / stacks.total():.0%}" for name, count in own.most_common(5))
