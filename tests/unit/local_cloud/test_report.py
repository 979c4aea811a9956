from tools.local_cloud.journey import Step
from tools.local_cloud.report import table


def test_the_table_shows_each_step_and_why_one_failed() -> None:
    steps = [
        Step("pay", 201, "OTP_PENDING", 123.4, "4035413"),
        Step("verify OTP", 500, "", 7.0, "", "expected 200/202, got 500 {}"),
    ]
    assert table(steps).splitlines() == [
        "step                HTTP  state        ms   DOKU code",
        "------------------  ----  -----------  ---  ---------",
        "pay                 201   OTP_PENDING  123  4035413",
        "verify OTP  FAILED  500   -            7    -",
        "verify OTP: expected 200/202, got 500 {}",
    ]
