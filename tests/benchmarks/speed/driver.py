"""One environment of a function, in a fresh interpreter: load the handler, hand it events, and say what that took.

python -B driver.py JOB REPORT

JOB: JSON, `{"paths": folders in front of sys.path, "module": name, "events": [...], "worlds": [...], "cpu": number}`; a
world is what the stage plays for the event at its place (none: what it plays anyway). REPORT: see `run`.

It imports no more than Lambda's own bootstrap does before it loads a handler, and nothing of this project. It stays on
the stage's processor: they take turns, and elsewhere somebody else's work would fill the caches while it waits.
"""

import importlib
import importlib.machinery
import json
import os
import resource
import sys
import time
import types

OURS = ("direct_debit", "doku_snap")


class Context:
    """What Lambda hands in beside the event."""

    function_name = "measured"
    function_version = "1"
    invoked_function_arn = "arn:aws:lambda:ap-southeast-3:123456789012:function:measured:live"
    memory_limit_in_mb = "512"
    aws_request_id = "6d1f3c7e-0000-4000-8000-000000000001"

    def get_remaining_time_in_millis(self) -> int:
        """So much time is left, always."""
        return 28_000


def cpu_seconds() -> float:
    """CPU seconds of this process so far, user and system, all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def memory_kib(name: str) -> int:
    """KiB of memory by the kernel's name (proc(5)): VmRSS is what this process has now, VmHWM the most it ever had.

    `ru_maxrss` would hold what the process had before it became this program.
    """
    with open("/proc/self/status") as file:  # noqa: PTH123 - pathlib is not loaded at this moment
        return next(int(line.split()[1]) for line in file if line.startswith(f"{name}:"))


def list_ours() -> list[str]:
    """Return the modules of this project's that are loaded."""
    return [name for name in sys.modules if name.startswith(OURS)]


def note_compiled() -> list[str]:
    """Return a list that grows with the path of each module that is compiled from its source from now on."""
    compiled: list[str] = []
    real = importlib.machinery.SourceFileLoader.source_to_code

    def source_to_code(
        loader: importlib.machinery.SourceFileLoader, data: bytes, path: str, **more: int
    ) -> types.CodeType:
        compiled.append(str(path))
        code: types.CodeType = real(loader, data, path, **more)
        return code

    importlib.machinery.SourceFileLoader.source_to_code = source_to_code  # type: ignore[method-assign,assignment]  # starts of modules are timed
    return compiled


def play(world: str) -> None:
    """Have the stage play a world."""
    import http.client  # noqa: PLC0415 - only where it is needed, as each module counts

    connection = http.client.HTTPConnection(os.environ["AWS_ENDPOINT_URL"].removeprefix("http://"))
    connection.request("POST", "/control/play", json.dumps({"name": world}))
    if connection.getresponse().status != http.client.OK:
        raise RuntimeError(f"the stage does not know the world {world}")
    connection.close()


def run(paths: list[str], module: str, events: list[object], worlds: list[str]) -> dict[str, object]:
    """Load the handler and hand it all events, each in its world.

    CPU seconds: `start` until here (the interpreter's own), `init` until the handler is there, the start included as in
    Lambda, and of each of `requests`. `began` and `ended` of each request: seconds of the monotonic clock; `first_kib`:
    memory after the first request; `peak_kib`: the most at any time; `ours`: modules of this project's that were loaded
    at the start, `ours_later` at the end; `modules`: how many of anybody's at the start; `compiled`: files that had no
    bytecode, until the end.
    """
    start = cpu_seconds()
    compiled = note_compiled()
    sys.path[:0] = paths
    handler = importlib.import_module(module).handler
    init = cpu_seconds()
    ours = list_ours()
    modules = len(sys.modules)
    context = Context()
    requests, began, ended, answers = [], [], [], []
    first_kib = 0
    for number, event in enumerate(events):
        if worlds:
            play(worlds[number])
        began.append(time.monotonic())
        before = cpu_seconds()
        answer = handler(event, context)
        requests.append(cpu_seconds() - before)
        ended.append(time.monotonic())
        answers.append(answer)
        first_kib = first_kib or memory_kib("VmRSS")
    return {
        "start": start,
        "init": init,
        "requests": requests,
        "began": began,
        "ended": ended,
        "first_kib": first_kib,
        "peak_kib": memory_kib("VmHWM"),
        "ours": ours,
        "ours_later": list_ours(),
        "modules": modules,
        "compiled": compiled,
        "answers": answers,
    }


def main() -> None:
    """Do one job. Python puts the script's folder first into `sys.path`, which Lambda does not have."""
    job, report = sys.argv[1:]
    sys.path.remove(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - as above
    with open(job) as file:  # noqa: PTH123 - without pathlib: it is measured
        given = json.load(file)
    os.sched_setaffinity(0, {given["cpu"]})
    result = run(given["paths"], given["module"], given["events"], given["worlds"])
    with open(report, "w") as file:  # noqa: PTH123 - without pathlib: it is measured
        json.dump(result, file)


if __name__ == "__main__":
    main()
