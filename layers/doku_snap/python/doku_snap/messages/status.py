"""Operation 9: check status, service 55 (contract 3.9)."""

from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints

from doku_snap.messages.base import (
    Amount,
    AnswerMessage,
    ExternalId,
    LenientAmount,
    LenientCode,
    LenientDatetime,
    LenientReference,
    LenientStr,
    Reference,
    RequestMessage,
    only_objects,
)
from doku_snap.statuses import RefundStatus, TransactionStatus, parse_refund_status, parse_transaction_status


class StatusRequest(RequestMessage):
    """Ask what became of a payment; not before 60 seconds after it. `service_code` None follows the settings."""

    original_partner_reference_no: Reference = Field(serialization_alias="originalPartnerReferenceNo")
    original_reference_no: Reference | None = Field(default=None, serialization_alias="originalReferenceNo")
    original_external_id: ExternalId | None = Field(default=None, serialization_alias="originalExternalId")
    service_code: Annotated[str, StringConstraints(pattern="^[0-9]{2}$")] | None = Field(
        default=None, serialization_alias="serviceCode"
    )
    amount: Amount | None = None
    merchant_id: Reference | None = Field(default=None, serialization_alias="merchantId")


class RefundHistoryItem(AnswerMessage):
    """One refund of a payment. `partner_reference_no` is the payment's in SDK fixtures, not the refund's."""

    refund_no: LenientReference = Field(default=None, validation_alias="refundNo")
    partner_refund_no: LenientStr = Field(default=None, validation_alias="partnerRefundNo")
    partner_reference_no: LenientStr = Field(default=None, validation_alias="partnerReferenceNo")
    refund_amount: LenientAmount = Field(default=None, validation_alias="refundAmount")
    refund_status: LenientCode = Field(default=None, validation_alias="refundStatus")
    refund_date: LenientDatetime = Field(default=None, validation_alias="refundDate")
    reason: LenientStr = None

    @property
    def status(self) -> RefundStatus | None:
        """The refund's status; None if absent or not listed."""
        return parse_refund_status(self.refund_status)


class Status(AnswerMessage):
    """The state of a payment at DOKU."""

    original_partner_reference_no: LenientStr = Field(default=None, validation_alias="originalPartnerReferenceNo")
    original_reference_no: LenientReference = Field(default=None, validation_alias="originalReferenceNo")
    original_external_id: LenientStr = Field(default=None, validation_alias="originalExternalId")
    approval_code: LenientStr = Field(default=None, validation_alias="approvalCode")
    service_code: LenientStr = Field(default=None, validation_alias="serviceCode")
    latest_transaction_status: LenientCode = Field(default=None, validation_alias="latestTransactionStatus")
    transaction_status_desc: LenientStr = Field(default=None, validation_alias="transactionStatusDesc")
    original_response_code: LenientCode = Field(default=None, validation_alias="originalResponseCode")
    original_response_message: LenientStr = Field(default=None, validation_alias="originalResponseMessage")
    trans_amount: LenientAmount = Field(default=None, validation_alias="transAmount")
    fee_amount: LenientAmount = Field(default=None, validation_alias="feeAmount")
    paid_time: LenientDatetime = Field(default=None, validation_alias="paidTime")
    refund_history: Annotated[tuple[RefundHistoryItem, ...], BeforeValidator(only_objects)] = Field(
        default=(), validation_alias="refundHistory"
    )

    @property
    def transaction_status(self) -> TransactionStatus | None:
        """The payment's status; None if absent or not listed."""
        return parse_transaction_status(self.latest_transaction_status)
