"""What does not exist, and how the caller finds what does."""

from direct_debit.application.errors import NotFound


def no_payment() -> NotFound:
    """Return the error of a reference that no payment has."""
    return NotFound(
        "there is no such payment: send the partnerReferenceNo with which it was made, capital and small letters as "
        "they were; GET /payments?customerId=... lists them"
    )


def no_binding() -> NotFound:
    """Return the error of an id that no binding has."""
    return NotFound(
        "there is no such binding: send the bindingId that POST /bindings gave; GET /bindings?customerId=... lists them"
    )
