"""Several requests of one process: one after the other, or at the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from direct_debit.adapters.dynamodb.items import Item

    type Read = Callable[[], list[Item]]
    type RunAll = Callable[[Sequence[Read]], list[list[Item]]]

_MOST_AT_ONCE = 8  # botocore keeps ten connections open by itself


def run_in_turn(reads: Sequence[Read]) -> list[list[Item]]:
    """Run one after the other."""
    return [read() for read in reads]


def run_in_threads(reads: Sequence[Read]) -> list[list[Item]]:
    """Run at the same time, the last one in this thread. Raises what one that fails raises, when all have ended.

    The clients may be used by several threads.

    Source: https://docs.aws.amazon.com/boto3/latest/guide/clients.html (multithreading)
    """
    if len(reads) <= 1:
        return run_in_turn(reads)
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - the sweep and lists need it

    *others, last = reads
    with ThreadPoolExecutor(_MOST_AT_ONCE) as threads:
        begun = [threads.submit(read) for read in others]
        found = last()
        return [*[one.result() for one in begun], found]
