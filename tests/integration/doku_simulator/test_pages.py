"""CIMB's pages walked by HTTP, without a browser."""

import json
import re
from urllib.parse import urlencode, urlsplit

import pytest

from tests.integration.doku_simulator.running import HttpMerchant, answered
from tests.unit.doku_simulator.merchant import B2B2C
from tools.doku_simulator.records import SimulatedResponse

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def _page(merchant: HttpMerchant) -> tuple[str, str]:
    """Path of a new binding's page, and its auth code."""
    bound = json.loads(merchant.bind().body)
    return urlsplit(bound["redirectUrl"]).path, bound["additionalInfo"]["authCode"]


def _get(merchant: HttpMerchant, path: str) -> SimulatedResponse:
    return merchant.handle("GET", path, {}, b"")


def _post(merchant: HttpMerchant, path: str, action: str, value: str = "") -> SimulatedResponse:
    return merchant.handle("POST", path, FORM, urlencode({"action": action, "value": value}).encode())


def test_the_redirect_url_points_to_the_running_server(merchant: HttpMerchant) -> None:
    bound = json.loads(merchant.bind().body)
    assert bound["redirectUrl"].startswith(f"{merchant.url}/direct-debit/ui/binding/core/")


def test_phone_otp_pin_and_back_to_the_merchant(merchant: HttpMerchant) -> None:
    path, code = _page(merchant)
    first = _get(merchant, path)
    shown = first.body.decode()
    assert first.status == 200
    assert 'value="••••761"' in shown
    assert "62857957868761" not in shown
    for action, value in (("phone", "••••761"), ("otp", "123456")):
        step = _post(merchant, path, action, value)
        assert (step.status, step.headers["location"]) == (303, f"{path}?lang=id")
    done = _post(merchant, path, "pin", "135790")
    assert (done.status, done.headers["location"]) == (303, "https://shop.test/bind/ok")
    assert merchant.exchange(code)
    assert "https://shop.test/bind/ok" in _get(merchant, path).body.decode()


@pytest.mark.parametrize("steps", [[], [("phone", "")], [("phone", "62857957868761"), ("otp", "123456")]])
def test_cancel_at_each_step(merchant: HttpMerchant, steps: list[tuple[str, str]]) -> None:
    path, code = _page(merchant)
    for action, value in steps:
        _post(merchant, path, action, value or "62857957868761")
    cancelled = _post(merchant, path, "cancel")
    assert (cancelled.status, cancelled.headers["location"]) == (303, "https://shop.test/bind/failed")
    request = {"grantType": "authorization_code", "authCode": code}
    assert answered(merchant.ask_token(B2B2C, request)) == "4017400"


@pytest.mark.parametrize(
    ("before", "action", "value", "text"),
    [
        ([], "phone", "62811", "This is not the number"),
        ([("phone", "62857957868761")], "otp", "000000", "The OTP code is wrong"),
        ([("phone", "62857957868761")], "otp", "999999", "has expired"),
        ([("phone", "62857957868761"), ("otp", "123456")], "pin", "000000", "The PIN is wrong"),
    ],
)
def test_errors_are_tied_to_the_field(
    merchant: HttpMerchant, before: list[tuple[str, str]], action: str, value: str, text: str
) -> None:
    path, _ = _page(merchant)
    for earlier in before:
        _post(merchant, path, *earlier)
    refused = _post(merchant, f"{path}?lang=en", action, value)
    shown = refused.body.decode()
    assert refused.status == 422
    assert text in shown
    assert 'role="alert" id="error"' in shown
    assert f'aria-invalid="true" aria-describedby="error hint-{action}"' in shown
    assert "<title>Please check" in shown


def test_both_languages_and_the_headers(merchant: HttpMerchant) -> None:
    path, _ = _page(merchant)
    indonesian, english = _get(merchant, path), _get(merchant, f"{path}?lang=en")
    assert '<html lang="id">' in indonesian.body.decode()
    assert "Link your CIMB account" in english.body.decode()
    assert "default-src 'none'" in indonesian.headers["content-security-policy"]
    assert indonesian.headers["cache-control"] == "no-store"
    assert not re.search(rb"<script|https?://(?!shop\.test)", english.body)


def test_unknown_links_and_odd_forms(merchant: HttpMerchant) -> None:
    assert _get(merchant, "/direct-debit/ui/binding/core/1").status == 404
    assert _post(merchant, "/direct-debit/ui/binding/core/1", "phone").status == 404
    path, _ = _page(merchant)
    assert merchant.handle("POST", path, FORM, b"x" * 20_000).status == 303
    assert _post(merchant, path, "pin", "135790").status == 303
    assert b"hint-phone" in _get(merchant, path).body


def test_a_new_otp_can_be_asked_for(merchant: HttpMerchant) -> None:
    path, _ = _page(merchant)
    _post(merchant, path, "phone", "62857957868761")
    merchant.control("clock", {"shift": 301})
    assert _post(merchant, path, "otp", "123456").status == 422
    assert _post(merchant, path, "resend").status == 303
    assert _post(merchant, path, "otp", "123456").status == 303
    assert b"hint-pin" in _get(merchant, path).body


def test_what_the_customer_is_called_cannot_become_markup(merchant: HttpMerchant) -> None:
    bound = json.loads(merchant.bind("<b>CUST</b>").body)
    shown = _get(merchant, urlsplit(bound["redirectUrl"]).path).body
    assert b"<b>CUST" not in shown
    assert b"&lt;b&gt;CUST" in shown
