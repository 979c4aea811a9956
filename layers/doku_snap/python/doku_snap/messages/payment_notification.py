"""Operation 11: payment notification, service 56 (contract 3.10, step 2)."""

from typing import Annotated

from pydantic import AliasPath, Field, StringConstraints

from doku_snap.messages.base import AnswerMessage, LenientStr, NotifiedReference, NotifiedText, ReceivedAmount, Text64
from doku_snap.statuses import TransactionStatus, parse_transaction_status


class PaymentNotification(AnswerMessage):
    """What DOKU says a payment became; check amount, reference and customer against the record before believing it.

    A customer that is named and can not be read is refused: it would escape that check.
    """

    original_partner_reference_no: Text64 = Field(validation_alias="originalPartnerReferenceNo")
    original_reference_no: NotifiedReference = Field(default=None, validation_alias="originalReferenceNo")
    original_external_id: LenientStr = Field(default=None, validation_alias="originalExternalId")
    latest_transaction_status: Annotated[str, StringConstraints(strip_whitespace=True, pattern="^[0-9]{2}$")] = Field(
        validation_alias="latestTransactionStatus"
    )
    transaction_status_desc: LenientStr = Field(default=None, validation_alias="transactionStatusDesc")
    amount: ReceivedAmount
    cust_id_merchant: NotifiedText = Field(default=None, validation_alias=AliasPath("additionalInfo", "custIdMerchant"))
    channel_id: LenientStr = Field(default=None, validation_alias=AliasPath("additionalInfo", "channelId"))
    acquirer_id: LenientStr = Field(default=None, validation_alias=AliasPath("additionalInfo", "acquirerId"))
    account_type: LenientStr = Field(default=None, validation_alias=AliasPath("additionalInfo", "accountType"))

    @property
    def transaction_status(self) -> TransactionStatus | None:
        """The payment's status; None for two digits that the contract does not list."""
        return parse_transaction_status(self.latest_transaction_status)
