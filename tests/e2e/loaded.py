"""Which modules of ours each function loads at its start, as `loaded_modules.json` has them.

python -m tests.e2e.loaded writes the file anew from a build: look at what changed before you keep it.
"""

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from tests.fakes.environment import ACCESS_TOKENS, COMPLETE, WEBHOOKS
from tools.invoke.functions import read_functions
from tools.local_cloud import sam

FILE = Path(__file__).with_name("loaded_modules.json")
_EACH = "each function"
_LIST = """
import importlib, json, sys
sys.path[:0] = sys.argv[1:]
importlib.import_module("handler")
print(json.dumps([name for name in sys.modules if name.startswith(("direct_debit", "doku_snap"))]))
"""


def read_loaded() -> Mapping[str, frozenset[str]]:
    """Return the modules by function."""
    document = json.loads(FILE.read_text())
    return {
        name: frozenset(
            module for module, loaded_by in document["modules"].items() if loaded_by == [_EACH] or name in loaded_by
        )
        for name in document["functions"]
    }


def start(build: Path, name: str, script: str) -> str:
    """Load a function of a build as Lambda does, in a fresh interpreter; return what the script prints."""
    layers = [str(build / layer / "python") for layer in ("DependenciesLayer", "DokuSnapLayer", "DirectDebitLayer")]
    in_lambda = {
        **COMPLETE,
        **WEBHOOKS,
        **ACCESS_TOKENS,
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_REGION": "ap-southeast-3",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
    }
    command = [sys.executable, "-B", "-c", script, str(build / name), *layers]
    return subprocess.run(command, env=in_lambda, capture_output=True, text=True, check=True).stdout


def main() -> None:
    """Write the file."""
    functions = sorted(read_functions().names())
    found: defaultdict[str, list[str]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        build = sam.build(Path(folder) / "build.log").resolve()
        for name in functions:
            for module in json.loads(start(build, name, _LIST)):
                found[module].append(name)
    modules = {module: [_EACH] if names == functions else names for module, names in sorted(found.items())}
    lines = ",\n".join(f"    {json.dumps(module)}: {json.dumps(names)}" for module, names in modules.items())
    FILE.write_text(f'{{\n  "functions": {json.dumps(functions)},\n  "modules": {{\n{lines}\n  }}\n}}\n')


if __name__ == "__main__":
    main()
