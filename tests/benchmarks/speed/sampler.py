"""What the driver does, with its stack noted as CPU time passes: for flame graphs, not for times.

python -B sampler.py JOB REPORT. The report's `stacks` are pairs: seconds of the monotonic clock, and the stack from the
outermost frame on, joined by `;`. The system's timer counts this process's CPU time, in ticks of some milliseconds.
"""

import json
import os
import signal
import sys
import time
import types

import driver  # type: ignore[import-not-found]  # it lies beside this script

_PERIOD = 0.001  # CPU seconds; the system may take longer
_stacks: list[tuple[float, str]] = []


def _note(_: int, frame: types.FrameType | None) -> None:
    names: list[str] = []
    while frame is not None:
        module = frame.f_globals.get("__name__", "?")
        # Of the import machinery the innermost frame alone: the rest would be six frames to each module.
        if module not in {"__main__", "driver"} and (not names or not module.startswith("importlib._bootstrap")):
            names.append(f"{module}:{frame.f_code.co_qualname}")
        frame = frame.f_back
    _stacks.append((time.monotonic(), ";".join(reversed(names))))


def main() -> None:
    """Do one job and watch it."""
    job, report = sys.argv[1:]
    sys.path.remove(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - Lambda does not have it
    with open(job) as file:  # noqa: PTH123 - without pathlib: it is measured
        given = json.load(file)
    os.sched_setaffinity(0, {given["cpu"]})
    signal.signal(signal.SIGPROF, _note)
    signal.setitimer(signal.ITIMER_PROF, _PERIOD, _PERIOD)
    result = driver.run(given["paths"], given["module"], given["events"], given["worlds"])
    signal.setitimer(signal.ITIMER_PROF, 0)
    with open(report, "w") as file:  # noqa: PTH123 - without pathlib: it is measured
        json.dump({**result, "stacks": _stacks}, file)


if __name__ == "__main__":
    main()
