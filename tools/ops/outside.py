"""What the operator's commands reach beyond AWS: DOKU, the API's public address, and the time that passes."""

from collections.abc import Callable
from dataclasses import dataclass

from doku_snap.transport import Transport


@dataclass(frozen=True, slots=True)
class Outside:
    """`transport` sends to DOKU and to the public address; `pause` waits so many seconds."""

    transport: Transport
    pause: Callable[[float], None]
