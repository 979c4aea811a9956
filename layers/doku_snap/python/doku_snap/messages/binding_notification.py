"""Operation 5: binding notification, service 07 (contract 3.5; whether DOKU sends it for CIMB is not known)."""

from typing import Annotated, Literal

from pydantic import AliasPath, Field, StringConstraints

from doku_snap.messages.base import AnswerMessage, LenientStr


class BindingNotification(AnswerMessage):
    """What became of a link that was started."""

    original_external_id: Annotated[str, StringConstraints(min_length=1, max_length=64)] = Field(
        validation_alias="originalExternalId"
    )
    status: Literal["SUCCESS", "PENDING", "FAILED"] = Field(validation_alias=AliasPath("additionalInfo", "status"))
    auth_code: LenientStr = Field(default=None, validation_alias=AliasPath("additionalInfo", "authCode"), repr=False)
    cust_id_merchant: LenientStr = Field(default=None, validation_alias=AliasPath("additionalInfo", "custIdMerchant"))
