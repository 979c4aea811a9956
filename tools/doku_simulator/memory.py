"""What DOKU and the bank know, kept in a file from one run of the simulator to the next.

Kept are accounts, ledger, links, tokens, payments, notifications and the request log. Not kept: the configuration
(keys, variant), dials, and where the merchant is. What was still to happen happens before: nothing waits in a file.
"""

import pickle
from pathlib import Path

from tools.doku_simulator.core import Simulator


def save(simulator: Simulator, file: Path) -> None:
    """Write the memory; a reader never sees half of it."""
    simulator.world.settle()
    partial = file.with_name(file.name + ".new")
    partial.touch(mode=0o600)
    # One document, so that a link that payments and tokens share is one link again.
    partial.write_bytes(pickle.dumps((simulator.world.memory(), simulator.notifications.memory(), simulator.requests)))
    partial.replace(file)


def load(simulator: Simulator, file: Path) -> None:
    """Read what `save` wrote on this machine; does nothing where there is no file."""
    if not file.exists():
        return
    world, notifications, requests = pickle.loads(file.read_bytes())  # noqa: S301 - our own file, below .local
    simulator.world.recall(world)
    simulator.notifications.recall(notifications)
    simulator.requests.extend(requests)
