"""docs/openapi.json by Redocly's linter, with its strict recommendations."""

from pathlib import Path

from tools.npm_tools import run_tool
from tools.openapi.__main__ import DOCUMENT

_HERE = Path(__file__).parent
_QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "CI": "true"}


def lint(document: Path = DOCUMENT) -> str:
    """Return what is wrong with a document, empty for nothing."""
    arguments: list[str | Path] = ["lint", document, "--config", _HERE / "redocly.yaml", "--format", "stylish"]
    done = run_tool("openapi", "@redocly/cli/bin/cli.js", arguments, folder=_HERE, variables=_QUIET)
    return "" if done.returncode == 0 else done.stdout + done.stderr
