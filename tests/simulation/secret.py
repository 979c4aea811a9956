"""The secret: its versions, and what one process knows of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doku_snap.credentials import Credentials
from tests.fakes.world import merchant_private_key

if TYPE_CHECKING:
    from direct_debit.adapters.credentials import Credentials as SecretContent

CLIENT_ID = "BRN-0201-1690000000001"
SECRET_KEY = "SK-simulation"
PRIVATE_KEY = merchant_private_key()
DOKU_CREDENTIALS = Credentials(CLIENT_ID, SECRET_KEY, PRIVATE_KEY)
ISSUED_TOKEN_KEY = b"i" * 32


class Secret:
    """The secret as one process knows it: what it has read, until it is told to read again."""

    def __init__(self, versions: list[SecretContent]) -> None:
        self._versions = versions
        self._known = len(versions) - 1

    def current(self) -> SecretContent:
        """Return the newest version that this process has read."""
        return self._versions[self._known]

    def previous(self) -> SecretContent | None:
        """Return the version before it."""
        return self._versions[self._known - 1] if self._known else None

    def refresh(self) -> bool:
        """Read again."""
        newer = self._known < len(self._versions) - 1
        self._known = len(self._versions) - 1
        return newer
