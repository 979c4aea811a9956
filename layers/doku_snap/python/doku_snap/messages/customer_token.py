"""Operation 2: customer (B2B2C) token, service 74 (contract 3.2)."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, WrapValidator, model_validator

from doku_snap.errors import InvalidMessage
from doku_snap.messages.base import AnswerMessage, LenientDatetime, LenientStr, RequestMessage, Token, none_if_wrong

AuthCode = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=r"^[\x21-\x7e]+$")]
LenientAuthCode = Annotated[AuthCode | None, WrapValidator(none_if_wrong)]
RefreshToken = Annotated[str, StringConstraints(min_length=1, max_length=512, pattern=r"^[\x21-\x7e]+$")]


class CustomerTokenRequest(RequestMessage):
    """Exchange an auth code, or refresh a customer token: exactly the one that `grant_type` names."""

    grant_type: Literal["authorization_code", "refresh_token"] = Field(serialization_alias="grantType")
    auth_code: AuthCode | None = Field(default=None, serialization_alias="authCode", repr=False)
    refresh_token: RefreshToken | None = Field(default=None, serialization_alias="refreshToken", repr=False)

    @model_validator(mode="after")
    def _one_of_both(self) -> "CustomerTokenRequest":
        exchanging = self.grant_type == "authorization_code"
        if (self.auth_code is not None) is not exchanging:
            raise InvalidMessage("authCode", "belongs to authorization_code and only to it")
        if (self.refresh_token is None) is not exchanging:
            raise InvalidMessage("refreshToken", "belongs to refresh_token and only to it")
        return self


class CustomerToken(AnswerMessage):
    """A customer's token; expiry moments are None where DOKU does not say."""

    access_token: Token = Field(validation_alias="accessToken", repr=False)
    token_type: LenientStr = Field(default=None, validation_alias="tokenType")
    access_token_expiry_time: LenientDatetime = Field(default=None, validation_alias="accessTokenExpiryTime")
    refresh_token: Annotated[RefreshToken | None, WrapValidator(none_if_wrong)] = Field(
        default=None, validation_alias="refreshToken", repr=False
    )
    refresh_token_expiry_time: LenientDatetime = Field(default=None, validation_alias="refreshTokenExpiryTime")
