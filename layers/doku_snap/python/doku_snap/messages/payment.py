"""Operation 8: payment host-to-host, service 54 (contract 3.8)."""

from typing import Annotated

from pydantic import Field, StringConstraints

from doku_snap.messages.base import Amount, AnswerMessage, LenientStr, Reference, RequestMessage, Url


class PaymentRequest(RequestMessage):
    """Debit an account. Remarks are mandatory for CIMB: 1 to 40 printable ASCII characters."""

    partner_reference_no: Reference = Field(serialization_alias="partnerReferenceNo")
    amount: Amount
    remarks: Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[\x20-\x7e]+$")] = Field(
        serialization_alias="additionalInfo.remarks"
    )
    success_payment_url: Url = Field(serialization_alias="additionalInfo.successPaymentUrl", repr=False)
    failed_payment_url: Url = Field(serialization_alias="additionalInfo.failedPaymentUrl", repr=False)


class Payment(AnswerMessage):
    """DOKU's word on a payment: 4035413 (OTP pending) is the normal answer of CIMB, and the echo may be missing."""

    partner_reference_no: LenientStr = Field(default=None, validation_alias="partnerReferenceNo")
    reference_no: LenientStr = Field(default=None, validation_alias="referenceNo")
    web_redirect_url: LenientStr = Field(default=None, validation_alias="webRedirectUrl", repr=False)
