"""Secrets at rest: what is sealed, and what is found without being read."""

from typing import Protocol


class Vault(Protocol):
    """Encrypts what must not be read in the table, and hashes what must be found but not read."""

    def seal(self, plaintext: str, owner: str) -> str:
        """Encrypt for `owner` (the record's id, authenticated with the text)."""
        ...

    def unseal(self, sealed: str, owner: str) -> str:
        """Decrypt; fails for another owner than the one it was sealed for."""
        ...

    def fingerprint(self, text: str) -> str:
        """Return a keyed hash (HMAC-SHA-256, hex): equal for equal text, not invertible without the key."""
        ...
