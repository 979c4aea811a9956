"""Linking, the customer's pages, tokens, unlinking."""

import pytest

from tests.unit.doku_simulator.merchant import (
    B2B,
    B2B2C,
    BIND,
    OTP,
    PHONE,
    UNBIND,
    binding_body,
    merchant,
    otp_body,
    parsed,
    unbind_body,
)
from tools.doku_simulator.records import PageStep


def test_a_binding_starts_pending_with_a_page_and_an_auth_code() -> None:
    sender = merchant()
    answer = sender.bind()
    document = parsed(answer)
    assert (answer.status, answer.code) == (200, "2000700")
    code = document["additionalInfo"]["authCode"]
    assert len(code) == 40
    assert code.isdigit()
    assert document["redirectUrl"] == f"https://sandbox.doku.com/direct-debit/ui/binding/core/{code}"
    assert document["additionalInfo"] == {"custIdMerchant": "CUST-1", "status": "PENDING", "authCode": code}
    assert sender.ask_token(B2B2C, {"grantType": "authorization_code", "authCode": code}).code == "4017400"


@pytest.mark.parametrize(("phone", "code"), [("62857957860015", "4030715"), ("62857957860018", "4030718")])
def test_magic_phones(phone: str, code: str) -> None:
    assert merchant().bind(phone=phone).code == code


@pytest.mark.parametrize("phone", ["62857957", "62857957868761234", "+62857957868", "62-8579578687"])
def test_odd_phones(phone: str) -> None:
    answer = merchant().bind(phone=phone)
    assert (answer.code, parsed(answer)["responseMessage"]) == ("4000701", "Invalid Field Format phoneNo")


@pytest.mark.parametrize("name", ["channel", "custIdMerchant", "successRegistrationUrl", "failedRegistrationUrl"])
def test_missing_fields_are_named(name: str) -> None:
    body = binding_body()
    del body["additionalInfo"][name]
    answer = merchant().send(BIND, body)
    assert (answer.code, parsed(answer)["responseMessage"]) == (
        "4000702",
        f"Invalid Mandatory Field additionalInfo.{name}",
    )


def test_the_pages_step_by_step() -> None:
    sender = merchant()
    pages = sender.simulator.customer
    code = parsed(sender.bind())["additionalInfo"]["authCode"]
    view = pages.open(code)
    assert (view.step, view.masked_phone) == (PageStep.PHONE, "••••761")
    assert pages.enter_pin(code, "135790").step is PageStep.PHONE
    assert pages.enter_phone(code, "62811").error == "wrong_phone"
    assert pages.enter_phone(code, PHONE).step is PageStep.OTP
    assert pages.enter_otp(code, "000000").error == "wrong_otp"
    assert pages.enter_otp(code, "999999").error == "otp_expired"
    sender.clock.forward(301)
    assert pages.enter_otp(code, "123456").error == "otp_expired"
    assert pages.resend_otp(code).step is PageStep.OTP
    assert pages.enter_otp(code, "123456").step is PageStep.PIN
    assert pages.enter_pin(code, "000000").error == "wrong_pin"
    assert pages.enter_pin(code, "12345").error == "wrong_pin"
    done = pages.enter_pin(code, "135790")
    assert (done.step, done.linked, done.redirect_url) == (PageStep.DONE, True, "https://shop.test/bind/ok")
    assert pages.refuse(code).linked
    assert sender.exchange(code)


def test_three_wrong_otps_or_pins_end_the_binding() -> None:
    sender = merchant()
    pages = sender.simulator.customer
    code = parsed(sender.bind())["additionalInfo"]["authCode"]
    pages.enter_phone(code)
    views = [pages.enter_otp(code, "111111") for _ in range(3)]
    assert views[-1].redirect_url == "https://shop.test/bind/failed"
    code = parsed(sender.bind())["additionalInfo"]["authCode"]
    pages.enter_phone(code)
    pages.enter_otp(code, "123456")
    assert [pages.enter_pin(code, "000000").step for _ in range(3)][-1] is PageStep.DONE
    assert sender.ask_token(B2B2C, {"grantType": "authorization_code", "authCode": code}).code == "4017400"


def test_the_customer_may_refuse_and_the_page_expires() -> None:
    sender = merchant()
    pages = sender.simulator.customer
    refused = parsed(sender.bind())["additionalInfo"]["authCode"]
    assert pages.complete(refused, "failed").redirect_url == "https://shop.test/bind/failed"
    left = parsed(sender.bind())["additionalInfo"]["authCode"]
    sender.clock.forward(1_800)
    assert pages.open(left).redirect_url == "https://shop.test/bind/failed"
    assert not pages.complete(left).linked
    with pytest.raises(KeyError):
        pages.open("nothing")


def test_one_account_one_customer() -> None:
    sender = merchant()
    late = parsed(sender.bind("CUST-2"))["additionalInfo"]["authCode"]
    sender.link("CUST-1")
    answer = sender.bind("CUST-2")
    assert answer.code == "4030715"
    assert parsed(answer)["responseMessage"].endswith("Account already registered by another customer")
    assert not sender.simulator.customer.complete(late).linked


def test_the_same_customer_may_link_again_and_the_old_tokens_die() -> None:
    sender = merchant()
    old = sender.link()
    new = sender.link()
    assert sender.pay(old).code == "4015402"
    assert sender.pay(new, "B").code == "4035413"


def test_a_provider_may_refuse_to_link_again() -> None:
    sender = merchant({"rebind_same_customer": "refuse"})
    sender.link()
    answer = sender.bind()
    assert (answer.code, parsed(answer)["responseMessage"]) == (
        "4030715",
        "Transaction Not Permitted. Account Already Registered",
    )


# -- tokens


def test_a_b2b_token_lives_900_seconds() -> None:
    sender = merchant()
    document = parsed(sender.ask_token())
    assert (document["expiresIn"], document["tokenType"]) == (900, "Bearer")
    sender.clock.forward(899)
    assert sender.bind().code == "2000700"
    sender.clock.forward(1)
    assert sender.bind().code == "4010701"


def test_only_the_newest_b2b_token_counts_if_so_configured() -> None:
    for newest_only, code in ((True, "4010701"), (False, "2000700")):
        sender = merchant({"newest_b2b_token_only": newest_only})
        old = sender.token
        sender.login()
        sender.token = old
        assert sender.bind().code == code


@pytest.mark.parametrize(
    ("change", "code"),
    [({"client": "OTHER"}, "4017300"), ({"signature": "AAAA"}, "4017300"), ({"timestamp": "2026-03-02"}, "4007301")],
)
def test_bad_token_requests(change: dict[str, str], code: str) -> None:
    assert merchant().ask_token(B2B, None, **change).code == code


def test_the_asymmetric_check_may_be_off() -> None:
    sender = merchant(verify_asymmetric=False)
    assert sender.ask_token(signature="AAAA").code == "2007300"


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({}, "4007402"),
        ({"grantType": "password"}, "4007401"),
        ({"grantType": "authorization_code"}, "4007402"),
        ({"grantType": "refresh_token"}, "4007402"),
        ({"grantType": "authorization_code", "authCode": "unknown"}, "4017400"),
        ({"grantType": "refresh_token", "refreshToken": "unknown"}, "4017400"),
    ],
)
def test_bad_customer_token_requests(document: dict[str, str], code: str) -> None:
    assert merchant().ask_token(B2B2C, document).code == code


def test_customer_tokens_are_refreshed_and_the_auth_code_is_reusable() -> None:
    sender = merchant()
    code = parsed(sender.bind())["additionalInfo"]["authCode"]
    sender.simulator.customer.complete(code)
    first = parsed(sender.ask_token(B2B2C, {"grantType": "authorization_code", "authCode": code}))
    assert first["accessTokenExpiryTime"] == "2026-03-17T10:00:00+07:00"
    refresh = {"grantType": "refresh_token", "refreshToken": first["refreshToken"]}
    second = parsed(sender.ask_token(B2B2C, refresh))
    assert second["accessToken"] != first["accessToken"]
    assert sender.ask_token(B2B2C, refresh).code == "4017400"
    assert sender.pay(first["accessToken"], "A").code == "4035413"
    assert sender.pay(second["accessToken"], "B").code == "4035413"
    assert sender.exchange(code)


def test_a_refresh_token_may_be_reusable_and_old_access_tokens_may_die() -> None:
    sender = merchant({"refresh_token_rotates": False, "newest_customer_token_only": True})
    code = parsed(sender.bind())["additionalInfo"]["authCode"]
    sender.simulator.customer.complete(code)
    first = parsed(sender.ask_token(B2B2C, {"grantType": "authorization_code", "authCode": code}))
    refresh = {"grantType": "refresh_token", "refreshToken": first["refreshToken"]}
    assert sender.ask_token(B2B2C, refresh).code == "2007400"
    assert sender.ask_token(B2B2C, refresh).code == "2007400"
    assert sender.pay(first["accessToken"]).code == "4015402"


def test_tokens_expire_on_demand() -> None:
    sender = merchant()
    one, two = sender.link(), sender.link("CUST-2", "62811111111111")
    sender.simulator.expire_customer_tokens("CUST-1")
    assert sender.pay(one, "A").code == "4015402"
    assert sender.pay(two, "B").code == "4035413"
    sender.simulator.expire_b2b_tokens()
    assert sender.pay(two, "C").code == "4015401"


def test_an_unlink_at_the_bank_shows_at_the_next_call_only() -> None:
    sender = merchant()
    code = parsed(sender.bind())["additionalInfo"]["authCode"]
    sender.simulator.customer.complete(code)
    token = sender.exchange(code)
    assert sender.simulator.unlink_customer("CUST-1") == 1
    assert sender.simulator.unlink_customer("CUST-1") == 0
    assert sender.pay(token).code == "4015402"
    assert sender.ask_token(B2B2C, {"grantType": "authorization_code", "authCode": code}).code == "4017400"
    assert sender.bind("CUST-2").code == "2000700"


# -- unbinding


def test_unbinding_takes_effect_with_its_otp() -> None:
    sender = merchant()
    token = sender.link()
    answer = sender.send(UNBIND, unbind_body(token))
    assert (answer.status, answer.code) == (403, "4030913")
    assert sender.pay(token).code == "4035413"
    assert sender.send(OTP, otp_body(token, None)).code == "2000400"
    assert sender.pay(token, "B").code == "4015402"
    assert sender.send(UNBIND, unbind_body(token)).code == "4040911"
    assert sender.send(OTP, otp_body(token, None)).code == "4010402"


@pytest.mark.parametrize("purpose", [{"type": "UNBINDING"}, {"type": "unbinding"}, {"action": "OTPUNBIND"}])
def test_forms_of_the_unbinding_otp(purpose: dict[str, str]) -> None:
    sender = merchant()
    token = sender.link()
    sender.send(UNBIND, unbind_body(token))
    body = otp_body(token, None)
    del body["action"]
    assert sender.send(OTP, body | purpose).code == "2000400"


@pytest.mark.parametrize(("otps", "code"), [(["0", "0", "0"], "4030411"), (["999999"], "4030412")])
def test_a_failed_unbinding_leaves_the_account_linked(otps: list[str], code: str) -> None:
    sender = merchant()
    token = sender.link()
    assert sender.send(OTP, otp_body(token, None)).code == "4040406"
    sender.send(UNBIND, unbind_body(token))
    codes = [sender.send(OTP, otp_body(token, None, otp)).code for otp in otps]
    assert codes[-1] == code
    assert sender.send(OTP, otp_body(token, None)).code == "4040406"
    assert sender.pay(token).code == "4035413"


def test_unbinding_without_otp_and_of_dead_tokens() -> None:
    sender = merchant({"unbind_otp_required": False})
    token = sender.link()
    assert sender.send(UNBIND, unbind_body("stranger")).code == "4040911"
    sender.simulator.expire_customer_tokens()
    assert sender.send(UNBIND, unbind_body(token)).code == "4010902"
    token = sender.link()
    assert sender.send(UNBIND, unbind_body(token)).code == "2000900"


def test_legacy_paths_carry_the_token_in_the_body_and_the_channel_in_the_path() -> None:
    sender = merchant()
    legacy = "/direct-debit/cimb/v1.0"
    body = binding_body()
    del body["additionalInfo"]["channel"]
    bound = parsed(sender.send(f"{legacy}/registration-account-binding", body))
    code = bound["additionalInfo"]["authCode"]
    assert bound["redirectUrl"].endswith(f"/direct-debit/ui/binding/{code}")
    sender.simulator.customer.complete(code)
    token = sender.exchange(code)
    assert sender.send(f"{legacy}/balance-inquiry", {"bankCardToken": token}).code == "2001100"
    assert sender.send(f"{legacy}/balance-inquiry", {"bankCardToken": "stranger"}).code == "4011102"
    assert sender.send(f"{legacy}/balance-inquiry", {}).code == "4011104"
    payment = {"partnerReferenceNo": "L1", "amount": {"value": "10000.00", "currency": "IDR"}, "bankCardToken": token}
    assert sender.send(f"{legacy}/debit/payment-host-to-host", payment).code == "4035413"
