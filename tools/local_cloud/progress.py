"""Progress lines for a person who waits."""

import sys
import time


class Progress:
    """Prints one line per event with the seconds since the start; silent when told so."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._started = time.monotonic()
        self._quiet = quiet

    def say(self, text: str) -> None:
        """Print a line (to standard error: standard output belongs to the result)."""
        if not self._quiet:
            print(f"[{time.monotonic() - self._started:6.1f} s] {text}", file=sys.stderr, flush=True)
