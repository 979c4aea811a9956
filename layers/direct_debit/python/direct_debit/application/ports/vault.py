"""What must not be read in the tables, and what must be found but not read."""

from enum import StrEnum
from typing import Protocol


class SealedField(StrEnum):
    """Where a sealed text stands: the kind of record, and its field. A text opens there and nowhere else."""

    ACCESS_TOKEN = "binding.accessToken"  # noqa: S105 - a name
    REFRESH_TOKEN = "binding.refreshToken"  # noqa: S105 - a name
    AUTH_CODE = "binding.authCode"
    LINK_PAGE = "binding.redirectUrl"
    UNLINK_PAGE = "binding.unbindRedirectUrl"
    B2B_TOKEN = "b2bToken.token"  # noqa: S105 - a name
    NOTICE = "inbox.body"


class Vault(Protocol):
    """Encrypts what must not be read in the table, and hashes what must be found but not read."""

    def seal(self, plaintext: str, field: SealedField, owner: str) -> str:
        """Encrypt for a field of `owner` (the record's id); both are authenticated with the text."""
        ...

    def unseal(self, sealed: str, field: SealedField, owner: str) -> str:
        """Decrypt; fails for another owner or field than the ones it was sealed for."""
        ...

    def is_outdated(self, sealed: str) -> bool:
        """Whether a text should be sealed anew: by an earlier version of this application, or with a key before."""
        ...

    def fingerprint(self, text: str) -> str:
        """Return a keyed hash (HMAC-SHA-256, hex): equal for equal text, not invertible without the key."""
        ...
