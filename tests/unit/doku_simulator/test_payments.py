"""Payments: magic amounts, OTP, status, the ledger."""

import pytest

from tests.unit.doku_simulator.merchant import (
    BALANCE,
    OTP,
    PAY,
    PHONE,
    STATUS,
    balance_body,
    merchant,
    otp_body,
    parsed,
    payment_body,
    status_body,
)


@pytest.mark.parametrize(
    ("amount", "code"),
    [("10014.00", "4035414"), ("10002.00", "4035402"), ("10007.00", "4035407"), ("10023.00", "4035423")],
)
def test_magic_amounts_decline(amount: str, code: str) -> None:
    sender = merchant()
    token = sender.link()
    answer = sender.pay(token, amount=amount)
    assert (answer.status, answer.code) == (403, code)
    assert sender.simulator.bank.ledger == []
    status = parsed(sender.status())
    assert (status["latestTransactionStatus"], status["originalResponseCode"]) == ("06", code)
    assert sender.verify(token).code == "4040406"


def test_an_ordinary_payment_waits_for_the_otp_and_debits_once() -> None:
    sender = merchant()
    token = sender.link()
    answer = sender.pay(token)
    assert (answer.status, answer.code) == (403, "4035413")
    assert parsed(answer)["partnerReferenceNo"] == "PAY000000001"
    pending = parsed(sender.status())
    assert (pending["latestTransactionStatus"], pending["originalResponseCode"]) == ("03", "4035413")
    assert sender.simulator.bank.ledger == []

    assert sender.verify(token).code == "2000400"
    (entry,) = sender.simulator.bank.ledger
    assert (entry.kind, entry.reference, entry.value, entry.customer) == (
        "debit",
        "PAY000000001",
        "10000.00",
        "CUST-1",
    )
    paid = parsed(sender.status())
    assert paid["latestTransactionStatus"] == "00"
    assert paid["originalReferenceNo"] == parsed(answer)["referenceNo"]
    assert paid["paidTime"] == "2026-03-02T10:00:00+07:00"
    assert sender.verify(token).code == "4040406"
    assert len(sender.simulator.bank.ledger) == 1


def test_a_lost_answer_amount_debits_and_times_out() -> None:
    sender = merchant()
    answer = sender.pay(sender.link(), amount="10504.00")
    assert (answer.status, answer.code) == (504, "5045400")
    assert [entry.amount for entry in sender.simulator.bank.ledger] == [1_050_400]
    assert parsed(sender.status())["latestTransactionStatus"] == "00"


def test_an_in_progress_amount_is_debited_later() -> None:
    sender = merchant()
    answer = sender.pay(sender.link(), amount="10202.00")
    assert (answer.status, answer.code) == (202, "2025400")
    assert parsed(sender.status())["latestTransactionStatus"] == "02"
    assert sender.simulator.bank.ledger == []
    sender.clock.forward(2)
    assert parsed(sender.status())["latestTransactionStatus"] == "00"
    assert len(sender.simulator.bank.ledger) == 1


def test_a_payment_may_fail_after_its_otp() -> None:
    sender = merchant()
    token = sender.link()
    sender.pay(token, amount="10006.00")
    assert sender.verify(token).code == "2000400"
    assert sender.simulator.bank.ledger == []
    assert parsed(sender.status())["latestTransactionStatus"] == "06"


def test_money_that_is_not_there_is_refused_at_payment_and_at_otp() -> None:
    sender = merchant()
    token = sender.link()
    sender.simulator.bank.set_balance(PHONE, 999_999)
    assert sender.pay(token, "A").code == "4035414"
    sender.simulator.bank.set_balance(PHONE, 1_000_000)
    assert sender.pay(token, "B").code == "4035413"
    sender.simulator.bank.set_balance(PHONE, 0)
    assert sender.verify(token, "B").code == "4030414"
    assert sender.simulator.bank.ledger == []


def test_balance_follows_the_ledger() -> None:
    sender = merchant(opening_balance=150_000_000)
    token = sender.link()
    sender.paid(token)
    answer = sender.send(BALANCE, balance_body(), authorization_customer=f"Bearer {token}")
    assert (answer.status, answer.code) == (200, "2001100")
    assert parsed(answer)["accountInfos"] == [
        {"balanceType": "Cash", "availableBalance": {"value": "1490000.00", "currency": "IDR"}}
    ]


# -- OTP


def test_wrong_otps_and_the_third_blocks() -> None:
    sender = merchant()
    token = sender.link()
    sender.pay(token)
    assert [sender.verify(token, otp="000000").code for _ in range(3)] == ["4040415", "4040415", "4030411"]
    assert sender.verify(token).code == "4030411"
    assert parsed(sender.status())["latestTransactionStatus"] == "06"
    assert sender.simulator.bank.ledger == []


def test_a_right_otp_after_two_wrong_ones_pays() -> None:
    sender = merchant()
    token = sender.link()
    sender.pay(token)
    assert [sender.verify(token, otp=otp).code for otp in ("111111", "222222", "123456")] == [
        "4040415",
        "4040415",
        "2000400",
    ]


def test_the_magic_expired_otp() -> None:
    sender = merchant()
    token = sender.link()
    sender.pay(token)
    assert sender.verify(token, otp="999999").code == "4030412"
    assert sender.verify(token).code == "4030412"


@pytest.mark.parametrize(("age", "code"), [(300, "2000400"), (301, "4030412"), (3_600, "4030412")])
def test_an_otp_lives_five_minutes(age: float, code: str) -> None:
    sender = merchant()
    token = sender.link()
    sender.pay(token)
    sender.clock.forward(age)
    if age > 800:
        sender.login()
    assert sender.verify(token).code == code
    assert len(sender.simulator.bank.ledger) == (1 if code == "2000400" else 0)


def test_an_abandoned_otp_ends_as_failed() -> None:
    sender = merchant()
    sender.pay(sender.link())
    sender.clock.forward(301)
    status = parsed(sender.status())
    assert (status["latestTransactionStatus"], status["originalResponseCode"]) == ("06", "4035400")


def test_an_abandoned_otp_may_stay_pending_for_ever() -> None:
    sender = merchant({"otp_expiry_final": False})
    sender.pay(sender.link())
    sender.clock.forward(80_000)
    sender.login()
    assert parsed(sender.status())["latestTransactionStatus"] == "03"


@pytest.mark.parametrize(
    "purpose",
    [
        {"action": "otpPayment"},
        {"action": "OTPPAYMENT"},
        {"type": "PAYMENT"},
        {"type": "payment"},
        {"type": "PAYMENT", "action": "otpPayment"},
    ],
)
def test_both_forms_of_the_otp_purpose(purpose: dict[str, str]) -> None:
    sender = merchant()
    token = sender.link()
    sender.pay(token)
    body = otp_body(token)
    del body["action"]
    assert sender.send(OTP, body | purpose).code == "2000400"


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"action": None}, "4000402", "action"),
        ({"action": "otpLogin"}, "4000401", "action"),
        ({"type": "UNBINDING"}, "4000401", "action"),
        ({"originalPartnerReferenceNo": None}, "4000402", "originalPartnerReferenceNo"),
        ({"otp": "12345a"}, "4000401", "otp"),
        ({"otp": 123456}, "4000401", "otp"),
        ({"otp": ""}, "4000402", "otp"),
    ],
)
def test_bad_otp_requests(change: dict[str, object], code: str, field: str) -> None:
    sender = merchant()
    token = sender.link()
    sender.pay(token)
    answer = sender.send(OTP, otp_body(token) | change)
    assert answer.code == code
    assert parsed(answer)["responseMessage"].endswith(field)


def test_an_otp_needs_its_own_payment_and_token() -> None:
    sender = merchant()
    token, other = sender.link(), sender.link("CUST-2", "62811111111111")
    sender.pay(token)
    assert sender.verify(token, "NOTHING").code == "4040401"
    assert sender.verify(other).code == "4040401"
    assert sender.verify("stranger").code == "4010402"
    mixed = sender.send(OTP, otp_body(token), authorization_customer=f"Bearer {other}")
    assert mixed.code == "4010402"
    assert sender.simulator.bank.ledger == []


# -- status


def test_status_finds_by_any_reference_and_takes_both_service_codes() -> None:
    sender = merchant()
    token = sender.link()
    paid = parsed(sender.pay(token, x_external_id="4711"))
    extra = {"serviceCode": "55", "additionalInfo": {"channel": "DIRECT_DEBIT_CIMB_SNAP"}}
    for wanted in (
        {"originalReferenceNo": paid["referenceNo"]},
        {"originalExternalId": "4711"},
        {"originalPartnerReferenceNo": "PAY000000001", "originalExternalId": "4711"},
    ):
        assert parsed(sender.send(STATUS, wanted | extra))["latestTransactionStatus"] == "03"
    mismatch = {"originalPartnerReferenceNo": "PAY000000001", "originalExternalId": "4712"}
    assert sender.send(STATUS, mismatch | extra).code == "4045501"
    assert sender.send(STATUS, extra).code == "4005502"
    assert sender.send(STATUS, status_body() | {"serviceCode": "56"}).code == "4005501"


def test_an_unknown_payment_is_a_code_or_a_status() -> None:
    by_code, by_status = merchant(), merchant({"not_found_as": "status"})
    assert (by_code.status("X").status, by_code.status("X").code) == (404, "4045501")
    answer = by_status.status("X")
    assert (answer.status, answer.code, parsed(answer)["latestTransactionStatus"]) == (200, "2005500", "07")


def test_a_lagging_status_tells_old_truths() -> None:
    sender = merchant({"status_lag": 60})
    token = sender.link()
    sender.pay(token)
    sender.clock.forward(30)
    assert sender.status().code == "4045501"
    sender.verify(token)
    sender.clock.forward(59)
    assert parsed(sender.status())["latestTransactionStatus"] == "03"
    sender.clock.forward(1)
    assert parsed(sender.status())["latestTransactionStatus"] == "00"


def test_a_late_success() -> None:
    sender = merchant({"success_delay": (1_800.0, 3_600.0)})
    token = sender.link()
    sender.pay(token)
    assert sender.verify(token).code == "2000400"
    sender.clock.forward(1_799)
    sender.login()
    assert parsed(sender.status())["latestTransactionStatus"] == "02"
    sender.clock.forward(1_801)
    sender.login()
    assert parsed(sender.status())["latestTransactionStatus"] == "00"
    (entry,) = sender.simulator.bank.ledger
    assert 1_800 <= (entry.at - sender.clock.now).total_seconds() + 3_600 <= 3_600


# -- replay


def test_the_same_request_again_gives_the_first_answer_under_409() -> None:
    sender = merchant()
    token = sender.link()
    first = sender.pay(token)
    again = sender.again()
    assert (again.status, again.body, again.code) == (409, first.body, "4035413")
    assert len(sender.simulator.world.all_payments()) == 1


def test_the_same_external_id_with_another_body_is_a_conflict() -> None:
    sender = merchant()
    token = sender.link()
    sender.pay(token, x_external_id="99")
    assert sender.pay(token, "OTHER", x_external_id="99").code == "4095400"
    assert sender.status("OTHER").code == "4045501"


def test_the_external_id_is_new_again_on_the_next_day_in_jakarta() -> None:
    sender = merchant()
    token = sender.link()
    sender.pay(token, x_external_id="99")
    sender.clock.forward(14 * 3_600 - 1)
    sender.login()
    assert sender.pay(token, "B", x_external_id="99").code == "4095400"
    sender.clock.forward(1)
    assert sender.pay(token, "C", x_external_id="99").code == "4035413"


def test_refused_requests_are_remembered_too() -> None:
    sender = merchant()
    assert sender.send(PAY, {}, x_external_id="5").code == "4005402"
    assert sender.again().status == 409


def test_a_reference_is_used_once() -> None:
    sender = merchant()
    token = sender.link()
    assert sender.pay(token).code == "4035413"
    assert sender.pay(token).code == "4035413"
    assert sender.pay(token, amount="10001.00").code == "4045418"
    assert sender.verify(token).code == "2000400"
    answer = sender.pay(token)
    assert (answer.status, answer.code) == (409, "4095401")
    assert len(sender.simulator.bank.ledger) == 1


def test_a_reposted_reference_is_found_by_each_of_its_external_ids() -> None:
    sender = merchant()
    token = sender.link()
    sender.pay(token, x_external_id="1001")
    sender.pay(token, x_external_id="1002")
    for external_id in ("1001", "1002"):
        assert sender.status(originalExternalId=external_id).code == "2005500"


def test_a_failed_reference_stays_failed() -> None:
    sender = merchant()
    token = sender.link()
    sender.pay(token)
    sender.verify(token, otp="999999")
    assert sender.pay(token).code == "4035400"


@pytest.mark.parametrize(
    ("refused_by", "same_id", "same_reference"),
    [
        ("both", "4035413/409", "4095401"),
        ("external_id", "4035413/409", "4035413"),
        ("reference", "4095401/409", "4095401"),
        ("neither", "4035413/403", "4035413"),
    ],
)
def test_what_a_provider_refuses_twice(refused_by: str, same_id: str, same_reference: str) -> None:
    sender = merchant({"duplicate_refused_by": refused_by})
    token = sender.link()
    sender.pay(token)
    request = sender.last
    sender.verify(token)
    again = sender.simulator.handle("POST", *request)
    assert f"{again.code}/{again.status}" == same_id
    assert sender.pay(token).code == same_reference
    sender.verify(token)
    debits = len(sender.simulator.bank.ledger)
    assert debits == (1 if refused_by in ("both", "reference") else 2)


def test_payments_without_otp() -> None:
    sender = merchant({"otp_required": False})
    answer = sender.pay(sender.link())
    assert (answer.status, answer.code) == (200, "2005400")
    assert len(sender.simulator.bank.ledger) == 1


def test_switches_for_http_statuses() -> None:
    sender = merchant({"otp_pending_as_200": True, "balance_as_201": True, "balance_shape": "amount"})
    token = sender.link()
    answer = sender.pay(token)
    assert (answer.status, answer.code) == (200, "4035413")
    balance = sender.send(BALANCE, balance_body(), authorization_customer=f"Bearer {token}")
    assert (balance.status, balance.code) == (201, "2001100")
    assert set(parsed(balance)["accountInfos"][0]) == {"balanceType", "amount", "flatAmount", "holdAmount"}


@pytest.mark.parametrize(
    "value",
    [
        "10000",
        "10000.0",
        "10000.000",
        "1e4",
        "-1.00",
        "NaN",
        "10,000.00",
        "\u0661\u0660.\u0660\u0660",
        "12345678901234567.00",
        10000,
    ],
)
def test_odd_amounts_are_refused(value: object) -> None:
    sender = merchant()
    body = payment_body()
    body["amount"]["value"] = value
    answer = sender.send(PAY, body, authorization_customer=f"Bearer {sender.link()}")
    assert (answer.code, parsed(answer)["responseMessage"]) == ("4005401", "Invalid Field Format amount.value")
