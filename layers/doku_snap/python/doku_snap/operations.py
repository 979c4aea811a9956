"""The calls to DOKU, by the name of what they do (contract section 1)."""

from enum import StrEnum


class Operation(StrEnum):
    """A call of ours to DOKU; `service` is its SNAP service code, the middle digits of its response codes."""

    REQUEST_B2B_TOKEN = "request_b2b_token"  # noqa: S105  the name of a call
    REQUEST_CUSTOMER_TOKEN = "request_customer_token"  # noqa: S105  the name of a call
    BIND_ACCOUNT = "bind_account"
    VERIFY_OTP = "verify_otp"
    INQUIRE_BALANCE = "inquire_balance"
    MAKE_PAYMENT = "make_payment"
    INQUIRE_STATUS = "inquire_status"
    REFUND_PAYMENT = "refund_payment"
    UNBIND_ACCOUNT = "unbind_account"

    @property
    def service(self) -> str:
        """SNAP service code, two digits."""
        return _SERVICES[self]

    @property
    def is_read(self) -> bool:
        """Reads change nothing at DOKU, so a lost answer may simply be asked for again."""
        return self in _READS


_SERVICES = {
    Operation.REQUEST_B2B_TOKEN: "73",
    Operation.REQUEST_CUSTOMER_TOKEN: "74",
    Operation.BIND_ACCOUNT: "07",
    Operation.VERIFY_OTP: "04",
    Operation.INQUIRE_BALANCE: "11",
    Operation.MAKE_PAYMENT: "54",
    Operation.INQUIRE_STATUS: "55",
    Operation.REFUND_PAYMENT: "58",
    Operation.UNBIND_ACCOUNT: "09",
}
_READS = frozenset(
    {
        Operation.REQUEST_B2B_TOKEN,
        Operation.REQUEST_CUSTOMER_TOKEN,
        Operation.INQUIRE_BALANCE,
        Operation.INQUIRE_STATUS,
    }
)
