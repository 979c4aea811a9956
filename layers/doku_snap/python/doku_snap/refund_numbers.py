"""Which refund a row of `refundHistory` is about (contract 3.9)."""

REFUND_NUMBER_NAMES = ("partnerRefundNo", "partnerReferenceNo")
"""The two names under which a row of `refundHistory` may carry the merchant's number of the refund (contract 3.9)."""


def name_refund(
    partner_refund_no: str | None, partner_reference_no: str | None, payment_reference: str | None
) -> str | None:
    """Return the merchant's refund number that a row of `refundHistory` names; None where it names none.

    The SDKs call it partnerReferenceNo; where that is the payment's own reference it is no refund's number.
    """
    if partner_refund_no is not None:
        return partner_refund_no
    return None if partner_reference_no == payment_reference else partner_reference_no
