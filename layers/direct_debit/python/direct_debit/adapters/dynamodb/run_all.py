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
    """Run at the same time; boto3's clients may be used by several threads. Raises what the first failing one raises.

    Source: https://docs.aws.amazon.com/boto3/latest/guide/clients.html (multithreading)
    """
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - the sweep alone needs it

    with ThreadPoolExecutor(_MOST_AT_ONCE) as threads:
        return list(threads.map(lambda read: read(), reads))
