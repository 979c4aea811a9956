"""One-time passwords: `123456` is right, `999999` is too late, everything else is wrong (contract section 8)."""

from datetime import datetime, timedelta
from enum import StrEnum

from tools.doku_simulator.magic_values import EXPIRED_OTP, RIGHT_OTP
from tools.doku_simulator.records import OtpChallenge


class OtpVerdict(StrEnum):
    """The outcome of one try; the values are the cases of the answer."""

    RIGHT = "20000"
    WRONG = "40415"
    BLOCKED = "40311"
    EXPIRED = "40312"


def judge(challenge: OtpChallenge, otp: str, now: datetime, *, lifetime: float, tries: int) -> OtpVerdict:
    """Judge one try and count it; the last wrong try blocks."""
    if otp == EXPIRED_OTP or now - challenge.sent_at > timedelta(seconds=lifetime):
        return OtpVerdict.EXPIRED
    if otp == RIGHT_OTP:
        return OtpVerdict.RIGHT
    challenge.wrong += 1
    return OtpVerdict.BLOCKED if challenge.wrong >= tries else OtpVerdict.WRONG
