"""Each field of a record is shown by its view, or stands here with the reason why it is not.

"Shown" is asked of the view itself: it is another one where the field is another one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

import pytest

from direct_debit.application.bindings.result import BindingResult
from direct_debit.domain.binding import Binding
from direct_debit.domain.money import Amount
from direct_debit.domain.payment import FailureReason, Payment, PaymentFailure
from direct_debit.domain.refund import Refund
from direct_debit.entrypoint.views.binding import show_binding
from direct_debit.entrypoint.views.payment import show_payment
from direct_debit.entrypoint.views.refund import show_refund
from direct_debit.entrypoint.views.view import View
from tests.fakes.records import with_fields
from tests.integration.handlers.data_places import a_full_binding, a_full_payment

_PAGE = "handed to the view by itself, opened, while the customer has to go there"
_OURS = "this service's own bookkeeping"
_SCHEDULE = "when somebody looks next: this service's own"
_PROOF = "a name that only DOKU and this service use"
_OUTBOX = "what has still to be told: the outbox's own"

NOT_SHOWN: Mapping[type, Mapping[str, str]] = {
    Payment: {
        "request_hash": "a fingerprint",
        "version": "in the steps of the history",
        "external_id": _PROOF,
        "attempt": _PROOF,
        "sent_at": _OURS,
        "released": _OURS,
        "web_redirect_url": _PAGE,
        "otp_attempts": _OURS,
        "otp_accepted": _OURS,
        "otp_unclear": _OURS,
        "reposted": _OURS,
        "late_success": _OURS,
        "not_found_count": _OURS,
        "not_found_since": _OURS,
        "questioned_at": _OURS,
        "question_heard_at": _OURS,
        "reversed_at": "told by events and `./ops review`: a person has to look",
        "review_closed_at": "an operator's note, told by `./ops explain`",
        "last_inquiry_at": _OURS,
        "due_at": _SCHEDULE,
        "untold": _OUTBOX,
        "tell_by": _OUTBOX,
        "task_token": "a workflow's own; sealed",
        "evidence": "in the steps of the history",
    },
    Binding: {
        "account": "a fingerprint of the phone number",
        "success_url": "the merchant's own page; sealed",
        "failed_url": "the merchant's own page; sealed",
        "request_hash": "a fingerprint",
        "return_state_hash": "a fingerprint",
        "version": _OURS,
        "lease_until": _OURS,
        "external_id": _PROOF,
        "redirect_url": _PAGE,
        "auth_code": "a secret; sealed",
        "page_ended": _OURS,
        "earlier_pages": "secrets; sealed",
        "tokens": "secrets; sealed",
        "attempt": _PROOF,
        "attempt_until": _OURS,
        "unbind_external_id": _PROOF,
        "unbind_requested_at": _OURS,
        "unbind_requested_by": "for whoever has to find out, in the table",
        "unbind_redirect_url": _PAGE,
        "unbind_unclear": _OURS,
        "charges": "a count of the day: told when it is full",
        "pages": "a count of the day: told when it is full",
        "unlinkings": "a count of the day: told when it is full",
        "otp_attempts": _OURS,
        "token_lease_until": _OURS,
        "due_at": _SCHEDULE,
        "open_payments": "GET /payments?customerId=... lists them",
        "untold": _OUTBOX,
        "tell_by": _OUTBOX,
        "task_token": "a workflow's own; sealed",
        "evidence": _OURS,
    },
    Refund: {
        "sealed_reason": "the merchant's own words, perhaps about the customer; sealed",
        "request_hash": "a fingerprint",
        "requested_by": "for whoever has to find out, in the table",
        "attempt": _PROOF,
        "attempts": _OURS,
        "external_id": _PROOF,
        "sent_at": _OURS,
        "due_at": _SCHEDULE,
        "evidence": _OURS,
    },
}


@dataclass(frozen=True)
class Shown:
    """A kind of record, one with all that it may have, where it is shown, and how."""

    file: str
    full: object
    show: Callable[[object], View]


def _show_payment(payment: object) -> View:
    assert isinstance(payment, Payment)
    return show_payment(payment)


def _show_binding(binding: object) -> View:
    assert isinstance(binding, Binding)
    return show_binding(BindingResult(binding, replayed=False, redirect_url=None))


def _show_refund(refund: object) -> View:
    assert isinstance(refund, Refund)
    return show_refund(with_fields(a_full_payment(), refund=refund))


RECORDS: Mapping[type, Shown] = {
    Payment: Shown("entrypoint/views/payment.py, show_payment", a_full_payment(), _show_payment),
    Binding: Shown("entrypoint/views/binding.py, show_binding", a_full_binding(), _show_binding),
    Refund: Shown("entrypoint/views/refund.py, show_refund_of", a_full_payment().refund, _show_refund),
}


OTHERS: Sequence[tuple[type | tuple[type, ...], Callable[[Any], object]]] = (
    (Enum, lambda value: next(one for one in type(value) if one is not value)),
    (bool, lambda value: not value),
    (str, lambda value: value + "x"),
    (int, lambda value: value + 1),
    (datetime, lambda value: value + timedelta(days=1)),
    (Amount, lambda _: Amount.parse("2.00")),
    (Mapping, lambda _: {"another": "one"}),
    ((frozenset, tuple), lambda value: type(value)()),
    (PaymentFailure, lambda value: PaymentFailure(FailureReason.EXPIRED, value.code)),
    (
        object,
        lambda value: with_fields(value, **{one.name: another(getattr(value, one.name)) for one in fields(value)}),
    ),
)


def another(value: object) -> object:
    """Another value of the same kind."""
    return next(make(value) for kind, make in OTHERS if isinstance(value, kind))


def list_record_fields() -> list[tuple[type, str]]:
    return [(record, one.name) for record in RECORDS for one in fields(record)]


@pytest.mark.parametrize(("record", "name"), list_record_fields(), ids=lambda part: getattr(part, "__name__", part))
def test_a_field_of_a_record_is_shown_or_it_is_known_why_not(record: type, name: str) -> None:
    of = RECORDS[record]
    value = getattr(of.full, name)
    assert value is not None, f"tests/integration/handlers/data_places.py: give the full {record.__name__} a {name}"
    changed = with_fields(of.full, **{name: another(value)})
    # Links have names of records in their paths: that shows nothing.
    is_shown = of.show(of.full).model_dump(exclude={"links"}) != of.show(changed).model_dump(exclude={"links"})
    here = f"NOT_SHOWN in {__name__.replace('.', '/')}.py"
    if name in NOT_SHOWN[record]:
        assert not is_shown, f"{of.file} shows {record.__name__}.{name}: take it off {here}"
    else:
        assert is_shown, f"{of.file}: show {record.__name__}.{name}, or say in {here} why it is not shown"


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_what_is_not_shown_are_fields_of_the_record(record: type) -> None:
    gone = NOT_SHOWN[record].keys() - {one.name for one in fields(record)}
    assert not gone, f"take {gone} off NOT_SHOWN: {record.__name__} has no such field"
