"""Tokens, as DOKU gives them."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class IssuedB2BToken:
    """A fresh B2B token, its lifetime, and the key of ours with which it was asked for (see Doku.key_id)."""

    token: str = field(repr=False)
    expires_in: int  # seconds
    signed_with: str


@dataclass(frozen=True, slots=True)
class CustomerTokens:
    """A customer's fresh tokens. Times are UTC; None means that DOKU did not say."""

    access_token: str = field(repr=False)
    access_expires_at: datetime | None
    refresh_token: str | None = field(repr=False)
    refresh_expires_at: datetime | None
