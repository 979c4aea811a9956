"""Bytecode in what is deployed: in Lambda the code is read-only, so that each cold start would compile it all anew.

The files are as `python -m compileall` makes them, by content and unchecked (PEP 552): neither times nor the sources
are looked at. Lambda's Python has to be the same minor version. With a fixed seed the bytes are the same each time.
"""

import os
import subprocess
import sys
from pathlib import Path

from tools.local_cloud.failure import LocalCloudError

# Where Lambda has a layer's and a function's code: what a traceback names.
_LAYERS, _FUNCTIONS = "/opt/python", "/var/task"


def compile_build(build: Path) -> None:
    """Put bytecode beside the sources of a finished `sam build`. Raises LocalCloudError."""
    for folder in sorted(path for path in build.iterdir() if path.is_dir()):
        layer = folder / "python"
        place, code = (_LAYERS, layer) if layer.is_dir() else (_FUNCTIONS, folder)
        command = [
            *(sys.executable, "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash"),
            *("-s", str(code), "-p", place, str(code)),
        ]
        done = subprocess.run(
            command, env={**os.environ, "PYTHONHASHSEED": "0"}, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise LocalCloudError(f"{folder.name} could not be compiled\n{done.stdout}{done.stderr}")
