"""Operation 12: refund, service 58 (contract 3.11). Full amount only."""

from typing import Annotated

from pydantic import Field, StringConstraints

from doku_snap.messages.base import (
    Amount,
    AnswerMessage,
    ExternalId,
    LenientAmount,
    LenientDatetime,
    LenientStr,
    Reference,
    RequestMessage,
)


class RefundRequest(RequestMessage):
    """Refund a payment in full; `partner_refund_no` is the key under which a refund may be sent again."""

    original_partner_reference_no: Reference = Field(serialization_alias="originalPartnerReferenceNo")
    original_external_id: ExternalId | None = Field(default=None, serialization_alias="originalExternalId")
    partner_refund_no: Reference = Field(serialization_alias="partnerRefundNo")
    refund_amount: Amount = Field(serialization_alias="refundAmount")
    reason: Annotated[str, StringConstraints(max_length=255, pattern=r"^[^\p{Cc}]*$")] | None = None


class Refund(AnswerMessage):
    """DOKU's word on a refund."""

    refund_amount: LenientAmount = Field(default=None, validation_alias="refundAmount")
    original_partner_reference_no: LenientStr = Field(default=None, validation_alias="originalPartnerReferenceNo")
    original_reference_no: LenientStr = Field(default=None, validation_alias="originalReferenceNo")
    refund_no: LenientStr = Field(default=None, validation_alias="refundNo")
    partner_refund_no: LenientStr = Field(default=None, validation_alias="partnerRefundNo")
    refund_time: LenientDatetime = Field(default=None, validation_alias="refundTime")
