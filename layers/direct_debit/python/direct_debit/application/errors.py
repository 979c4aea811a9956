"""Errors that tell the caller what to do (design section 3). One module of the entrypoint maps them to each door."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from direct_debit.domain.binding import Binding
from direct_debit.domain.payment import Payment


class DirectDebitError(Exception):
    """The base of all errors below. Messages never hold a secret, a token, an OTP or personal data."""

    def __init__(self, detail: str, *, code: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code  # DOKU's response code, where DOKU gave one


type Place = Literal["path", "query", "header"]


@dataclass(frozen=True, slots=True)
class FieldFault:
    """One field that is wrong.

    `pointer` says where (RFC 6901), `place` in which part of an HTTP request if not in its body, `detail` which rule it
    breaks and how to mend it, `came` what kind of value came, never the value, and `example` how a right one looks.
    """

    kind: Literal["missing", "unknown", "invalid"]
    field: str
    pointer: str
    detail: str
    came: str | None = None
    example: object | None = None
    place: Place | None = None


class InvalidRequest(DirectDebitError):
    """The request breaks a rule; nothing was written or sent. `field` is the JSON path of what is wrong.

    `faults` are all that was found, the one that `field` and `detail` tell first among them.
    """

    def __init__(self, field: str, detail: str, faults: Sequence[FieldFault] = ()) -> None:
        super().__init__(detail)
        self.field = field
        self.faults = faults


class NotFound(DirectDebitError):
    """There is no such resource."""


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


class Conflict(DirectDebitError):
    """The request does not fit what exists: same key with another body, wrong state, account taken, race lost."""


class Rejected(DirectDebitError):
    """DOKU refused for good. Repeating the same request changes nothing."""


class CustomerActionRequired(DirectDebitError):
    """The customer has to act: enter another OTP, link again, top up."""


class RelinkRequired(CustomerActionRequired):
    """The customer's token is not accepted any more: the account has to be linked again."""


class FreshTokenRefused(RelinkRequired):
    """DOKU has just renewed the customer's token, so it knows the link, and yet refuses the renewed token."""


class NotDone(DirectDebitError):
    """Surely nothing happened; the same request may be repeated after `retry_after`."""

    def __init__(self, detail: str, *, code: str | None = None, retry_after: timedelta = timedelta(seconds=5)) -> None:
        super().__init__(detail, code=code)
        self.retry_after = retry_after


class DokuSilent(NotDone):
    """DOKU could not be reached, did not answer a question, or answered that it can not (5xx). Speaks of DOKU alone."""


class CircuitOpen(NotDone):
    """DOKU is down; new payments are not sent for a while."""


class StoreUnavailable(NotDone):
    """The store throttled or failed. A write may or may not have been applied; repeating the request is safe.

    `store_code` is AWS's error code; `code` stays empty, for it is DOKU's.
    """

    def __init__(self, detail: str, *, code: str | None = None) -> None:
        super().__init__(detail)
        self.store_code = code


class Undeliverable(DirectDebitError):
    """AWS refuses what is to be told for what it says: a defect of ours, and repeating it changes nothing.

    `aws_code` is AWS's error code; `code` stays empty, for it is DOKU's.
    """

    def __init__(self, detail: str, *, aws_code: str) -> None:
        super().__init__(detail)
        self.aws_code = aws_code


class OutcomeUnknown(DirectDebitError):
    """A write may have happened at DOKU. Raised by the DOKU port only; callers never see it: they see UNKNOWN.

    `silent`: DOKU gave no answer, or answered that it can not (5xx); else it gave one that does not tell the outcome.
    """

    def __init__(self, detail: str, *, code: str | None = None, silent: bool = False) -> None:
        super().__init__(detail, code=code)
        self.silent = silent


class Unsendable(DirectDebitError):
    """Our own model of DOKU's messages refuses what the door took: a defect of ours, counted where it is met.

    Nothing was sent, and the same request will meet it again: nobody is told to come again.
    """


class B2BTokenRefused(DirectDebitError):
    """DOKU does not take the merchant's B2B token: the call was refused at the gate and had no effect."""


class CustomerTokenRefused(DirectDebitError):
    """DOKU does not take the customer's token: the call was refused at the gate and had no effect."""


class NotConfigured(StoreUnavailable):
    """The secret has no usable value: nobody has put one in yet, or what was put in can not be read.

    `fault` says what an operator has to mend; it is for the log, and callers see the detail.
    """

    def __init__(self, fault: str) -> None:
        super().__init__("the credentials for DOKU are not in place; this service's operator has to put them there")
        self.fault = fault

    def __str__(self) -> str:
        return self.fault


class RecordUnreadable(DirectDebitError):
    """This code can not read a record: newer code wrote it (and this is older code again), or it is damaged.

    It is left alone: who does not understand a record does not act on it. It is no StoreUnavailable, since trying again
    at once changes nothing; yet repeating the request is as safe as there. `fault` names what is not understood, never
    a value; it is for the log, and callers see the detail.
    """

    retry_after = timedelta(seconds=60)

    def __init__(self, fault: str) -> None:
        super().__init__("this release can not read the record: a newer one wrote it, or it is damaged")
        self.fault = fault

    def __str__(self) -> str:
        return self.fault


class InvalidSignature(DirectDebitError):
    """An inbound call is not authentic. `status` and `code` are the SNAP reply (contract 3.10)."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message, code=code)
        self.status = status


class LostRace(Exception):
    """Somebody changed the record since it was read."""


class PaymentChanged(LostRace):
    """The payment was changed since it was read; `current` is how it stands now."""

    def __init__(self, current: Payment) -> None:
        super().__init__("the payment was changed by somebody else")
        self.current = current


class BindingChanged(LostRace):
    """The binding was changed since it was read; `current` is how it stands now."""

    def __init__(self, current: Binding) -> None:
        super().__init__("the binding was changed by somebody else")
        self.current = current
