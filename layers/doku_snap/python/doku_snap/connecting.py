"""A TCP connection within one time limit, the look-up of the name included."""

import queue
import socket
import threading
from collections.abc import Callable

type _Address = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
type _Found = tuple[socket.AddressFamily, _Address]


def open_connection(host: str, port: int, seconds_left: Callable[[], float]) -> socket.socket:
    """Connect to the first address of `host` that answers; each gets an even share of the time that is left.

    `seconds_left` raises TimeoutError when the time is up. Raises OSError (gaierror, TimeoutError, ConnectionError) or
    UnicodeError. The socket comes with what is left as its timeout.
    """
    found = _look_up(host, port, seconds_left())
    last_error: OSError = OSError("the name has no address")
    for position, (family, address) in enumerate(found):
        opened = socket.socket(family, socket.SOCK_STREAM)
        try:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            opened.settimeout(seconds_left() / (len(found) - position))
            opened.connect(address)
            opened.settimeout(seconds_left())
        except OSError as error:
            opened.close()
            last_error = error
        else:
            return opened
    raise last_error


def _look_up(host: str, port: int, seconds: float) -> list[_Found]:
    # The system's resolver has no time limit of ours and cannot be interrupted: when the time is up, the thread is left
    # to it and ends when it gives up.
    answer: queue.SimpleQueue[list[_Found] | OSError | UnicodeError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answer.put([(family, address) for family, _, _, _, address in rows])
        except (OSError, UnicodeError) as error:
            answer.put(error)

    threading.Thread(target=ask, name="doku-name-look-up", daemon=True).start()
    try:
        found = answer.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError("the name was not resolved in time") from None
    if isinstance(found, OSError | UnicodeError):
        raise found
    return found
