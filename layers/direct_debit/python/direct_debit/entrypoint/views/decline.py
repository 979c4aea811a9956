"""Why a payment failed, for the shop and for its customer: a stable cause, who can mend it, and a sentence to show.

From DOKU's response code (contract section 5) where it says more than that the payment was declined. Causes are a
promise: a shop branches on them. Sentences may be worded anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from direct_debit.domain.payment import FailureReason, PaymentFailure


class Cause(StrEnum):
    """Why a payment failed. Never renamed; a new one may come: treat what you do not know as `declined`."""

    INSUFFICIENT_FUNDS = "insufficient_funds"
    LIMIT_EXCEEDED = "limit_exceeded"
    LIMIT_NOT_SET = "limit_not_set"
    ACCOUNT_BLOCKED = "account_blocked"
    ACCOUNT_INACTIVE = "account_inactive"
    CARD_EXPIRED = "card_expired"
    LINK_ENDED = "link_ended"
    OTP_EXPIRED = "otp_expired"
    OTP_BLOCKED = "otp_blocked"
    OTP_NOT_ENTERED = "otp_not_entered"
    CANCELLED = "cancelled"
    TIME_OVER = "time_over"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    BANK_CLOSED = "bank_closed"
    MERCHANT_LIMIT_EXCEEDED = "merchant_limit_exceeded"
    MERCHANT_NOT_ALLOWED = "merchant_not_allowed"
    REQUEST_REFUSED = "request_refused"
    NEVER_ARRIVED = "never_arrived"
    DECLINED = "declined"


class MendedBy(StrEnum):
    """Whose doing makes the next payment work."""

    CUSTOMER = "customer"
    MERCHANT = "merchant"
    NOBODY = "nobody"  # time may, or another account


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is told of a cause: who can mend it, and the customer's sentence in Indonesian and English."""

    mended_by: MendedBy
    indonesian: str
    english: str


_C, _BY = Cause, MendedBy
EXPLANATIONS: Mapping[Cause, Explanation] = {
    _C.INSUFFICIENT_FUNDS: Explanation(
        _BY.CUSTOMER,
        "Saldo rekening Anda tidak mencukupi. Silakan isi saldo, lalu coba lagi.",
        "Your balance is too low. Please top up your account and try again.",
    ),
    _C.LIMIT_EXCEEDED: Explanation(
        _BY.CUSTOMER,
        "Jumlah ini melebihi batas transaksi rekening Anda. Silakan coba jumlah yang lebih kecil atau coba lagi besok.",
        "This amount is above your account's limit. Please try a smaller amount, or try again tomorrow.",
    ),
    _C.LIMIT_NOT_SET: Explanation(
        _BY.CUSTOMER,
        "Batas transaksi rekening Anda belum diatur. Silakan atur di CIMB Niaga, lalu coba lagi.",
        "Your account has no transaction limit set yet. Please set it at CIMB Niaga and try again.",
    ),
    _C.ACCOUNT_BLOCKED: Explanation(
        _BY.CUSTOMER,
        "Rekening atau kartu Anda diblokir oleh bank. Silakan hubungi CIMB Niaga.",
        "Your account or card is blocked by the bank. Please contact CIMB Niaga.",
    ),
    _C.ACCOUNT_INACTIVE: Explanation(
        _BY.CUSTOMER,
        "Rekening Anda tidak aktif. Silakan hubungi CIMB Niaga.",
        "Your account is not active. Please contact CIMB Niaga.",
    ),
    _C.CARD_EXPIRED: Explanation(
        _BY.CUSTOMER,
        "Kartu Anda sudah tidak berlaku. Silakan hubungi CIMB Niaga.",
        "Your card has expired. Please contact CIMB Niaga.",
    ),
    _C.LINK_ENDED: Explanation(
        _BY.CUSTOMER,
        "Rekening Anda perlu dihubungkan kembali. Silakan hubungkan rekening, lalu coba lagi.",
        "Your account has to be linked again. Please link it and try again.",
    ),
    _C.OTP_EXPIRED: Explanation(
        _BY.CUSTOMER,
        "Kode OTP sudah kedaluwarsa. Silakan ulangi pembayaran.",
        "The code has expired. Please pay again.",
    ),
    _C.OTP_BLOCKED: Explanation(
        _BY.CUSTOMER,
        "Kode OTP salah terlalu sering. Silakan coba lagi nanti.",
        "The code was wrong too often. Please try again later.",
    ),
    _C.OTP_NOT_ENTERED: Explanation(
        _BY.CUSTOMER,
        "Kode OTP tidak dimasukkan, jadi pembayaran tidak dilanjutkan. Silakan ulangi pembayaran.",
        "The code was not entered, so the payment did not go on. Please pay again.",
    ),
    _C.CANCELLED: Explanation(_BY.CUSTOMER, "Pembayaran dibatalkan.", "The payment was cancelled."),
    _C.TIME_OVER: Explanation(
        _BY.CUSTOMER,
        "Waktu pembayaran sudah habis. Silakan ulangi pembayaran.",
        "The time for this payment is over. Please pay again.",
    ),
    _C.TOO_MANY_ATTEMPTS: Explanation(
        _BY.NOBODY,
        "Terlalu banyak percobaan. Silakan coba lagi nanti.",
        "Too many attempts. Please try again later.",
    ),
    _C.BANK_CLOSED: Explanation(
        _BY.NOBODY,
        "Layanan bank sedang tidak tersedia. Silakan coba lagi nanti.",
        "The bank's service is not available right now. Please try again later.",
    ),
    _C.MERCHANT_LIMIT_EXCEEDED: Explanation(
        _BY.MERCHANT,
        "Pembayaran tidak dapat diproses saat ini. Silakan coba lagi nanti.",
        "The payment can not be processed right now. Please try again later.",
    ),
    _C.MERCHANT_NOT_ALLOWED: Explanation(
        _BY.MERCHANT,
        "Pembayaran tidak dapat diproses. Silakan gunakan cara pembayaran lain atau hubungi toko.",
        "The payment can not be processed. Please use another way to pay, or contact the shop.",
    ),
    _C.REQUEST_REFUSED: Explanation(
        _BY.MERCHANT,
        "Pembayaran tidak dapat diproses. Silakan gunakan cara pembayaran lain atau hubungi toko.",
        "The payment can not be processed. Please use another way to pay, or contact the shop.",
    ),
    _C.NEVER_ARRIVED: Explanation(
        _BY.MERCHANT,
        "Pembayaran tidak sampai ke bank, dan tidak ada dana yang didebit. Silakan coba lagi.",
        "The payment did not reach the bank, and nothing was debited. Please try again.",
    ),
    _C.DECLINED: Explanation(
        _BY.NOBODY,
        "Pembayaran ditolak oleh bank. Silakan hubungi CIMB Niaga atau gunakan cara pembayaran lain.",
        "The bank declined the payment. Please contact CIMB Niaga, or use another way to pay.",
    ),
}

# DOKU's HTTP status and case, of whatever service, that say more than "declined" (contract section 5).
CAUSES: Mapping[tuple[str, str], Cause] = {
    ("403", "00"): _C.TIME_OVER,
    ("403", "01"): _C.MERCHANT_NOT_ALLOWED,
    ("403", "02"): _C.LIMIT_EXCEEDED,
    ("403", "04"): _C.TOO_MANY_ATTEMPTS,
    ("403", "06"): _C.BANK_CLOSED,
    ("403", "07"): _C.ACCOUNT_BLOCKED,
    ("403", "08"): _C.CARD_EXPIRED,
    ("403", "09"): _C.ACCOUNT_INACTIVE,
    ("403", "10"): _C.LIMIT_NOT_SET,
    ("403", "11"): _C.OTP_BLOCKED,
    ("403", "12"): _C.OTP_EXPIRED,
    ("403", "14"): _C.INSUFFICIENT_FUNDS,
    ("403", "16"): _C.ACCOUNT_BLOCKED,
    ("403", "17"): _C.LIMIT_EXCEEDED,
    ("403", "18"): _C.ACCOUNT_INACTIVE,
    ("403", "19"): _C.MERCHANT_NOT_ALLOWED,
    ("403", "20"): _C.MERCHANT_LIMIT_EXCEEDED,
    ("403", "23"): _C.LIMIT_EXCEEDED,
    ("404", "04"): _C.CANCELLED,
    ("404", "11"): _C.LINK_ENDED,
    ("401", "02"): _C.LINK_ENDED,
    ("401", "04"): _C.LINK_ENDED,
    ("400", "00"): _C.REQUEST_REFUSED,
    ("400", "01"): _C.REQUEST_REFUSED,
    ("400", "02"): _C.REQUEST_REFUSED,
    ("400", "04"): _C.REQUEST_REFUSED,
    ("404", "05"): _C.MERCHANT_NOT_ALLOWED,
    ("404", "08"): _C.MERCHANT_NOT_ALLOWED,
    ("404", "16"): _C.MERCHANT_NOT_ALLOWED,
    ("404", "18"): _C.REQUEST_REFUSED,
}
_BY_REASON: Mapping[FailureReason, Cause] = {
    FailureReason.CANCELLED: _C.CANCELLED,
    FailureReason.EXPIRED: _C.OTP_EXPIRED,
    FailureReason.OTP_BLOCKED: _C.OTP_BLOCKED,
    FailureReason.OTP_ABANDONED: _C.OTP_NOT_ENTERED,
    FailureReason.NOT_FOUND: _C.NEVER_ARRIVED,
}
_CODE_LENGTH = 7


def find_cause(failure: PaymentFailure, response_code: str | None) -> Cause:
    """Return why a payment failed; `response_code` is DOKU's last one for it, where its failure has only a status."""
    if failure.reason in _BY_REASON:
        return _BY_REASON[failure.reason]
    for code in (failure.code, response_code):
        if code is not None and len(code) == _CODE_LENGTH:
            return CAUSES.get((code[:3], code[5:]), Cause.DECLINED)
    return Cause.DECLINED
