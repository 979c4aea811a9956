"""Operation 11: payment notification, service 56 (contract 3.10, step 2)."""

from typing import Annotated

from pydantic import AliasPath, Field, StringConstraints

from doku_snap.messages.base import AnswerMessage, LenientStr, ReceivedAmount
from doku_snap.statuses import TransactionStatus, parse_transaction_status


class PaymentNotification(AnswerMessage):
    """What DOKU says a payment became; check amount, reference and customer against the record before believing it."""

    original_partner_reference_no: Annotated[str, StringConstraints(min_length=1, max_length=64)] = Field(
        validation_alias="originalPartnerReferenceNo"
    )
    original_reference_no: LenientStr = Field(default=None, validation_alias="originalReferenceNo")
    original_external_id: Annotated[str, StringConstraints(min_length=1, max_length=64)] = Field(
        validation_alias="originalExternalId"
    )
    latest_transaction_status: Annotated[str, StringConstraints(pattern="^[0-9]{2}$")] = Field(
        validation_alias="latestTransactionStatus"
    )
    transaction_status_desc: LenientStr = Field(default=None, validation_alias="transactionStatusDesc")
    amount: ReceivedAmount
    cust_id_merchant: LenientStr = Field(default=None, validation_alias=AliasPath("additionalInfo", "custIdMerchant"))
    channel_id: LenientStr = Field(default=None, validation_alias=AliasPath("additionalInfo", "channelId"))
    acquirer_id: LenientStr = Field(default=None, validation_alias=AliasPath("additionalInfo", "acquirerId"))
    account_type: LenientStr = Field(default=None, validation_alias=AliasPath("additionalInfo", "accountType"))

    @property
    def transaction_status(self) -> TransactionStatus | None:
        """The payment's status; None for two digits that the contract does not list."""
        return parse_transaction_status(self.latest_transaction_status)
