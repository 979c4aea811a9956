"""Operation 13: account unbinding, service 09 (contract 3.12)."""

from pydantic import AliasPath, Field

from doku_snap.messages.base import AnswerMessage, LenientStr, RequestMessage, Token


class AccountUnbindingRequest(RequestMessage):
    """Remove a link; `token_id` is the customer's token. After 4030913 the link lives until the OTP is verified."""

    token_id: Token = Field(serialization_alias="tokenId", repr=False)


class AccountUnbinding(AnswerMessage):
    """DOKU's word on an unbinding; send the customer to `redirect_url` when there is one."""

    reference_no: LenientStr = Field(default=None, validation_alias="referenceNo")
    redirect_url: LenientStr = Field(
        default=None, validation_alias=AliasPath("additionalInfo", "redirectUrl"), repr=False
    )
    unlink_result: LenientStr = Field(default=None, validation_alias="unlinkResult")
