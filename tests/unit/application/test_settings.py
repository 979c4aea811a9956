"""The defaults of what an operator may choose, written out: a changed one has to say so twice."""

from dataclasses import asdict

from direct_debit.application.settings import Settings


def test_the_defaults_are_these() -> None:
    assert asdict(Settings(public_base_url="https://pay.example")) == {
        "public_base_url": "https://pay.example",
        "default_success_url": None,
        "default_failed_url": None,
        "allowed_return_hosts": (),
        "problem_type_base": None,
        "link_lease": 1800,
        "inquiry_schedule": (61, 90, 180, 600, 900, 1800, 7200, 21600, 86400),
        "otp_schedule": (360, 900, 1800, 7200, 21600, 86460),
        "refund_schedule": (61, 90, 180, 600, 900, 1800, 7200, 21600, 86400),
        "binding_schedule": (360, 900, 3600, 21600, 86400),
        "not_found_final": 900,
        "abandoned_otp": 86400,
        "refresh_min": 60,
        "first_inquiry": 60,
        "claim_lease": 120,
        "repost_after_not_found": False,
        "late_success": "refund",
        "max_open_payments": 20,
        "max_payments_per_day": 50,
        "max_pages_per_day": 20,
        "max_unlinkings_per_day": 10,
        "max_otp_attempts": 5,
        "token_renew_before": 90,
        "token_lease": 10,
        "circuit_failures": 5,
        "circuit_window": 60,
        "circuit_open": 30,
    }
