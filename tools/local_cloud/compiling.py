"""What a start would compile, in what is deployed: see direct_debit.starting.compiled.

All modules of the build's own layers are loaded, by this environment's packages: those of the build may be another
processor's. What is compiled meanwhile is kept. The bytes are the same each time.
"""

import os
import subprocess
import sys
from pathlib import Path

from tools.local_cloud.failure import LocalCloudError

RECORDER = Path(__file__).with_name("record_compiled.py")
_FILE = Path("direct_debit/starting/compiled.marshal")
_LAYERS = ("DokuSnapLayer", "DirectDebitLayer")


def compile_ahead(build: Path) -> None:
    """Put what is compiled into a finished `sam build`, where its layers of our own are. Raises LocalCloudError."""
    layers = [build / name / "python" for name in _LAYERS]
    if not all(layer.is_dir() for layer in layers):
        return
    done = subprocess.run(
        [sys.executable, "-B", str(RECORDER), str(layers[-1] / _FILE), *map(str, layers)],
        env={**os.environ, "PYTHONHASHSEED": "0", "AWS_LAMBDA_FUNCTION_NAME": "any"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise LocalCloudError(f"what a start would compile could not be compiled\n{done.stdout}{done.stderr}")
