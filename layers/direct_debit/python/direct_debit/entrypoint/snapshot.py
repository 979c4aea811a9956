"""Lambda SnapStart: an environment may be a copy of another one that was loaded minutes or days before.

What must not be copied is not there when the snapshot is taken: secrets, tokens and times are read by requests,
randomness is the operating system's (adapters/ids.py), connections are made by calls, and none that has rested for
seconds is used again. What a request may have left all the same is forgotten after the restore.
Source: https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
"""

from importlib import import_module

from direct_debit.application.ports.ports import Ports


def register_hooks(ports: Ports) -> None:
    """Have Lambda call `forget` after each restore; nothing happens where there is no SnapStart (no such module)."""
    try:
        hooks = import_module("snapshot_restore_py")
    except ModuleNotFoundError:
        return
    hooks.register_after_restore(forget, ports)


def forget(ports: Ports) -> None:
    """Forget what a process remembers of the fleet: the merchant's token, and that the circuit was quiet."""
    ports.token_memory.token = None
    ports.token_memory.expires_at = None
    ports.circuit_memory.quiet_at = None
