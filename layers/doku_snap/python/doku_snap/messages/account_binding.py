"""Operation 3: account binding, service 07 (contract 3.3)."""

from typing import Annotated

from pydantic import AliasPath, Field, StringConstraints

from doku_snap.messages.base import (
    AnswerMessage,
    LenientStr,
    RequestMessage,
    Text20,
    Text60,
    Text64,
    Text70,
    Text255,
    Url,
)
from doku_snap.messages.customer_token import LenientAuthCode


class AccountBindingRequest(RequestMessage):
    """Start linking a CIMB account. The phone is the one registered at CIMB: 9 to 16 digits, beginning 62."""

    phone_no: Annotated[str, StringConstraints(min_length=9, max_length=16, pattern="^[0-9]+$")] = Field(
        serialization_alias="phoneNo", repr=False
    )
    cust_id_merchant: Text64 = Field(serialization_alias="additionalInfo.custIdMerchant")
    customer_name: Text70 | None = Field(default=None, serialization_alias="additionalInfo.customerName", repr=False)
    email: Text64 | None = Field(default=None, serialization_alias="additionalInfo.email", repr=False)
    id_card: Text20 | None = Field(default=None, serialization_alias="additionalInfo.idCard", repr=False)
    country: Text60 | None = Field(default=None, serialization_alias="additionalInfo.country")
    address: Text255 | None = Field(default=None, serialization_alias="additionalInfo.address", repr=False)
    date_of_birth: Annotated[str, StringConstraints(pattern="^[0-9]{8}$")] | None = Field(
        default=None, serialization_alias="additionalInfo.dateOfBirth", repr=False
    )
    # The return URLs carry the caller's unguessable state.
    success_registration_url: Url = Field(serialization_alias="additionalInfo.successRegistrationUrl", repr=False)
    failed_registration_url: Url = Field(serialization_alias="additionalInfo.failedRegistrationUrl", repr=False)


class AccountBinding(AnswerMessage):
    """The link that was started. The auth code also ends `redirect_url`, so neither shows in a repr."""

    reference_no: LenientStr = Field(default=None, validation_alias="referenceNo")
    redirect_url: LenientStr = Field(default=None, validation_alias="redirectUrl", repr=False)
    cust_id_merchant: LenientStr = Field(default=None, validation_alias=AliasPath("additionalInfo", "custIdMerchant"))
    auth_code: LenientAuthCode = Field(
        default=None, validation_alias=AliasPath("additionalInfo", "authCode"), repr=False
    )
    status_field: LenientStr = Field(default=None, validation_alias=AliasPath("additionalInfo", "status"))
    account_status_field: LenientStr = Field(
        default=None, validation_alias=AliasPath("additionalInfo", "accountStatus")
    )

    @property
    def status(self) -> str | None:
        """`additionalInfo.status` or `accountStatus`: DOKU uses both names (contract section 9, 18)."""
        return self.status_field or self.account_status_field
