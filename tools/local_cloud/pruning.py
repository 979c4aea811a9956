"""What the packages of the dependencies' layer bring along and no function ever loads: left out of what is deployed.

Whoever needs one of them takes it off the list; a test loads every function of the build.
"""

import shutil
from pathlib import Path

_POWERTOOLS = (
    "auth_alpha",
    "batch",
    "circuit_breaker",
    "data_classes",
    "data_masking",
    "feature_flags",
    "idempotency",
    "kafka",
    "parameters",
    "parser",
    "streaming",
    "validation",
)  # its utilities

UNUSED = (
    "aws_lambda_powertools/event_handler",
    *(f"aws_lambda_powertools/utilities/{name}" for name in _POWERTOOLS),
    "cffi",
    "charset_normalizer",  # loaded where it is there; see direct_debit.starting.start
    "pycparser",
    "pydantic/mypy.py",
    "pydantic/v1",
    "requirements.txt",
)
"""Folders and files of the layer, by their paths in `python/`."""


def prune(layer: Path) -> None:
    """Delete what is unused from the layer's `python` folder. Raises FileNotFoundError for what is not there."""
    for name in UNUSED:
        path = layer / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
