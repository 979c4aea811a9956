"""What a phone, a reference, a text or a URL is: one definition, for doors, settings and the wire (decision 0023).

What is accepted here can be written to DOKU: `tests/unit/entrypoint/test_door_within_wire.py` holds the signing layer
to it. Patterns are of the whole value and mean the same in Python, in pydantic and in the OpenAPI document. Lengths are
in characters.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit

JAKARTA = timezone(timedelta(hours=7))  # whose days are meant by "a day"; no summer time
BINDING_ID = r"^[A-Za-z0-9_-]{1,64}$"
# What a caller names stands in paths, where `.` and `..` mean folders: dots alone are no name.
CUSTOMER_ID = r"^\.*[A-Za-z0-9_-][A-Za-z0-9._-]*$"
REFERENCE = CUSTOMER_ID
REFUND_NUMBER = CUSTOMER_ID
ID_LENGTH = 64
IDEMPOTENCY_KEY = r"^[!-~]{1,255}$"
RETURN_STATE = r"^[A-Za-z0-9_-]{16,128}$"
PHONE = r"^62[1-9][0-9]{6,13}$"  # the 0 of a number within Indonesia does not follow 62
OTP = r"^[0-9]{4,8}$"
AMOUNT = r"^[0-9]{1,16}\.[0-9]{2}$"
REMARKS = r"^[A-Za-z0-9 .\-/+,=_:'@%]{1,40}$"
DEVICE_ID = r"^[A-Za-z0-9]{1,64}$"
ID_CARD = r"^[A-Za-z0-9]{1,20}$"
DATE = r"^[0-9]{8}$"
METADATA_KEY = r"^[A-Za-z0-9._-]{1,40}$"

# What programs write for a value that they do not have, and templates that nobody filled in. As a name it would be the
# same one for everybody's order.
UNFILLED = r"^(undefined|null|None|nil|NaN|\{\{.*\}\}|\$\{.*\})$"

# Text for DOKU: no control characters. They are escaped in JSON, and escapes are where signatures part (contract 4.4).
TEXT = r"^[^\x00-\x1f\x7f-\x9f]+$"
NAME_LENGTH = 70
COUNTRY_LENGTH = 60
ADDRESS_LENGTH = 255
REASON_LENGTH = 255

# The merchant's own text: it is stored and echoed, and never sent to DOKU.
METADATA_VALUE = r"^[^\x00-\x1f\x7f]*$"
METADATA_VALUE_LENGTH = 500

EMAIL = r"^[!-?A-~]+@[!-?A-~]+$"
EMAIL_LENGTH = 64

# Printable ASCII without blanks and backslashes (browsers read those as slashes); a host in other letters is xn--.
URL = r"^[Hh][Tt][Tt][Pp][Ss]?://[!-\[\]-~]+$"
URL_LENGTH = 2048
BASE_URL_LENGTH = 1024  # leaves room for the paths that are put behind it

IPV4_LENGTH = 15


@dataclass(frozen=True, slots=True)
class DayCount:
    """How often something was done on a day in Jakarta, the latest on which it was done."""

    day: str = ""  # as YYYY-MM-DD
    count: int = 0

    def on(self, day: str) -> int:
        """Return how often on this day."""
        return self.count if self.day == day else 0

    def once_more(self, day: str) -> "DayCount":
        """Return the count after it was done on this day."""
        return DayCount(day, self.on(day) + 1)

    def once_less(self) -> "DayCount":
        """Return the count where it was not done after all."""
        return DayCount(self.day, max(0, self.count - 1))


def day_in_jakarta(moment: datetime) -> str:
    """Return the day that it is in Jakarta, as YYYY-MM-DD."""
    return moment.astimezone(JAKARTA).date().isoformat()


_URL = re.compile(URL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_C1 = range(0x80, 0xA0)
_SURROGATES = range(0xD800, 0xE000)


# What stands in the place of a customer who was forgotten, before a random part: no customer's id has such a sign.
FORGOTTEN = "forgotten~"


def is_forgotten(customer_id: str) -> bool:
    """Whether a customer's id stands for somebody who was forgotten."""
    return customer_id.startswith(FORGOTTEN)


@dataclass(frozen=True, slots=True)
class WebAddress:
    """The parts of a URL on which it depends whether a browser may be sent there. Scheme and host are lower case."""

    scheme: str
    host: str
    port: int | None
    bare: bool  # without query and fragment


def read_url(text: str) -> WebAddress:
    """Read a URL as it may be sent to DOKU or to a browser: http or https, no user, a host, a real port.

    Raises ValueError without the text.
    """
    if len(text) > URL_LENGTH or _URL.fullmatch(text) is None:
        raise ValueError("not a URL of printable ASCII")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("not a URL") from None
    if not host or parts.username is not None or port == 0:
        raise ValueError("a URL needs a host, and no user")
    return WebAddress(parts.scheme, host, port, not (parts.query or parts.fragment))


def explain_character(text: str) -> str | None:
    """Say which character makes a text unfit for the wire, by code point and position (from 1); None when none does."""
    found = _CONTROL.search(text)
    if found is None:
        return None
    code = ord(found[0])
    where = f"U+{code:04X} at position {found.start() + 1}"
    if code in _SURROGATES:
        return f"half of a character ({where}): send whole characters in UTF-8"
    hint = "; it looks like text in Windows-1252: send UTF-8" if code in _C1 and _is_windows_1252(code) else ""
    return f"control character {where}{hint}"


def _is_windows_1252(code: int) -> bool:
    """Whether this byte is a character in Windows-1252: dashes, quotes, the euro sign."""
    return code not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
