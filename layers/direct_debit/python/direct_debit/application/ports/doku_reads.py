"""What DOKU answers to questions."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RefundRecord:
    """One row of `refundHistory`. `status` is 00, 03 or 06."""

    number: str
    status: str
    refund_no: str | None


@dataclass(frozen=True, slots=True)
class StatusAnswer:
    """DOKU's answer to a status inquiry. `status` is a value of contract section 6 ("07" also stands for 4045501)."""

    status: str
    code: str
    original_code: str | None
    reference: str | None
    refunds: tuple[RefundRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class Balance:
    """One balance of an account. `amount` is a decimal string of rupiah."""

    type: str | None
    amount: str
    currency: str
