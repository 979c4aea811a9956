"""The command line.

python -m tools.invoke BindAccount events/bind_account.json [--docker auto|yes|no] [--debug PORT]
python -m tools.invoke --start-api [--port PORT] [--debug PORT]
"""

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType

from tools.invoke import with_sam, without_docker
from tools.invoke.functions import read_functions
from tools.invoke.running_stack import read_running_stack
from tools.local_cloud.checkout import LOCAL
from tools.local_cloud.failure import LocalCloudError

_DOCKER_FREE = (
    "Without Docker:  make invoke FN=… EVENT=… DOCKER=no  runs the same handler; `make run` serves the API itself."
)


def main() -> int:
    """Parse the arguments and invoke; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.invoke", description=__doc__)
    parser.add_argument("function", nargs="?", help="logical id in template.yaml, e.g. BindAccount")
    parser.add_argument("event", nargs="?", type=Path, help="a file of events/")
    parser.add_argument("--docker", choices=["auto", "yes", "no"], default="auto", help="auto: where an engine answers")
    parser.add_argument("--debug", type=int, metavar="PORT", help="wait for a debugger on this port")
    parser.add_argument("--start-api", action="store_true", help="sam local start-api")
    parser.add_argument("--port", type=int, default=3000, help="of start-api")
    arguments = parser.parse_args()
    if not arguments.start_api and (arguments.function is None or arguments.event is None):
        parser.error("name a function and an event, e.g. FN=BindAccount EVENT=events/bind_account.json")
    # As for `make run`: TERM ends in order, and INT also where a shell that started us in the background ignores it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        if arguments.start_api:
            return _start_api(arguments.port, arguments.debug)
        return _invoke(arguments.function, arguments.event, arguments.docker, arguments.debug)
    except LocalCloudError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _start_api(port: int, debug_port: int | None) -> int:
    if not with_sam.engine_answers():
        print(f"{with_sam.INSTALL}\n{_DOCKER_FREE}", file=sys.stderr)
        return 1
    stack = read_running_stack()
    if debug_port is not None:
        without_docker.prepare()
        print(f"Each request waits for a debugger on port {debug_port}.", file=sys.stderr, flush=True)
    return with_sam.start_api(read_functions(), stack, port, debug_port)


def _invoke(function: str, event: Path, docker: str, debug_port: int | None) -> int:
    stack = read_running_stack()
    if not event.is_file():
        raise LocalCloudError(f"EVENT={event} is no file")
    use_docker = docker == "yes" or (docker == "auto" and with_sam.engine_answers())
    if docker == "yes" and not with_sam.engine_answers():
        print(f"{with_sam.INSTALL}\n{_DOCKER_FREE}", file=sys.stderr)
        return 1
    if docker == "auto" and not use_docker:
        print(f"{with_sam.INSTALL}\nGoing on without Docker.\n", file=sys.stderr)
    if debug_port is not None or not use_docker:
        without_docker.prepare()
    if debug_port is not None:
        print(f"Attach a debugger to port {debug_port}; the function waits for it.", file=sys.stderr, flush=True)
    if use_docker:
        return with_sam.invoke(read_functions(), stack, function, event, debug_port)
    LOCAL.mkdir(exist_ok=True)
    log = LOCAL / "invoke.log"
    answer = without_docker.invoke(read_functions().find(function), stack, event.read_bytes(), log, debug_port)
    # As `sam local invoke`: the log to standard error, the answer to standard output.
    print(log.read_text(errors="replace"), file=sys.stderr, end="", flush=True)
    print(answer.decode())
    return 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
