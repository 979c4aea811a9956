"""Answers that belong to another question: a connection out of step, a cache in between, a mix-up at DOKU.

Each is what DOKU might well have said to somebody else, and tempting: it says that money moved where it did not, or
that it did not where it did. What it names, it names differently from the question, or in a way that can not be read.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

type Fields = dict[str, object]

_OTHER = "ORDER9999999"
_OTHER_EXTERNAL_ID = "20200101000000000000000000"
_AMOUNTS: tuple[object, ...] = (
    {"value": "1.00", "currency": "IDR"},
    {"value": "0.00", "currency": "IDR"},
    {"value": "Rp 5.000", "currency": "IDR"},
    {"value": "99999.00", "currency": "USD"},
    "10000.00",
)


def _status(rng: Random, code: str = "2005500") -> Fields:
    said = rng.choice(("00", "00", "04", "06", "05", "03"))
    return {"responseCode": code, "latestTransactionStatus": said, "originalResponseCode": "2005400"}


def _status_of_another(rng: Random, _: Mapping[str, object]) -> Fields:
    return _status(rng) | {"originalPartnerReferenceNo": _OTHER}


def _status_of_another_request(rng: Random, asked: Mapping[str, object]) -> Fields:
    return _status(rng) | {
        "originalPartnerReferenceNo": asked.get("originalPartnerReferenceNo"),
        "originalExternalId": _OTHER_EXTERNAL_ID,
    }


def _status_of_another_amount(rng: Random, _: Mapping[str, object]) -> Fields:
    return _status(rng) | {"transAmount": rng.choice(_AMOUNTS)}


def _status_of_a_refund(rng: Random, _: Mapping[str, object]) -> Fields:
    return _status(rng) | {"serviceCode": "58"}


def _balance_not_found(_: Random, __: Mapping[str, object]) -> Fields:
    return {"responseCode": "4041101"}


def _other_service_with_a_status(rng: Random, _: Mapping[str, object]) -> Fields:
    return _status(rng, rng.choice(("2005800", "2000400", "2001100")))


def _payment_of_another(rng: Random, _: Mapping[str, object]) -> Fields:
    code = rng.choice(("4035413", "2005400", "4035414", "2025400"))
    return {"responseCode": code, "partnerReferenceNo": _OTHER}


def _code_of_another(rng: Random, asked: Mapping[str, object]) -> Fields:
    if "originalPartnerReferenceNo" not in asked and rng.random() < 0.5:  # an unlinking's: the service names it
        return {"responseCode": rng.choice(("2005400", "2005800", "4030913"))}
    code = rng.choice(("2000400", "4040415", "4030412", "4030414"))
    return {"responseCode": code, "originalPartnerReferenceNo": _OTHER}


def _another_call(rng: Random, _: Mapping[str, object]) -> Fields:
    return {"responseCode": rng.choice(("2001100", "2007300", "2005500", "4045501", "4011102"))}


def _refund_of_another(rng: Random, asked: Mapping[str, object]) -> Fields:
    wrongs: list[Fields] = [
        {"originalPartnerReferenceNo": _OTHER},
        {"partnerRefundNo": "REFUND999999"},
        {"refundAmount": rng.choice(_AMOUNTS)},
    ]
    if "originalExternalId" in asked:
        wrongs.append({"originalExternalId": _OTHER_EXTERNAL_ID})
    wrong = rng.choice(wrongs)
    return {"responseCode": rng.choice(("2005800", "2005800", "2005800", "4035803"))} | wrong


def _customers_token(_: Random, __: Mapping[str, object]) -> Fields:
    return {"responseCode": "2007300", "accessToken": "a-merchants-token", "expiresIn": 900}


def _merchants_token(_: Random, __: Mapping[str, object]) -> Fields:
    return {"responseCode": "2007400", "accessToken": "a-customers-token"}


def _link_of_another(_: Random, __: Mapping[str, object]) -> Fields:
    page = "https://sandbox.doku.com/direct-debit/ui/binding/core/9999"
    return {"responseCode": "2000700", "redirectUrl": page, "additionalInfo": {"custIdMerchant": "C999"}}


def _unlinking_of_another(rng: Random, _: Mapping[str, object]) -> Fields:
    return {"responseCode": rng.choice(("2000900", "4040911", "4010902", "4030913"))}


_BY_OPERATION: Mapping[str, tuple[Callable[[Random, Mapping[str, object]], Fields], ...]] = {
    "status": (
        _status_of_another,
        _status_of_another,
        _status_of_another_request,
        _status_of_another_amount,
        _status_of_another_amount,
        _status_of_a_refund,
        _balance_not_found,
        _other_service_with_a_status,
    ),
    "payment": (_payment_of_another, _payment_of_another, _another_call),
    "otp": (_code_of_another, _code_of_another, _another_call),
    "refund": (_refund_of_another, _refund_of_another, _another_call),
    "b2b": (_merchants_token,),
    "b2b2c": (_customers_token,),
    "binding": (_link_of_another,),
    "balance": (_unlinking_of_another,),
    "unbinding": (_another_call,),
}

MIXUPS = sorted({make.__name__.lstrip("_").replace("_", " ") for makers in _BY_OPERATION.values() for make in makers})
"""The kinds of answers to another question."""


def mix_up(rng: Random, operation: str, asked: Mapping[str, object], *, sent_twice: bool) -> tuple[str, bytes]:
    """Return an answer to somebody else's question: its kind, and its body.

    Of a payment that may have been sent twice any request of its own will do: then no other request's is given.
    """
    choices = [one for one in _BY_OPERATION[operation] if not (sent_twice and one is _status_of_another_request)]
    make = rng.choice(choices)
    fields = {"responseMessage": "x", **make(rng, asked)}
    return make.__name__.lstrip("_").replace("_", " "), json.dumps(fields).encode()


def bend_history(body: bytes, number: str) -> bytes:
    """Add a row to a status: our refund, done, but of another amount."""
    fields = json.loads(body)
    rows = fields.get("refundHistory") or []
    row = {"partnerRefundNo": number, "refundStatus": "00", "refundAmount": {"value": "1.00", "currency": "IDR"}}
    return json.dumps({**fields, "refundHistory": [row, *rows]}, separators=(",", ":")).encode()
