"""Values to which the bank answers in a way of its own (contract section 8): for tests, and for who tries the API."""

from collections.abc import Mapping

RIGHT_OTP = "123456"
EXPIRED_OTP = "999999"
WRONG_PIN = "000000"

TAKEN_PHONE_SUFFIX = "0015"
INACTIVE_PHONE_SUFFIX = "0018"

# Amounts in sen.
DECLINED_AMOUNTS: Mapping[int, str] = {1_001_400: "40314", 1_000_200: "40302", 1_000_700: "40307", 1_002_300: "40323"}
LOST_ANSWER_AMOUNT = 1_050_400
IN_PROGRESS_AMOUNT = 1_020_200
FAILS_AFTER_OTP_AMOUNT = 1_000_600
