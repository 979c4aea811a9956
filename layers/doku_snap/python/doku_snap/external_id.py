"""`X-EXTERNAL-ID`: new for every HTTP request, digits only, unique within the day (contract 2.4)."""

from collections.abc import Callable
from datetime import UTC, datetime

_RANDOM_DIGITS = 12


def make_external_id(now: datetime, random_digits: Callable[[int], str]) -> str:
    """14-digit UTC timestamp and 12 random digits: 26 digits, below SNAP's limit of 32.

    `random_digits(n)` returns n decimal digits. Raises ValueError if `now` is naive or the digits are not digits.
    """
    if now.tzinfo is None:
        raise ValueError("an external id needs an aware moment")
    digits = random_digits(_RANDOM_DIGITS)
    if len(digits) != _RANDOM_DIGITS or not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"expected {_RANDOM_DIGITS} decimal digits")
    return now.astimezone(UTC).strftime("%Y%m%d%H%M%S") + digits
