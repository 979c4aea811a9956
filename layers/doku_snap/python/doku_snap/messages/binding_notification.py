"""Operation 5: binding notification, service 07 (contract 3.5; whether DOKU sends it for CIMB is not known)."""

from typing import Annotated, Literal

from pydantic import AliasPath, BeforeValidator, Field, model_validator

from doku_snap.messages.base import AnswerMessage, NotifiedText, Text64
from doku_snap.messages.customer_token import LenientAuthCode


def _upper(value: object) -> object:
    return value.strip().upper() if isinstance(value, str) else value


class BindingNotification(AnswerMessage):
    """What became of a link that was started. DOKU may call the status `accountStatus` and write it in any case."""

    original_external_id: Text64 = Field(validation_alias="originalExternalId")
    status: Annotated[Literal["SUCCESS", "PENDING", "FAILED"], BeforeValidator(_upper)] = Field(
        validation_alias=AliasPath("additionalInfo", "status")
    )
    auth_code: LenientAuthCode = Field(
        default=None, validation_alias=AliasPath("additionalInfo", "authCode"), repr=False
    )
    cust_id_merchant: NotifiedText = Field(default=None, validation_alias=AliasPath("additionalInfo", "custIdMerchant"))

    @model_validator(mode="before")
    @classmethod
    def _one_name(cls, fields: object) -> object:
        additional = fields.get("additionalInfo") if isinstance(fields, dict) else None
        if not isinstance(fields, dict) or not isinstance(additional, dict) or additional.get("status"):
            return fields
        other = additional.get("accountStatus")
        return {**fields, "additionalInfo": {**additional, "status": other}} if other is not None else fields
