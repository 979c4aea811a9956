"""What must not be read in the tables, and what must be found but not read."""

from enum import StrEnum
from typing import Protocol

from direct_debit.application.errors import StoreUnavailable


class UnsealFailed(StoreUnavailable):
    """A sealed text is not this owner's, was altered, or its key is gone. Says nothing about the content.

    Whatever needed the text was not done; it may be repeated once the secret holds the key again.
    """


class SealedField(StrEnum):
    """Where a sealed text stands: the kind of record, and its field. A text opens there and nowhere else."""

    ACCESS_TOKEN = "binding.accessToken"  # noqa: S105 - a name
    REFRESH_TOKEN = "binding.refreshToken"  # noqa: S105 - a name
    AUTH_CODE = "binding.authCode"
    LINK_PAGE = "binding.redirectUrl"
    UNLINK_PAGE = "binding.unbindRedirectUrl"
    B2B_TOKEN = "b2bToken.token"  # noqa: S105 - a name
    NOTICE = "inbox.body"
    SUCCESS_PAGE = "binding.successUrl"
    FAILED_PAGE = "binding.failedUrl"
    LINK_TASK = "binding.taskToken"
    PAYMENT_TASK = "payment.taskToken"
    PAYMENT_PAGE = "payment.webRedirectUrl"
    REFUND_REASON = "payment.refundReasonSealed"


ONCE_CLEAR = frozenset(
    {
        SealedField.SUCCESS_PAGE,
        SealedField.FAILED_PAGE,
        SealedField.LINK_TASK,
        SealedField.PAYMENT_TASK,
        SealedField.PAYMENT_PAGE,
    }
)
"""What earlier versions kept as it came."""


def open_text(vault: "Vault", text: str, field: SealedField, owner: str) -> str:
    """Return the text of a field that earlier versions kept as it came. Raises StoreUnavailable."""
    return vault.unseal(text, field, owner) if vault.is_sealed(text) else text


class Vault(Protocol):
    """Encrypts what must not be read in the table, and hashes what must be found but not read."""

    def seal(self, plaintext: str, field: SealedField, owner: str) -> str:
        """Encrypt for a field of `owner` (the record's id); both are authenticated with the text."""
        ...

    def unseal(self, sealed: str, field: SealedField, owner: str) -> str:
        """Decrypt; fails for another owner or field than the ones it was sealed for."""
        ...

    def is_sealed(self, text: str) -> bool:
        """Whether a text has the form of a sealed one: earlier versions kept pages and task tokens as they came."""
        ...

    def is_outdated(self, sealed: str) -> bool:
        """Whether a text should be sealed anew: by an earlier version of this application, or with a key before."""
        ...

    def fingerprint(self, text: str) -> str:
        """Return a keyed hash (HMAC-SHA-256, hex): equal for equal text, not invertible without the key."""
        ...
