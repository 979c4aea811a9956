"""Operation 6: OTP verification, service 04 (contract 3.6)."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from doku_snap.errors import InvalidMessage
from doku_snap.messages.base import AnswerMessage, LenientStr, Reference, RequestMessage, Token


class OtpPurpose(StrEnum):
    """What an OTP confirms. The wire field and its values are settings (contract section 9, 2 and 3)."""

    PAYMENT = "payment"
    UNBINDING = "unbinding"


class OtpVerificationRequest(RequestMessage):
    """Verify the OTP the customer typed.

    `bank_card_token` is the customer's token (for an unbinding: the token being removed). A payment needs its own
    `original_partner_reference_no`; an unbinding has none.
    """

    purpose: OtpPurpose = Field(exclude=True)
    original_partner_reference_no: Reference | None = Field(
        default=None, serialization_alias="originalPartnerReferenceNo"
    )
    otp: Annotated[str, StringConstraints(pattern="^[0-9]{1,8}$")] = Field(repr=False)
    bank_card_token: Token = Field(serialization_alias="additionalInfo.bankCardToken", repr=False)

    @model_validator(mode="after")
    def _payment_has_a_reference(self) -> "OtpVerificationRequest":
        if self.purpose is OtpPurpose.PAYMENT and self.original_partner_reference_no is None:
            raise InvalidMessage("originalPartnerReferenceNo", "missing")
        return self


class OtpVerification(AnswerMessage):
    """The accepted OTP: no proof of a debit, the result comes by notification or status."""

    original_partner_reference_no: LenientStr = Field(default=None, validation_alias="originalPartnerReferenceNo")
    original_reference_no: LenientStr = Field(default=None, validation_alias="originalReferenceNo")
