"""Operation 1: B2B token, service 73 (contract 3.1)."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from doku_snap.messages.base import AnswerMessage, LenientStr, RequestMessage, Token

DEFAULT_LIFETIME_SECONDS = 900
_MAX_LIFETIME_SECONDS = 86_400


def _lifetime(value: object) -> int:
    # DOKU sends a number, the SNAP sample a string; what is neither, or out of reason, reads as the documented 900.
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    seconds = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(_MAX_LIFETIME_SECONDS)) else 0
    return seconds if 0 < seconds <= _MAX_LIFETIME_SECONDS else DEFAULT_LIFETIME_SECONDS


class B2bTokenRequest(RequestMessage):
    """Ask for a B2B token."""

    grant_type: Literal["client_credentials"] = Field(default="client_credentials", serialization_alias="grantType")


class B2bToken(AnswerMessage):
    """A B2B token and its lifetime in seconds."""

    access_token: Token = Field(validation_alias="accessToken", repr=False)
    token_type: LenientStr = Field(default=None, validation_alias="tokenType")
    expires_in: Annotated[int, BeforeValidator(_lifetime)] = Field(
        default=DEFAULT_LIFETIME_SECONDS, validation_alias="expiresIn"
    )
