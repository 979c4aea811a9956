"""A value that nobody may see: read from a file or standard input, never from the command line, and never printed."""

import getpass
import sys
from pathlib import Path

from tools.ops.failure import OpsError

STANDARD_INPUT = "-"


def read_value(source: str, what: str) -> str:
    """Return the text of a file, or of standard input for `-`, without blanks and line breaks around it.

    At a terminal it is asked for, and not shown while it is typed. Raises OpsError.
    """
    if source == STANDARD_INPUT:
        text = getpass.getpass(f"{what}: ") if sys.stdin.isatty() else sys.stdin.read()
    else:
        try:
            text = Path(source).read_text("utf-8-sig")
        except OSError as error:
            raise OpsError(f"{what}: the file {source} can not be read ({error.strerror})") from None
        except UnicodeDecodeError:
            raise OpsError(f"{what}: the file {source} is no text; a PEM file is wanted, not DER") from None
    if not text.strip():
        raise OpsError(f"{what} is empty")
    return text.strip()
