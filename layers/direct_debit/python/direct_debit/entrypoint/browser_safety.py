"""What every answer of every door says to a browser, whoever it was meant for."""

from typing import Final

# No guessing what an answer is besides its Content-Type; no address of ours in a Referer: a path has ids in it.
BROWSER_SAFETY: Final = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
