"""The environment: complete and right, or refused by the names of what is wrong."""

import pytest

from direct_debit.application.settings import LateSuccess
from direct_debit.entrypoint import container
from direct_debit.entrypoint.settings import ConfigurationError, read_environment
from tests.fakes.environment import COMPLETE


def test_the_defaults() -> None:
    environment = read_environment(COMPLETE)
    assert environment.settings.public_base_url == "https://pay.example/v1"
    assert environment.settings.late_success is LateSuccess.REFUND
    assert environment.settings.inquiry_schedule[0] == 61
    assert not environment.settings.repost_after_not_found
    assert (environment.doku_paths, environment.doku_otp_field) == ("core", "action")
    assert (environment.doku_otp_payment_value, environment.doku_otp_unbind_value) == ("otpPayment", "otpUnbind")
    assert environment.doku_channel_id == "H2H"
    assert environment.timestamp_window == 300
    assert environment.settings.claim_lease == 120
    assert environment.doku_untied_fields == frozenset()


def test_everything_can_be_chosen() -> None:
    chosen = {
        **COMPLETE,
        "DOKU_PATHS": "legacy",
        "ALLOWED_RETURN_HOSTS": "shop.example, 127.0.0.1:8080",
        "DEFAULT_SUCCESS_URL": "https://shop.example/ok",
        "DEFAULT_FAILED_URL": "http://127.0.0.1:8080/no",
        "INQUIRY_SCHEDULE_SECONDS": "1,2,3",
        "FIRST_INQUIRY_SECONDS": "1",
        "CLAIM_LEASE_SECONDS": "90",
        "DOKU_UNTIED_FIELDS": "serviceCode, refundHistory.refundAmount",
        "LATE_SUCCESS": "accept",
        "REPOST_AFTER_NOT_FOUND": "true",
        "REFRESH_MIN_SECONDS": "0",
        "LOG_LEVEL": "debug",
        "AWS_CLIENTS": "BotoCore",
    }
    environment = read_environment(chosen)
    settings = environment.settings
    assert (environment.doku_otp_field, environment.doku_otp_payment_value) == ("type", "PAYMENT")
    assert settings.allowed_return_hosts == ("shop.example", "127.0.0.1:8080")
    assert settings.default_failed_url == "http://127.0.0.1:8080/no"
    assert settings.inquiry_schedule == (1, 2, 3)
    assert settings.claim_lease == 90
    assert environment.doku_untied_fields == {"serviceCode", "refundHistory.refundAmount"}
    assert settings.late_success is LateSuccess.ACCEPT
    assert settings.repost_after_not_found
    assert settings.refresh_min == 0
    assert environment.log_level == "DEBUG"
    assert environment.aws_way == "botocore"


@pytest.mark.parametrize("name", COMPLETE)
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_variable_is_named(name: str, value: str | None) -> None:
    variables = {key: text for key, text in COMPLETE.items() if key != name}
    if value is not None:
        variables[name] = value
    with pytest.raises(ConfigurationError, match=f"{name} is missing"):
        read_environment(variables)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DOKU_BASE_URL", "http://api.doku.com"),
        ("DOKU_BASE_URL", "api.doku.com"),
        ("DOKU_BASE_URL", "https://user@api.doku.com"),
        ("PUBLIC_BASE_URL", "https://pay.example/v1?x=1"),
        ("PUBLIC_BASE_URL", "ftp://pay.example"),
        ("PUBLIC_BASE_URL", "https://pay.example/v 1"),
        ("PUBLIC_BASE_URL", "https://m\u00fcller.example"),
        ("PUBLIC_BASE_URL", "https://pay.example/" + "x" * 1024),
        ("DOKU_BASE_URL", "https://api.doku.com:0"),
        ("DEFAULT_SUCCESS_URL", "http://shop.example"),
        ("DEFAULT_SUCCESS_URL", "https://shop.example/a page"),
        ("DEFAULT_FAILED_URL", "https://m\u00fcller.example/no"),
        ("DEFAULT_FAILED_URL", "https://shop.example\\no"),
        ("DEFAULT_FAILED_URL", "https://shop.example/" + "x" * 2048),
        ("ALLOWED_RETURN_HOSTS", "https://shop.example"),
        ("ALLOWED_RETURN_HOSTS", "shop.example/path"),
        ("DOKU_PATHS", "new"),
        ("DOKU_OTP_FIELD", "kind"),
        ("DOKU_OTP_PAYMENT_VALUE", "otp payment"),
        ("DOKU_OTP_PAYMENT_VALUE", "otp1"),
        ("DOKU_CHANNEL_ID", "TOOLONG"),
        ("DOKU_STATUS_SERVICE_CODE", "56"),
        ("TIMESTAMP_WINDOW_SECONDS", "five"),
        ("TIMESTAMP_WINDOW_SECONDS", "0"),
        ("KEY_OVERLAP_SECONDS", "-1"),
        ("LINK_LEASE_SECONDS", "-1"),
        ("CLAIM_LEASE_SECONDS", "89"),
        ("INQUIRY_SCHEDULE_SECONDS", "59,90"),
        ("OTP_SCHEDULE_SECONDS", "59,90"),
        ("INQUIRY_SCHEDULE_SECONDS", "61,60"),
        ("INQUIRY_SCHEDULE_SECONDS", "0,60"),
        ("INQUIRY_SCHEDULE_SECONDS", "61;90"),
        ("REFUND_SCHEDULE_SECONDS", "61,61"),
        ("LATE_SUCCESS", "keep"),
        ("REPOST_AFTER_NOT_FOUND", "yes"),
        ("LOG_LEVEL", "LOUD"),
        ("AWS_CLIENTS", "boto4"),
    ],
)
def test_a_wrong_variable_is_named_without_its_value(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} must be") as caught:
        read_environment({**COMPLETE, name: value})
    assert value not in str(caught.value)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_environment({"LOG_LEVEL": "LOUD"})
    assert len(caught.value.problems) == len(COMPLETE) + 1


def test_a_function_fails_while_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "bind-account")
    monkeypatch.delenv("BINDINGS_TABLE", raising=False)
    with pytest.raises(ConfigurationError, match="BINDINGS_TABLE"):
        container.start()


def test_elsewhere_nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME", raising=False)
    container.start()


def test_the_credentials_are_in_one_secret_or_in_three() -> None:
    assert read_environment(COMPLETE).has_one_secret
    three = {"INBOUND_SECRET_ID": "i", "SIGNING_SECRET_ID": "s", "DATA_SECRET_ID": "d"}
    environment = read_environment({**COMPLETE, **three})
    assert not environment.has_one_secret
    found = (environment.inbound_secret_id, environment.signing_secret_id, environment.data_secret_id)
    assert found == ("i", "s", "d")
    taker = read_environment({**COMPLETE, **three, "DATA_SECRET_ID": "i"})
    assert (taker.has_one_secret, taker.seals_with_notice_keys) == (False, True)
    assert not environment.seals_with_notice_keys
    for name in ("INBOUND_SECRET_ID", "DATA_SECRET_ID"):
        with pytest.raises(ConfigurationError, match="SIGNING_SECRET_ID must name the secret of all parts, or one"):
            read_environment({**COMPLETE, name: "another"})
