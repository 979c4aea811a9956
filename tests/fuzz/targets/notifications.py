"""Authentic notifications: what the door reads of a body, the worker reads too."""

from __future__ import annotations

import json
from decimal import Decimal

from direct_debit.adapters.doku_inbound import read_verified
from direct_debit.application.notifications.notices import PaymentNotice, read_notice, write_notice
from direct_debit.application.ports.inbox import InboxKind
from doku_snap.errors import InboundRefused
from doku_snap.inbound import VerifiedNotification
from tests.fuzz.target import CANARY, Target, keep_secret, require
from tests.fuzz.targets.inbound import NOW
from tests.fuzz.targets.samples import read_bodies

_SERVICES = {InboxKind.PAYMENT: "56", InboxKind.BINDING: "07"}
_STATUSES = ("SUCCESS", "PENDING", "FAILED")
_LONGEST = 64


def _check(kind: InboxKind, data: bytes) -> None:
    verified = VerifiedNotification(_SERVICES[kind], NOW, True, "1", data)
    try:
        command = read_verified(kind, verified)
    except InboundRefused as refusal:
        require(refusal.response_code in _refusals(kind), "a code of the contract")
        keep_secret([str(refusal), refusal.response_message])
        return
    notice = command.notice
    require(read_notice(write_notice(notice)) == notice, "the worker reads what the door read")
    require(command.subject == (notice.ref if isinstance(notice, PaymentNotice) else notice.external_id), "its subject")
    require(0 < len(command.subject) <= _LONGEST, "a subject that can be a key")
    for text in (command.subject, command.fact, write_notice(notice)):
        text.encode()  # or it could not be stored
    if isinstance(notice, PaymentNotice):
        require(Decimal(notice.value).is_finite() and len(notice.status) == 2, "an amount and a status")
        _check_amount(data, Decimal(notice.value))
    else:
        require(notice.status in _STATUSES, "a status of the contract")
        keep_secret([repr(notice)] if notice.auth_code == CANARY else [])


def _check_amount(data: bytes, read: Decimal) -> None:
    """Compare with the amount as the standard library reads it, where a sender wrote it plainly."""
    try:
        amount = json.loads(data, parse_float=Decimal, parse_int=Decimal)["amount"]["value"]
        said = Decimal(amount)
    except (ValueError, ArithmeticError, TypeError, KeyError):
        return
    require(said == read, "the amount that was sent")


def _refusals(kind: InboxKind) -> tuple[str, ...]:
    return tuple(f"400{_SERVICES[kind]}{case}" for case in ("00", "01", "02"))


def check_payment(data: bytes) -> None:
    """Try a payment's notification."""
    _check(InboxKind.PAYMENT, data)


def check_binding(data: bytes) -> None:
    """Try a link's notification."""
    _check(InboxKind.BINDING, data)


_PROMISE = "refused with a code of the contract and without a value, or read alike by door and worker, and storable"
NOTIFICATIONS = (
    Target("payment-notification", _PROMISE, check_payment, read_bodies("inboundPaymentNotification", "request")),
    Target(
        "binding-notification",
        _PROMISE,
        check_binding,
        [
            *read_bodies("inboundBindingNotification", "request"),
            json.dumps(
                {
                    "originalExternalId": "1",
                    "additionalInfo": {"status": "SUCCESS", "authCode": CANARY, "custIdMerchant": "C-1"},
                }
            ).encode(),
        ],
    ),
)
