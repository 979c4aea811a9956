"""DOKU's answers to every call of ours: an input is the HTTP status, a line break, and the body."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from functools import cache, partial
from unittest.mock import patch

from direct_debit.application.errors import DirectDebitError
from direct_debit.application.ports.doku_links import LinkRequest
from doku_snap import tokens
from doku_snap.signing import sign_asymmetric
from doku_snap.transport import HttpAnswer, HttpRequest
from tests.fuzz.target import CANARY, Target, keep_secret, require
from tests.fuzz.targets.samples import read_answers
from tests.unit.adapters.doku_harness import PAGES, deadline, doku_call, make, payment

type Ask = Callable[[], object]

_STATUS = re.compile(rb"[1-5][0-9]{2}")
_REFERENCE = "INV000000001"
_NAMES = {  # where an answer names the payment that was asked about
    "make-payment": "partnerReferenceNo",
    "verify-payment-otp": "originalPartnerReferenceNo",
    "inquire-status": "originalPartnerReferenceNo",
    "refund-payment": "originalPartnerReferenceNo",
}
_BOUND = 2048


class _Wire:
    """A DOKU that answers what the input says."""

    answer = HttpAnswer(200, {}, b"{}")

    def __call__(self, _: HttpRequest) -> HttpAnswer:
        return self.answer


class _Ears:
    """A telemetry that keeps what is said for as long as one input takes."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def count(self, metric: object, amount: int = 1) -> None:
        """Not heard."""

    def note(self, message: str, **told: str | None) -> None:
        """Keep what a log line would say."""
        self.said += [message, *(text for text in told.values() if text is not None)]


_sign_once = cache(sign_asymmetric)  # always the same text, and RSA takes longer than everything else
_WIRE, _EARS = _Wire(), _Ears()
_ADAPTER, _TRANSPORT = make(_WIRE, telemetry=_EARS)  # type: ignore[arg-type]  # as much of a telemetry as the adapter uses
_CALL, _DEADLINE = doku_call(), deadline()
_PAYMENT, _REFUNDED = payment(), payment(with_refund=True)
_LINK = LinkRequest(
    customer_id="CUST-1",
    phone="6281100000077",
    success_url="https://shop.example/ok",
    failed_url="https://shop.example/no",
)


def _check(name: str, ask: Ask, data: bytes) -> None:
    status, _, body = data.partition(b"\n")
    _WIRE.answer = HttpAnswer(int(status) if _STATUS.fullmatch(status) else 200, {}, body)
    _EARS.said.clear()
    _TRANSPORT.sent.clear()
    try:
        with patch.object(tokens, "sign_asymmetric", _sign_once):
            result = ask()
    except DirectDebitError as error:
        keep_secret([str(error), repr(error), str(error.code), *_EARS.said])
        return
    keep_secret(_EARS.said)
    _check_storable(result)
    said = _read_name(name, body)
    require(said in (None, _REFERENCE), "an answer about another payment is no answer")


def _check_storable(value: object) -> None:
    """Each text of a result is bounded Unicode, each moment has its zone: so it can be stored."""
    match value:
        case str():
            value.encode()
            require(len(value) <= _BOUND, "each text has a bound")
        case datetime():
            require(value.tzinfo is not None, "each moment has its zone")
        case tuple() | list():
            for member in value:
                _check_storable(member)
        case _ if is_dataclass(value) and not isinstance(value, type):
            for one in fields(value):
                _check_storable(getattr(value, one.name))


def _read_name(name: str, body: bytes) -> str | None:
    """Return the payment that an answer names, as a plain reader of JSON sees it; None where that is not plain."""
    try:
        members = json.loads(body)
    except (ValueError, RecursionError):
        return None
    said = members.get(_NAMES.get(name, "")) if isinstance(members, dict) else None
    return said.strip() or None if isinstance(said, str) else None


def _spoil(answers: list[bytes]) -> list[bytes]:
    """Add answers whose members hold what no log line may show."""
    hidden = [
        re.sub(
            rb'"(responseMessage|accessToken|authCode|refreshToken|balanceType)":"[^"]*"',
            rb'"\1":"%b"' % CANARY.encode(),
            one,
        )
        for one in answers[:2]
    ]
    return [*answers, *hidden]


_ASKS: Mapping[str, tuple[str, Ask]] = {
    "request-b2b-token": ("b2bToken", lambda: _ADAPTER.request_b2b_token(_DEADLINE)),
    "exchange-auth-code": ("b2b2cToken", lambda: _ADAPTER.exchange_auth_code("2238", _DEADLINE)),
    "refresh-customer-token": ("b2b2cToken", lambda: _ADAPTER.refresh_customer_token("r", _DEADLINE)),
    "bind-account": ("accountBinding", lambda: _ADAPTER.bind_account(_LINK, _CALL)),
    "inquire-balance": ("balanceInquiry", lambda: _ADAPTER.inquire_balance(_CALL)),
    "make-payment": ("payment", lambda: _ADAPTER.make_payment(_PAYMENT, PAGES, _CALL)),
    "verify-payment-otp": ("otpVerification", lambda: _ADAPTER.verify_payment_otp(_PAYMENT, "123456", _CALL)),
    "verify-unbinding-otp": ("otpVerification", lambda: _ADAPTER.verify_unbinding_otp("t", "123456", _CALL)),
    "inquire-status": ("checkStatus", lambda: _ADAPTER.inquire_status(_REFUNDED, _CALL)),
    "refund-payment": ("refund", lambda: _ADAPTER.refund_payment(_REFUNDED, "Refund", _CALL)),
    "unbind-account": ("accountUnbinding", lambda: _ADAPTER.unbind_account("t", _CALL)),
}

ANSWERS = tuple(
    Target(
        f"answer-{name}",
        "a storable result about what was asked, or an error of the port; neither repeats what DOKU wrote",
        partial(_check, name, ask),
        _spoil(read_answers(samples)),
    )
    for name, (samples, ask) in _ASKS.items()
)
