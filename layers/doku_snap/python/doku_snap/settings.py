"""How to speak to DOKU: environment, paths and every choice the contract marks as inferred (section 9)."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from doku_snap.errors import InvalidSetting
from doku_snap.operations import Operation
from doku_snap.ties import TIED_PATHS

SANDBOX_URL = "https://api-sandbox.doku.com"
PRODUCTION_URL = "https://api.doku.com"
CIMB_CHANNEL = "DIRECT_DEBIT_CIMB_SNAP"

CORE_PATHS: Mapping[Operation, str] = {
    Operation.REQUEST_B2B_TOKEN: "/authorization/v1/access-token/b2b",
    Operation.REQUEST_CUSTOMER_TOKEN: "/authorization/v1/access-token/b2b2c",
    Operation.BIND_ACCOUNT: "/direct-debit/core/v1/registration-account-binding",
    Operation.VERIFY_OTP: "/direct-debit/core/v1/otp-verification",
    Operation.INQUIRE_BALANCE: "/direct-debit/core/v1/balance-inquiry",
    Operation.MAKE_PAYMENT: "/direct-debit/core/v1/debit/payment-host-to-host",
    Operation.INQUIRE_STATUS: "/orders/v1.0/debit/status",
    Operation.REFUND_PAYMENT: "/direct-debit/core/v1/debit/refund",
    Operation.UNBIND_ACCOUNT: "/direct-debit/core/v1/registration-account-unbinding",
}
LEGACY_PATHS: Mapping[Operation, str] = {
    Operation.REQUEST_B2B_TOKEN: "/api/v1/access-token/b2b",
    Operation.REQUEST_CUSTOMER_TOKEN: "/api/v1/access-token/b2b2c",
    Operation.BIND_ACCOUNT: "/direct-debit/cimb/v1.0/registration-account-binding",
    Operation.VERIFY_OTP: "/direct-debit/cimb/v1.0/otp-verification",
    Operation.INQUIRE_BALANCE: "/direct-debit/cimb/v1.0/balance-inquiry",
    Operation.MAKE_PAYMENT: "/direct-debit/cimb/v1.0/debit/payment-host-to-host",
    Operation.INQUIRE_STATUS: "/orders/v1.0/debit/status",  # there is no older form of it
    Operation.REFUND_PAYMENT: "/direct-debit/cimb/v1.0/debit/refund",
    Operation.UNBIND_ACCOUNT: "/direct-debit/cimb/v1.0/registration-account-unbinding",
}
_OTP_VALUES = {"action": ("otpPayment", "otpUnbind"), "type": ("PAYMENT", "UNBINDING")}
_CHANNEL = re.compile(r"[A-Z0-9_]{1,64}")
_CHANNEL_ID = re.compile(r"[A-Za-z0-9]{1,5}")
_OTP_VALUE = re.compile(r"[A-Za-z_]{1,20}")
_SERVICE_CODE = re.compile(r"[0-9]{2}")
_MAX_SKEW_SECONDS = 300


@dataclass(frozen=True, slots=True, eq=False)
class ClientSettings:
    """Immutable settings of a client; construction raises InvalidSetting naming the setting.

    base_url: origin (a path prefix is allowed and signed); plain http only for this machine or with `allow_plain_http`.
    otp_field: name of the OTP discriminator; None follows `paths` (core: action, legacy: type). The two OTP values
    follow `otp_field` when None (contract 3.6; the unbinding value is inferred).
    channel_id: constant `CHANNEL-ID` header, None leaves it out. timestamp_skew_seconds is subtracted from the clock.
    untied_fields: wire paths of answers that are not compared with the question (ties.py), for a DOKU that is known to
    fill them otherwise than the contract says (12.4 is inferred).
    """

    base_url: str = SANDBOX_URL
    paths: Literal["core", "legacy"] = "core"
    channel: str = CIMB_CHANNEL
    channel_id: str | None = "H2H"
    otp_field: Literal["action", "type"] | None = None
    otp_payment_value: str | None = None
    otp_unbinding_value: str | None = None
    status_service_code: str = "54"
    timestamp_skew_seconds: int = 0
    untied_fields: frozenset[str] = frozenset()
    allow_plain_http: bool = False

    def __post_init__(self) -> None:
        if self.paths not in {"core", "legacy"}:
            raise InvalidSetting("paths", "must be core or legacy")
        if self.otp_field not in {None, "action", "type"}:
            raise InvalidSetting("otp_field", "must be action or type")
        self._require_base_url()
        _require("channel", _CHANNEL, self.channel, "must be 1 to 64 of A-Z, 0-9 and _")
        _require("channel_id", _CHANNEL_ID, self.channel_id, "must be 1 to 5 letters or digits")
        _require("otp_payment_value", _OTP_VALUE, self.otp_payment_value, "must be 1 to 20 letters")
        _require("otp_unbinding_value", _OTP_VALUE, self.otp_unbinding_value, "must be 1 to 20 letters")
        _require("status_service_code", _SERVICE_CODE, self.status_service_code, "must be two digits")
        if not self.untied_fields <= TIED_PATHS:
            raise InvalidSetting("untied_fields", f"must be some of {', '.join(sorted(TIED_PATHS))}")
        if not 0 <= self.timestamp_skew_seconds <= _MAX_SKEW_SECONDS:
            raise InvalidSetting("timestamp_skew_seconds", f"must be 0 to {_MAX_SKEW_SECONDS}")

    def path(self, operation: Operation) -> str:
        """Path of an operation as requested and as signed, with the prefix of `base_url` if it has one."""
        paths = LEGACY_PATHS if self.paths == "legacy" else CORE_PATHS
        return urlsplit(self.base_url).path.rstrip("/") + paths[operation]

    def url(self, operation: Operation) -> str:
        """Absolute URL of an operation."""
        base = urlsplit(self.base_url)
        return f"{base.scheme}://{base.netloc}{self.path(operation)}"

    @property
    def otp_discriminator(self) -> Literal["action", "type"]:
        """Wire name of the field that says what an OTP confirms."""
        if self.otp_field is not None:
            return self.otp_field
        return "type" if self.paths == "legacy" else "action"

    @property
    def payment_otp_value(self) -> str:
        """Value of the discriminator for confirming a payment."""
        return self.otp_payment_value or _OTP_VALUES[self.otp_discriminator][0]

    @property
    def unbinding_otp_value(self) -> str:
        """Value of the discriminator for confirming an unbinding."""
        return self.otp_unbinding_value or _OTP_VALUES[self.otp_discriminator][1]

    def _require_base_url(self) -> None:
        try:
            base = urlsplit(self.base_url)
            usable = base.scheme in {"http", "https"} and bool(base.hostname) and base.port != 0
        except ValueError:
            raise InvalidSetting("base_url", "is not a URL") from None
        if not usable or base.query or base.fragment or "@" in base.netloc or not self.base_url.isascii():
            raise InvalidSetting("base_url", "must be an http(s) origin without user, query or fragment")
        if base.scheme == "http" and not (self.allow_plain_http or _is_this_machine(base)):
            raise InvalidSetting("base_url", "must be https (plain http only for this machine)")


def _require(setting: str, pattern: re.Pattern[str], value: str | None, rule: str) -> None:
    if value is not None and not pattern.fullmatch(value):
        raise InvalidSetting(setting, rule)


def _is_this_machine(base: SplitResult) -> bool:
    if base.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(base.hostname or "").is_loopback
    except ValueError:
        return False
