"""Operation 7: balance inquiry, service 11 (contract 3.7)."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from doku_snap.messages.base import (
    AnswerMessage,
    LenientAmount,
    LenientLabel,
    ReceivedAmount,
    RequestMessage,
    only_objects,
)


class BalanceInquiryRequest(RequestMessage):
    """Ask for the balance of the account behind the customer token."""


class AccountInfo(AnswerMessage):
    """One balance of an account."""

    balance_type: LenientLabel = Field(default=None, validation_alias="balanceType")
    available_balance: LenientAmount = Field(default=None, validation_alias="availableBalance", repr=False)
    amount: LenientAmount = Field(default=None, repr=False)
    hold_amount: LenientAmount = Field(default=None, validation_alias="holdAmount", repr=False)

    @property
    def available(self) -> ReceivedAmount | None:
        """`availableBalance`, else `amount` minus `holdAmount`; None where neither can be read."""
        if self.available_balance is not None or self.amount is None:
            return self.available_balance
        return self.amount if self.hold_amount is None else self.amount.minus(self.hold_amount)


class BalanceInquiry(AnswerMessage):
    """The balances of an account."""

    account_infos: Annotated[tuple[AccountInfo, ...], BeforeValidator(only_objects)] = Field(
        default=(), validation_alias="accountInfos"
    )

    @property
    def available(self) -> ReceivedAmount | None:
        """The first balance that can be read."""
        return next((info.available for info in self.account_infos if info.available is not None), None)
