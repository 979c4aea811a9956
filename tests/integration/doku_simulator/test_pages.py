"""CIMB's pages walked by HTTP, without a browser."""

import json
import re
from urllib.parse import urlencode, urlsplit

import pytest

from tests.integration.doku_simulator.running import HttpMerchant, answered
from tests.unit.doku_simulator.merchant import B2B2C
from tools.doku_simulator.records import SimulatedResponse

MAGIC_AMOUNTS = ("10014.00", "10002.00", "10007.00", "10023.00", "10504.00", "10202.00", "10006.00")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def _page(merchant: HttpMerchant) -> tuple[str, str]:
    """Path of a new binding's page, and its auth code."""
    bound = json.loads(merchant.bind().body)
    return urlsplit(bound["redirectUrl"]).path, bound["additionalInfo"]["authCode"]


def _get(merchant: HttpMerchant, path: str) -> SimulatedResponse:
    return merchant.handle("GET", path, {}, b"")


def _post(merchant: HttpMerchant, path: str, action: str, value: str = "") -> SimulatedResponse:
    return merchant.handle("POST", path, FORM, urlencode({"action": action, "value": value}).encode())


def _room(merchant: HttpMerchant, path: str) -> int:
    """How many characters a browser lets into the field: what is pasted beyond them is cut off."""
    found = re.search(rb'maxlength="(\d+)"', _get(merchant, path).body)
    assert found is not None
    return int(found[1])


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


@pytest.mark.parametrize("value", ["", "12345", "1234567", "abcdef", "\uff11\uff12\uff13\uff14\uff15\uff16", " - "])
@pytest.mark.parametrize("action", ["otp", "pin"])
def test_what_is_no_code_is_no_try(merchant: HttpMerchant, action: str, value: str) -> None:
    path, _ = _page(merchant)
    _post(merchant, path, "phone", "62857957868761")
    if action == "pin":
        _post(merchant, path, "otp", "123456")
    for _ in range(4):
        told = _post(merchant, f"{path}?lang=en", action, value)
        assert told.status == 422
        assert "This did not count as a try." in told.body.decode()
    assert _post(merchant, path, action, "123456").status == 303


@pytest.mark.parametrize("value", ["123 456", "123-456", " 123456 ", "1 2 3 4 5 6"])
def test_a_code_as_people_read_it_out_is_taken(merchant: HttpMerchant, value: str) -> None:
    path, _ = _page(merchant)
    _post(merchant, path, "phone", "62857957868761")
    assert _room(merchant, path) >= len(value)
    assert _post(merchant, path, "otp", value).status == 303
    assert _room(merchant, path) >= len(value)
    done = _post(merchant, path, "pin", value)
    assert (done.status, done.headers["location"]) == (303, "https://shop.test/bind/ok")


@pytest.mark.parametrize(
    ("action", "value", "why"), [("otp", "111111", "The code was wrong three times"), ("pin", "000000", "The PIN was")]
)
def test_the_customer_is_told_why_it_has_ended(merchant: HttpMerchant, action: str, value: str, why: str) -> None:
    path, _ = _page(merchant)
    _post(merchant, path, "phone", "62857957868761")
    if action == "pin":
        _post(merchant, path, "otp", "123456")
    for _ in range(2):
        assert "Account not linked" not in _post(merchant, f"{path}?lang=en", action, value).body.decode()
    ended = _post(merchant, f"{path}?lang=en", action, value)
    assert ended.status == 422
    assert why in ended.body.decode()
    assert 'href="https://shop.test/bind/failed"' in ended.body.decode()


def test_the_first_page_filters_watches_and_acts(merchant: HttpMerchant) -> None:
    merchant.link_account("CUST-1", "62857957868761")
    merchant.link_account("CUST-2", "62857957868762")
    everything = _get(merchant, "/").body.decode()
    assert "CUST-1" in everything
    assert "CUST-2" in everything
    assert 'http-equiv="refresh"' not in everything
    for value in ("123456", "999999", "000000", "ending 0015", "ending 0018", *MAGIC_AMOUNTS):
        assert f"<td>{value}</td>" in everything
    some = _get(merchant, "/?q=cust-2&watch=1").body.decode()
    assert "CUST-1" not in some
    assert "CUST-2" in some
    assert '<meta http-equiv="refresh" content="5">' in some
    before = merchant.control("state")["shiftSeconds"]
    pressed = merchant.handle("POST", "/?q=cust-2", FORM, b"do=hour")
    assert (pressed.status, pressed.headers["location"]) == (303, "/?q=cust-2")
    assert merchant.control("state")["shiftSeconds"] == before + 3600
    merchant.handle("POST", "/", FORM, b"do=lose")
    assert merchant.control("state")["dials"] == [{"operation": "payment", "fault": "drop", "count": 1}]
    merchant.handle("POST", "/", FORM, b"do=clear")
    assert merchant.control("state")["dials"] == []
    assert merchant.handle("POST", "/", FORM, b"do=nonsense").status == 303


def test_a_filter_cannot_become_markup(merchant: HttpMerchant) -> None:
    shown = _get(merchant, "/?q=%22%3E%3Cscript%3E").body.decode()
    assert "<script>" not in shown


def test_a_browsers_icon_is_no_request_to_doku(merchant: HttpMerchant) -> None:
    before = len(merchant.control("requests")["requests"])
    assert _get(merchant, "/favicon.ico").status == 204
    assert len(merchant.control("requests")["requests"]) == before
