"""Is this answer about what was asked? (contract 12.4, invariant 10)

An answer may belong to another question: a kept connection that is out of step, a cache in between, a mix-up at DOKU.
So whatever an answer names has to agree with the question. What it does not name is no reason for doubt; what it names
differently, or in a way that can not be read, makes it no evidence. This is the one place that decides; every answer
passes through it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from doku_snap.messages.base import normalize_amount
from doku_snap.operations import Operation
from doku_snap.refund_numbers import REFUND_NUMBER_NAMES, name_refund
from doku_snap.response_codes import belongs_to, parse_response_code

_CURRENCY = "IDR"
_ROWS = "refundHistory"
_ROW_AMOUNT = "refundAmount"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a call is about. None: the call is not about one, or it is not certain that DOKU knows it by this name.

    `reference` is the payment's partnerReferenceNo (None of a code: it is an unlinking's), `external_id` the
    X-EXTERNAL-ID of its request, `refund_number` the partnerRefundNo, `amount` the payment's (and so the refund's) in
    rupiah, `customer_id` the custIdMerchant of a link.
    """

    operation: Operation
    reference: str | None = None
    external_id: str | None = None
    refund_number: str | None = None
    amount: Decimal | None = None
    customer_id: str | None = None


# Where an answer names what, by operation: wire path and the question's member.
_TEXTS: Mapping[Operation, tuple[tuple[str, str], ...]] = {
    Operation.BIND_ACCOUNT: (("additionalInfo.custIdMerchant", "customer_id"),),
    Operation.VERIFY_OTP: (("originalPartnerReferenceNo", "reference"),),
    Operation.MAKE_PAYMENT: (("partnerReferenceNo", "reference"),),
    Operation.INQUIRE_STATUS: (("originalPartnerReferenceNo", "reference"), ("originalExternalId", "external_id")),
    Operation.REFUND_PAYMENT: (
        ("originalPartnerReferenceNo", "reference"),
        ("originalExternalId", "external_id"),
        ("partnerRefundNo", "refund_number"),
    ),
}
# Without a reference the code is that of an unlinking, whose answer can name no payment.
_NAMES_NO_PAYMENT = frozenset({Operation.VERIFY_OTP})
_AMOUNTS: Mapping[Operation, str] = {
    Operation.INQUIRE_STATUS: "transAmount",
    Operation.REFUND_PAYMENT: "refundAmount",
}
# The original transaction's service in a status: a payment's by the specification, the status's own in SDK fixtures.
_ORIGINAL_SERVICES = frozenset({"54", "55"})

TIED_PATHS = frozenset(
    {
        "responseCode",
        "serviceCode",
        f"{_ROWS}.{_ROW_AMOUNT}",
        *(path for paths in _TEXTS.values() for path, _ in paths),
        *_AMOUNTS.values(),
    }
)
"""Every wire path that is compared with a question, whatever the operation."""


def find_contradictions(
    question: Question, code: str | None, fields: Mapping[str, object], untied: frozenset[str] = frozenset()
) -> tuple[str, ...]:
    """Return the wire paths of an answer that name something else than `question`; empty where nothing does.

    `code` is the answer's response code, `fields` its JSON object. `untied` are paths that a merchant's DOKU is known
    to fill otherwise: they are not compared.
    """
    found: list[str] = []
    parsed = parse_response_code(code)
    if parsed is not None and not belongs_to(parsed, question.operation):
        found.append("responseCode")
    for path, member in _TEXTS.get(question.operation, ()):
        named, asked = _at(fields, path), getattr(question, member)
        unasked = asked is None and question.operation in _NAMES_NO_PAYMENT
        if not (_is_absent(named) if unasked else _agrees(named, asked)):
            found.append(path)
    amount_path = _AMOUNTS.get(question.operation)
    if amount_path is not None and not _is_amount(fields.get(amount_path), question.amount):
        found.append(amount_path)
    if question.operation is Operation.INQUIRE_STATUS:
        service = fields.get("serviceCode")
        if not _is_absent(service) and _text(service) not in _ORIGINAL_SERVICES:
            found.append("serviceCode")
    return tuple(path for path in found if path not in untied)


def doubt_rows(
    question: Question, fields: Mapping[str, object], untied: frozenset[str] = frozenset()
) -> tuple[Mapping[str, object], tuple[str, ...]]:
    """Take the status from each row of `refundHistory` that is our refund's and names another amount than the payment.

    Such a row says nothing about our refund, but the rest of the answer counts. Returns the fields to read, and the
    path that contradicts, if one does.
    """
    rows = fields.get(_ROWS)
    path = f"{_ROWS}.{_ROW_AMOUNT}"
    if question.operation is not Operation.INQUIRE_STATUS or not isinstance(rows, list) or path in untied:
        return fields, ()
    doubtful = [isinstance(row, Mapping) and _is_of_another_amount(question, row) for row in rows]
    if not any(doubtful):
        return fields, ()
    kept = [{**row, "refundStatus": None} if doubt else row for row, doubt in zip(rows, doubtful, strict=True)]
    return {**fields, _ROWS: kept}, (path,)


def _is_of_another_amount(question: Question, row: Mapping[str, object]) -> bool:
    named = [None if _is_absent(row.get(name)) else _text(row.get(name)) for name in REFUND_NUMBER_NAMES]
    number = name_refund(named[0], named[1], question.reference)
    ours = number in (None, question.refund_number)
    return ours and not _is_amount(row.get(_ROW_AMOUNT), question.amount)


def _at(fields: Mapping[str, object], path: str) -> object:
    parent, _, leaf = path.rpartition(".")
    holder = fields.get(parent) if parent else fields
    return holder.get(leaf) if isinstance(holder, Mapping) else None


def _agrees(named: object, asked: str | None) -> bool:
    return asked is None or _is_absent(named) or _text(named) == asked


def _is_amount(named: object, asked: Decimal | None) -> bool:
    if asked is None or _is_absent(named):
        return True
    if not isinstance(named, Mapping):
        return False
    value, currency = named.get("value"), named.get("currency")
    if _is_absent(value):
        return _is_absent(currency) or _text(currency) == _CURRENCY
    read = normalize_amount(value)
    try:
        same = isinstance(read, str) and Decimal(read) == asked
    except ArithmeticError:
        return False
    return same and (_is_absent(currency) or _text(currency) == _CURRENCY)


def _is_absent(value: object) -> bool:
    """Nothing is named by null, by an empty text or by an empty object: DOKU fills unused members so."""
    return value is None or value in ("", {})


def _text(value: object) -> str | None:
    """Text as DOKU may write it: a number counts as its digits, and blanks around it as nothing (contract 3.6)."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() if isinstance(value, str) else None
