"""Transaction and refund statuses on the wire (contract section 6)."""

from enum import StrEnum


class TransactionStatus(StrEnum):
    """`latestTransactionStatus`. NOT_FOUND is final only after the caller's grace period, so it is not final here."""

    SUCCESS = "00"
    INITIATED = "01"
    PAYING = "02"
    PENDING = "03"
    REFUNDED = "04"
    CANCELED = "05"
    FAILED = "06"
    NOT_FOUND = "07"

    @property
    def is_final(self) -> bool:
        """Whether DOKU will not change the payment's outcome any more (a refund after success aside)."""
        return self in _FINAL

    def may_become(self, later: "TransactionStatus") -> bool:
        """Whether `later` is a change DOKU can make; a late 01-03 or 06 never overwrites 00 or 04."""
        return later in _CHANGES.get(self, frozenset())


_FINAL = frozenset(
    {TransactionStatus.SUCCESS, TransactionStatus.REFUNDED, TransactionStatus.CANCELED, TransactionStatus.FAILED}
)
_OUTCOMES = frozenset({TransactionStatus.SUCCESS, TransactionStatus.CANCELED, TransactionStatus.FAILED})
_CHANGES = {
    TransactionStatus.INITIATED: _OUTCOMES,
    TransactionStatus.PAYING: _OUTCOMES,
    TransactionStatus.PENDING: _OUTCOMES,
    TransactionStatus.SUCCESS: frozenset({TransactionStatus.REFUNDED}),
}


class RefundStatus(StrEnum):
    """`refundHistory[].refundStatus`."""

    SUCCESS = "00"
    PENDING = "03"
    FAILED = "06"

    @property
    def is_final(self) -> bool:
        """Whether the refund's outcome is known."""
        return self is not RefundStatus.PENDING


def parse_transaction_status(text: str | None) -> TransactionStatus | None:
    """The status of a wire value, None for a value the contract does not list."""
    return TransactionStatus(text) if text in set(TransactionStatus) else None


def parse_refund_status(text: str | None) -> RefundStatus | None:
    """The refund status of a wire value, None for a value the contract does not list."""
    return RefundStatus(text) if text in set(RefundStatus) else None
