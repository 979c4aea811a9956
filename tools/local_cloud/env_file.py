"""The file that lets a function outside the emulator use the running stack: `sam local --env-vars` and tools/invoke."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from tools.local_cloud.checkout import LOCAL
from tools.local_cloud.stack import LocalStack

ENV_FILE = LOCAL / "env.json"


@contextlib.contextmanager
def env_file(stack: LocalStack, path: Path = ENV_FILE) -> Iterator[Path]:
    """Write the variables of the deployed functions, and how to reach the emulator; the file goes with the stack.

    They are the same for every function, so one group ("Parameters", as `sam local` calls it) is enough. A second stack
    of the same checkout takes the file over.
    """
    function = stack.function_name("bind_account")
    deployed = stack.cloud.functions().get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    content = json.dumps({"Parameters": deployed | stack.cloud.environment()}, indent=2, sort_keys=True) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    try:
        yield path
    finally:
        if path.exists() and path.read_text() == content:
            path.unlink()
