"""A debugger, as far as a test needs one: the Debug Adapter Protocol over TCP, as VS Code speaks it to debugpy.

Source: https://microsoft.github.io/debug-adapter-protocol/specification
"""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any, Self

from tests.patience import PATIENCE_SECONDS
from tools.local_cloud.executions import poll_until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_HEADER_END = b"\r\n\r\n"


class Debugger:
    """Attached to a process that waits for one."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._stream = connection.makefile("rb")
        self._sent = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._connection.close()

    def attach(self, mappings: Sequence[tuple[Path, str]], breakpoints: Mapping[Path, Sequence[int]]) -> None:
        """Attach with (local, remote) folders, set breakpoints by local file and line, and let the process go."""
        self._send("initialize", adapterID="debugpy", pathFormat="path", linesStartAt1=True)
        self._await(lambda it: it.get("command") == "initialize")
        folders = [{"localRoot": str(local), "remoteRoot": remote} for local, remote in mappings]
        self._send("attach", justMyCode=False, pathMappings=folders)
        self._await(lambda it: it.get("event") == "initialized")
        for path, lines in breakpoints.items():
            self._send("setBreakpoints", source={"path": str(path)}, breakpoints=[{"line": line} for line in lines])
            self._await(lambda it: it.get("command") == "setBreakpoints")
        self._send("configurationDone")

    def next_stop(self) -> tuple[str, int]:
        """Wait for the next breakpoint; return its local file and line, and go on."""
        thread = self._await(lambda it: it.get("event") == "stopped")["body"]["threadId"]
        self._send("stackTrace", threadId=thread, startFrame=0, levels=1)
        frame = self._await(lambda it: it.get("command") == "stackTrace")["body"]["stackFrames"][0]
        self._send("continue", threadId=thread)
        return frame["source"]["path"], frame["line"]

    def _send(self, command: str, **arguments: object) -> None:
        self._sent += 1
        message = {"seq": self._sent, "type": "request", "command": command, "arguments": arguments}
        body = json.dumps(message).encode()
        self._connection.sendall(b"Content-Length: %d%s%s" % (len(body), _HEADER_END, body))

    def _await(self, is_wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while True:
            length = 0
            while line := self._stream.readline().strip():
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            message = json.loads(self._stream.read(length))
            if message.get("success") is False:
                raise AssertionError(message)
            if is_wanted(message):
                return dict(message)


def connect(port: int) -> Debugger:
    """Attach to a port as soon as somebody listens there."""
    found: list[socket.socket] = []

    def listens() -> bool:
        try:
            found.append(socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS))
        except ConnectionRefusedError:
            return False
        return True

    poll_until("the function under the debugger", listens, PATIENCE_SECONDS)
    return Debugger(found[0])
