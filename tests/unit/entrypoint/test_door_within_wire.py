"""What a door accepts, the wire accepts: searched over all of Unicode's first plane, for every command that sends.

A value that the door lets in and the signing layer refuses to write is a payment that can never be sent and a refund
that can never be corrected. Every single character is tried in every text; the search sends whole requests through the
adapter.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from random import Random
from typing import Annotated

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from direct_debit.application.errors import DirectDebitError
from direct_debit.application.ports.doku import DokuCall
from direct_debit.application.ports.doku_links import LinkRequest
from direct_debit.application.references import derive_reference, make_external_id
from direct_debit.application.return_pages import ReturnPages
from direct_debit.application.settings import Settings
from direct_debit.domain import values
from direct_debit.entrypoint import settings as settings_module
from direct_debit.entrypoint.command import Command
from direct_debit.entrypoint.operations.bind_account import BindAccountRequest
from direct_debit.entrypoint.operations.confirm_unbinding import ConfirmUnbindingRequest
from direct_debit.entrypoint.operations.make_payment import MakePaymentRequest
from direct_debit.entrypoint.operations.refund_payment import RefundPaymentRequest
from direct_debit.entrypoint.operations.verify_payment_otp import VerifyPaymentOtpRequest
from direct_debit.entrypoint.settings import ConfigurationError, read_environment
from doku_snap.client import Call
from doku_snap.messages.account_binding import AccountBindingRequest
from doku_snap.messages.base import Amount
from doku_snap.messages.otp_verification import OtpPurpose, OtpVerificationRequest
from doku_snap.messages.payment import PaymentRequest
from doku_snap.messages.refund import RefundRequest
from doku_snap.messages.status import StatusRequest
from doku_snap.settings import ClientSettings
from doku_snap.transport import Timeout
from tests.fakes.clock import FakeClock
from tests.fakes.environment import COMPLETE
from tests.fakes.ids import SeededIds
from tests.unit.adapters.doku_harness import answer, doku_call, make, payment

IDS = SeededIds(Random(1))  # noqa: S311 - a test's chance has to repeat
LOCAL = Settings(public_base_url="", allowed_return_hosts=("localhost",))
ANYWHERE = Settings(public_base_url="")


def write_call(device_id: str | None, ip_address: str | None) -> None:
    Call("t", make_external_id(FakeClock(), IDS), Timeout(1, 1), "t", device_id, ip_address)


# --- each command, as the adapter writes it --------------------------------------------------------------------------


def return_urls(public_base_url: str) -> tuple[str, str]:
    base = f"{public_base_url}/bindings/return/{IDS.new_id()}"
    return f"{base}/success", f"{base}/failed"


def write_binding(request: Command) -> None:
    assert isinstance(request, BindAccountRequest)
    command = request.to_command()
    success_url, failed_url = return_urls("https://pay.example/v1")
    AccountBindingRequest(
        phone_no=command.phone,
        cust_id_merchant=command.customer_id,
        customer_name=command.customer_name,
        email=command.email,
        id_card=command.id_card,
        country=command.country,
        address=command.address,
        date_of_birth=command.date_of_birth,
        success_registration_url=success_url,
        failed_registration_url=failed_url,
    )
    write_call(command.device_id, command.ip_address)


def write_payment(request: Command) -> None:
    assert isinstance(request, MakePaymentRequest)
    command = request.to_command()
    ref = command.partner_reference_no or derive_reference(f"payment:{command.idempotency_key}")
    amount = Amount(value=str(command.amount))
    PaymentRequest(
        partner_reference_no=ref,
        amount=amount,
        remarks=command.remarks,
        success_payment_url=command.success_url or "https://shop.example/ok",
        failed_payment_url=command.failed_url or "https://shop.example/no",
    )
    StatusRequest(original_partner_reference_no=ref, amount=amount)
    RefundRequest(
        original_partner_reference_no=ref,
        original_external_id=make_external_id(FakeClock(), IDS),
        partner_refund_no=derive_reference(f"refund:{ref}"),
        refund_amount=amount,
        reason="Refund",
    )
    write_call(command.device_id, command.ip_address)


def write_otp(request: Command) -> None:
    assert isinstance(request, VerifyPaymentOtpRequest)
    command = request.to_command()
    OtpVerificationRequest(
        purpose=OtpPurpose.PAYMENT,
        original_partner_reference_no=command.ref,
        otp=command.otp,
        bank_card_token="t",
    )


def write_unlink_otp(request: Command) -> None:
    assert isinstance(request, ConfirmUnbindingRequest)
    OtpVerificationRequest(purpose=OtpPurpose.UNBINDING, otp=request.to_command().otp, bank_card_token="t")


def write_refund(request: Command) -> None:
    assert isinstance(request, RefundPaymentRequest)
    command = request.to_command()
    RefundRequest(
        original_partner_reference_no=command.ref,
        partner_refund_no=command.partner_refund_no or derive_reference(f"refund:{command.ref}"),
        refund_amount=Amount(value="1.00"),
        reason=command.reason,
    )


# --- each command, sent through the adapter --------------------------------------------------------------------------


def send_binding(request: Command) -> int:
    assert isinstance(request, BindAccountRequest)
    command = request.to_command()
    success_url, failed_url = return_urls("https://pay.example/v1")
    link = LinkRequest(
        phone=command.phone,
        customer_id=command.customer_id,
        success_url=success_url,
        failed_url=failed_url,
        customer_name=command.customer_name,
        email=command.email,
        id_card=command.id_card,
        country=command.country,
        address=command.address,
        date_of_birth=command.date_of_birth,
    )
    adapter, transport = make(answer(200, {}))
    with suppress(DirectDebitError):
        adapter.bind_account(link, call_with(command.device_id, command.ip_address))
    return len(transport.sent)


def send_payment(request: Command) -> int:
    assert isinstance(request, MakePaymentRequest)
    command = request.to_command()
    recorded = replace(
        payment(),
        ref=command.partner_reference_no or derive_reference(f"payment:{command.idempotency_key}"),
        amount=command.amount,
        remarks=command.remarks,
    )
    pages = ReturnPages(
        command.success_url or "https://shop.example/ok", command.failed_url or "https://shop.example/no"
    )
    adapter, transport = make(answer(200, {}))
    with suppress(DirectDebitError):
        adapter.make_payment(recorded, pages, call_with(command.device_id, command.ip_address))
    return len(transport.sent)


def send_otp(request: Command) -> int:
    assert isinstance(request, VerifyPaymentOtpRequest)
    adapter, transport = make(answer(200, {}))
    command = request.to_command()
    with suppress(DirectDebitError):
        adapter.verify_payment_otp(replace(payment(), ref=command.ref), command.otp, doku_call())
    return len(transport.sent)


def send_unlink_otp(request: Command) -> int:
    assert isinstance(request, ConfirmUnbindingRequest)
    adapter, transport = make(answer(200, {}))
    with suppress(DirectDebitError):
        adapter.verify_unbinding_otp("customer-token", request.to_command().otp, doku_call())
    return len(transport.sent)


def send_refund(request: Command) -> int:
    assert isinstance(request, RefundPaymentRequest)
    command = request.to_command()
    recorded = replace(payment(with_refund=True), ref=command.ref)
    assert recorded.refund is not None
    refund = replace(recorded.refund, number=command.partner_refund_no or "RFD1")
    adapter, transport = make(answer(200, {}))
    with suppress(DirectDebitError):
        adapter.refund_payment(replace(recorded, refund=refund), command.reason or refund.reason, doku_call())
    return len(transport.sent)


def call_with(device_id: str | None, ip_address: str | None) -> DokuCall:
    return replace(doku_call(), device_id=device_id, ip_address=ip_address)


@dataclass(frozen=True)
class Sending:
    """A command that sends something: a good one, and the rule of each of its texts."""

    model: type[Command]
    good: Mapping[str, object]
    texts: Mapping[str, str]
    write: Callable[[Command], None]
    send: Callable[[Command], int]


URLS = {"successUrl": values.URL, "failedUrl": values.URL}
SENDINGS = {
    "bind": Sending(
        BindAccountRequest,
        {
            "customerId": "CUST-1001",
            "phone": "62857957868761",
            "successUrl": "https://shop.example/linked",
            "failedUrl": "https://shop.example/not-linked",
            "customerName": "Siti Rahma",
            "email": "customer@shop.example",
            "idCard": "3174010101900001",
            "country": "Indonesia",
            "address": "Jalan Sudirman 1",
            "dateOfBirth": "19900131",
            "deviceId": "a1b2c3",
            "ipAddress": "203.0.113.7",
        },
        {
            "customerId": values.CUSTOMER_ID,
            "phone": values.PHONE,
            "customerName": values.TEXT,
            "email": values.EMAIL,
            "idCard": values.ID_CARD,
            "country": values.TEXT,
            "address": values.TEXT,
            "dateOfBirth": values.DATE,
            "deviceId": values.DEVICE_ID,
            "ipAddress": r"^[0-9.]{7,15}$",
            **URLS,
        },
        write_binding,
        send_binding,
    ),
    "pay": Sending(
        MakePaymentRequest,
        {
            "bindingId": "6f1d2c3b4a5968778695a4b3c2d1e0f0",
            "partnerReferenceNo": "INV202608010",
            "idempotencyKey": "basket-7",
            "amount": {"value": "10000.00", "currency": "IDR"},
            "remarks": "Order 4711",
            "successUrl": "https://shop.example/paid",
            "failedUrl": "https://shop.example/not-paid",
            "deviceId": "a1b2c3",
            "ipAddress": "203.0.113.7",
        },
        {
            "partnerReferenceNo": values.REFERENCE,
            "idempotencyKey": values.IDEMPOTENCY_KEY,
            "remarks": values.REMARKS,
            "deviceId": values.DEVICE_ID,
            "ipAddress": r"^[0-9.]{7,15}$",
            **URLS,
        },
        write_payment,
        send_payment,
    ),
    "otp": Sending(
        VerifyPaymentOtpRequest,
        {"partnerReferenceNo": "INV202608010", "otp": "123456"},
        {"partnerReferenceNo": values.REFERENCE, "otp": values.OTP},
        write_otp,
        send_otp,
    ),
    "unlink otp": Sending(
        ConfirmUnbindingRequest,
        {"bindingId": "6f1d2c3b4a5968778695a4b3c2d1e0f0", "otp": "123456"},
        {"otp": values.OTP},
        write_unlink_otp,
        send_unlink_otp,
    ),
    "refund": Sending(
        RefundPaymentRequest,
        {"partnerReferenceNo": "INV202608010", "partnerRefundNo": "RFD202608010", "reason": "Customer complain"},
        {"partnerReferenceNo": values.REFERENCE, "partnerRefundNo": values.REFUND_NUMBER, "reason": values.TEXT},
        write_refund,
        send_refund,
    ),
}


def accept(sending: Sending, fields: Mapping[str, object], context: Settings = ANYWHERE) -> Command | None:
    """Return the request as the door reads it; None when it is refused."""
    try:
        return sending.model.model_validate(fields, context=context)
    except ValidationError:
        return None


# --- every character in every text -----------------------------------------------------------------------------------

WELL_SEARCHED = (
    0x300  # up to here in every place of the text; a pattern's end is where a line feed likes to slip through
)

EVERY = 37  # from there on, how often the other places are tried: all of them take most of a minute, and found nothing


@pytest.mark.parametrize(("name", "field"), [(name, field) for name, one in SENDINGS.items() for field in one.texts])
def test_every_character_that_the_door_accepts_can_be_written(name: str, field: str) -> None:
    sending = SENDINGS[name]
    good = str(sending.good[field])
    door = field_of(sending, field)
    written = 0
    for code in range(WELL_SEARCHED):
        for text in (good[:-2] + chr(code) + good[-1], good[:-1] + chr(code), chr(code) + good[1:], chr(code)):
            request = accept(sending, {**sending.good, field: text})
            if request is not None:
                sending.write(request)
                written += 1
    assert written > 0
    for code in range(WELL_SEARCHED, 0x10000, EVERY):
        for text in (good[:-1] + chr(code), chr(code) + good[1:], chr(code)):
            if takes(door, text):
                request = accept(sending, {**sending.good, field: text})
                assert request is not None
                sending.write(request)
    # Further on most fields take nothing, and a text takes nearly everything: then several characters go at once.
    taken = [chr(code) for code in range(WELL_SEARCHED, 0x10000) if takes(door, good[:-2] + chr(code) + good[-1])]
    for first in range(0, len(taken), 50):
        request = accept(sending, {**sending.good, field: "".join(taken[first : first + 50])})
        assert request is not None
        sending.write(request)


def field_of(sending: Sending, alias: str) -> TypeAdapter[object]:
    """The rule of one field by itself, which is quicker than that of the whole request."""
    info = next(info for info in sending.model.model_fields.values() if info.alias == alias)
    return TypeAdapter(Annotated[info.annotation, alias, *info.metadata])


def takes(door: TypeAdapter[object], text: str) -> bool:
    try:
        door.validate_python(text, context=ANYWHERE, strict=True)
    except ValidationError:
        return False
    return True


def test_every_character_of_a_chosen_url_can_be_written() -> None:
    for code in range(0x10000):
        url = f"https://shop.example/a{chr(code)}b"
        try:
            settings_module._base_url(url)
        except ValueError:
            if code >= WELL_SEARCHED:
                continue
        try:
            found = read_environment({**COMPLETE, "DEFAULT_SUCCESS_URL": url, "PUBLIC_BASE_URL": url}).settings
        except ConfigurationError:
            continue
        write_urls(found)


def write_urls(found: Settings) -> None:
    """Write the messages that carry what the operator chose."""
    success_url, failed_url = return_urls(found.public_base_url)
    AccountBindingRequest(
        phone_no="62857957868761",
        cust_id_merchant="CUST-1001",
        success_registration_url=success_url,
        failed_registration_url=failed_url,
    )
    PaymentRequest(
        partner_reference_no="INV202608010",
        amount=Amount(value="1.00"),
        remarks="x",
        success_payment_url=found.default_success_url or "https://shop.example/ok",
        failed_payment_url=found.default_failed_url or "https://shop.example/no",
    )


# --- whole requests --------------------------------------------------------------------------------------------------

characters = st.characters(max_codepoint=0xFFFF, exclude_categories=())  # halves of surrogate pairs too


def texts(pattern: str) -> st.SearchStrategy[str]:
    """Texts around a rule: right ones, right ones with one strange character, and anything."""
    right = st.from_regex(re.compile(pattern), fullmatch=True)
    broken = st.tuples(right, characters, st.floats(0, 1)).map(
        lambda parts: parts[0][: int(parts[2] * len(parts[0]))] + parts[1] + parts[0][int(parts[2] * len(parts[0])) :]
    )
    return right | broken | st.text(characters, max_size=300)


hosts = st.sampled_from(
    ["shop.example", "localhost", "localhost:8080", "[::1]:9", "a.id:0", "u@a.id", "m\u00fcller.de", ""]
)
urls = st.one_of(
    texts(values.URL),
    st.builds(
        "{}://{}{}".format,
        st.sampled_from(["https", "HTTPS", "hTTpS", "http", "HTTP", "ftp"]),
        hosts,
        st.text(characters, max_size=20).map(lambda text: "/" + text) | st.just("/" + "x" * 2030) | st.just(""),
    ),
)


@pytest.mark.parametrize(("name", "field"), [(name, field) for name, one in SENDINGS.items() for field in one.texts])
def test_every_request_that_the_door_accepts_is_sent(name: str, field: str) -> None:
    sending = SENDINGS[name]
    rule = sending.texts[field]

    @settings(max_examples=60)
    @given(urls if rule == values.URL else texts(rule), st.sampled_from([ANYWHERE, LOCAL]))
    def search(text: str, context: Settings) -> None:
        pages = dict.fromkeys(URLS.keys() & sending.good.keys(), "https://localhost/")  # allowed in either context
        request = accept(sending, {**sending.good, **pages, field: text}, context)
        if request is not None:
            sending.write(request)
            assert sending.send(request) == 1

    search()


@settings(max_examples=300)
@given(urls, urls, urls, urls)
def test_every_url_that_the_settings_accept_can_be_written(base: str, doku: str, success: str, failed: str) -> None:
    chosen = {
        "PUBLIC_BASE_URL": base,
        "DOKU_BASE_URL": doku,
        "DEFAULT_SUCCESS_URL": success,
        "DEFAULT_FAILED_URL": failed,
    }
    for name, value in chosen.items():
        try:
            environment = read_environment({**COMPLETE, name: value})
        except ConfigurationError:
            continue
        write_urls(environment.settings)
        ClientSettings(
            base_url=environment.doku_base_url,
            allow_plain_http=environment.doku_base_url.lower().startswith("http://"),
        )


@pytest.mark.parametrize("word", ["otp1", "otp-payment", "otp_payment", "OTP", "\u00e9"])
def test_a_word_for_the_otp_that_the_settings_accept_can_be_written(word: str) -> None:
    try:
        environment = read_environment({**COMPLETE, "DOKU_OTP_PAYMENT_VALUE": word, "DOKU_OTP_UNBIND_VALUE": word})
    except ConfigurationError:
        return
    ClientSettings(
        otp_payment_value=environment.doku_otp_payment_value, otp_unbinding_value=environment.doku_otp_unbind_value
    )


def test_the_longest_base_url_leaves_room_for_its_paths() -> None:
    longest = "https://pay.example/" + "x" * (values.BASE_URL_LENGTH - len("https://pay.example/"))
    write_urls(read_environment({**COMPLETE, "PUBLIC_BASE_URL": longest}).settings)
    with pytest.raises(ConfigurationError):
        read_environment({**COMPLETE, "PUBLIC_BASE_URL": longest + "x"})
