"""The operations DOKU offers for CIMB: paths (contract section 1) and body fields (contract section 3)."""

import re
from dataclasses import dataclass
from enum import StrEnum

from tools.doku_simulator.records import Refused

CHANNEL = "DIRECT_DEBIT_CIMB_SNAP"

type Json = dict[str, object]


class Operation(StrEnum):
    """What the merchant may ask for; the values name operations in dials and logs."""

    B2B_TOKEN = "b2b_token"  # noqa: S105 - a name, not a secret
    B2B2C_TOKEN = "b2b2c_token"  # noqa: S105 - a name, not a secret
    BINDING = "binding"
    OTP = "otp"
    BALANCE = "balance"
    PAYMENT = "payment"
    STATUS = "status"
    REFUND = "refund"
    UNBINDING = "unbinding"


SERVICES: dict[Operation, str] = {
    Operation.B2B_TOKEN: "73",
    Operation.B2B2C_TOKEN: "74",
    Operation.BINDING: "07",
    Operation.OTP: "04",
    Operation.BALANCE: "11",
    Operation.PAYMENT: "54",
    Operation.STATUS: "55",
    Operation.REFUND: "58",
    Operation.UNBINDING: "09",
}
TOKEN_OPERATIONS = frozenset({Operation.B2B_TOKEN, Operation.B2B2C_TOKEN})


@dataclass(frozen=True, slots=True)
class Route:
    """One path. On legacy paths the acquirer is in the path, and the customer's token may be in the body."""

    operation: Operation
    service: str
    legacy: bool


_CURRENT = {
    "/authorization/v1/access-token/b2b": Operation.B2B_TOKEN,
    "/authorization/v1/access-token/b2b2c": Operation.B2B2C_TOKEN,
    "/direct-debit/core/v1/registration-account-binding": Operation.BINDING,
    "/direct-debit/core/v1/otp-verification": Operation.OTP,
    "/direct-debit/core/v1/balance-inquiry": Operation.BALANCE,
    "/direct-debit/core/v1/debit/payment-host-to-host": Operation.PAYMENT,
    "/orders/v1.0/debit/status": Operation.STATUS,
    "/direct-debit/core/v1/debit/refund": Operation.REFUND,
    "/direct-debit/core/v1/registration-account-unbinding": Operation.UNBINDING,
}
_LEGACY = {
    "/api/v1/access-token/b2b": Operation.B2B_TOKEN,
    "/api/v1/access-token/b2b2c": Operation.B2B2C_TOKEN,
    "/direct-debit/cimb/v1.0/registration-account-binding": Operation.BINDING,
    "/direct-debit/cimb/v1.0/otp-verification": Operation.OTP,
    "/direct-debit/cimb/v1.0/balance-inquiry": Operation.BALANCE,
    "/direct-debit/cimb/v1.0/debit/payment-host-to-host": Operation.PAYMENT,
    "/direct-debit/cimb/v1.0/debit/refund": Operation.REFUND,
    "/direct-debit/cimb/v1.0/registration-account-unbinding": Operation.UNBINDING,
    # the archive page's copy errors
    "/direct-debit/allo/v1.0/registration-account-binding": Operation.BINDING,
    "/direct-debit/merchant/cimb/v1.0/otp-verification": Operation.OTP,
    "/direct-debit/merchant/allo/v1.0/payment/host-to-host": Operation.PAYMENT,
    "/direct-debit/merchant/cimb/v1.0/debit/refund": Operation.REFUND,
}
ROUTES: dict[str, Route] = {
    path: Route(operation, SERVICES[operation], legacy)
    for paths, legacy in ((_CURRENT, False), (_LEGACY, True))
    for path, operation in paths.items()
}


@dataclass(frozen=True, slots=True)
class Field:
    """One body field: mandatory or not, and its pattern in loose and in strict mode."""

    name: str
    loose: re.Pattern[str]
    strict: re.Pattern[str]
    mandatory: bool = True
    core_only: bool = False
    """Mandatory on core paths only."""


def _field(
    name: str, loose: str, strict: str | None = None, *, mandatory: bool = True, core_only: bool = False
) -> Field:
    return Field(name, re.compile(loose, re.DOTALL), re.compile(strict or loose, re.DOTALL), mandatory, core_only)


def _optional(name: str, loose: str, strict: str | None = None) -> Field:
    return _field(name, loose, strict, mandatory=False)


_REFERENCE, _SHORT_REFERENCE = r"\S.{0,63}", r"[A-Za-z0-9]{1,12}"
_AMOUNT = r"[0-9]{1,16}\.[0-9]{2}"
_URL = r"https?://[^\s]{1,2040}"
_REMARKS, _PLAIN_REMARKS = r"[\x20-\x7e]{1,40}", r"[A-Za-z0-9 .\-/+,=_:'@%]{1,40}"
_CHANNEL = _field("additionalInfo.channel", r".{1,64}", core_only=True)

FIELDS: dict[Operation, tuple[Field, ...]] = {
    Operation.B2B_TOKEN: (_field("grantType", "client_credentials"),),
    Operation.B2B2C_TOKEN: (
        _field("grantType", "authorization_code|refresh_token"),
        _optional("authCode", r".{1,256}"),
        _optional("refreshToken", r".{1,512}"),
    ),
    Operation.BINDING: (
        _field("phoneNo", r"[0-9]{9,16}", r"62[0-9]{7,14}"),
        _CHANNEL,
        _field("additionalInfo.custIdMerchant", r".{1,64}"),
        _field("additionalInfo.successRegistrationUrl", _URL),
        _field("additionalInfo.failedRegistrationUrl", _URL),
        _optional("additionalInfo.customerName", r".{1,70}"),
        _optional("additionalInfo.email", r"[^@\s]+@[^@\s]{1,250}", r"(?=.{3,64}\Z)[^@\s]+@[^@\s]+"),
        _optional("additionalInfo.idCard", r".{1,20}"),
        _optional("additionalInfo.country", r".{1,60}"),
        _optional("additionalInfo.address", r".{1,255}"),
        _optional("additionalInfo.dateOfBirth", r"[0-9]{8}"),
    ),
    Operation.OTP: (
        _field("otp", r"[0-9]{1,8}", r"[0-9]{6}"),
        _CHANNEL,
        _field("additionalInfo.bankCardToken", r".{1,2048}"),
        _optional("originalPartnerReferenceNo", _REFERENCE, _SHORT_REFERENCE),
        _optional("type", r".{1,20}"),
        _optional("action", r".{1,10}"),
    ),
    Operation.BALANCE: (_CHANNEL, _optional("bankCardToken", r".{1,2048}")),
    Operation.PAYMENT: (
        _field("partnerReferenceNo", _REFERENCE, _SHORT_REFERENCE),
        _field("amount.value", _AMOUNT),
        _field("amount.currency", "IDR"),
        _CHANNEL,
        _field("additionalInfo.remarks", _REMARKS, _PLAIN_REMARKS, core_only=True),
        _field("additionalInfo.successPaymentUrl", _URL, core_only=True),
        _field("additionalInfo.failedPaymentUrl", _URL, core_only=True),
        _optional("chargeToken", r".{1,40}", r".{1,32}"),
        _optional("bankCardToken", r".{1,2048}"),
    ),
    Operation.STATUS: (
        _field("serviceCode", "54|55"),
        _field("additionalInfo.channel", r".{1,64}"),
        _optional("originalPartnerReferenceNo", _REFERENCE, _SHORT_REFERENCE),
        _optional("originalReferenceNo", r".{1,64}"),
        _optional("originalExternalId", r"[0-9]{1,36}", r"[0-9]{1,32}"),
        _optional("transactionDate", r".{1,25}"),
        _optional("merchantId", r".{1,64}"),
        _optional("amount.value", _AMOUNT),
        _optional("amount.currency", "IDR"),
    ),
    Operation.REFUND: (
        _field("originalPartnerReferenceNo", _REFERENCE, _SHORT_REFERENCE),
        _field("partnerRefundNo", _REFERENCE, _SHORT_REFERENCE),
        _field("refundAmount.value", _AMOUNT),
        _field("refundAmount.currency", "IDR"),
        _CHANNEL,
        _optional("originalExternalId", r"[0-9]{1,36}", r"[0-9]{1,32}"),
        _optional("reason", r".{0,256}", r".{0,255}"),
        _optional("additionalInfo.bankCardToken", r".{1,2048}"),
    ),
    Operation.UNBINDING: (_field("tokenId", r".{1,2048}"), _CHANNEL),
}


def read_fields(route: Route, body: Json, *, strict: bool) -> dict[str, str]:
    """Return the checked text fields by dotted name; Refused with 400xx02 or 400xx01 names the first bad one."""
    values: dict[str, str] = {}
    present: list[tuple[Field, object]] = []
    for field in FIELDS[route.operation]:
        value = _lookup(body, field.name)
        if value is not None and value != "":
            present.append((field, value))
        elif field.mandatory and not (field.core_only and route.legacy):
            raise Refused("40002", field.name)
    for field, value in present:
        pattern = field.strict if strict else field.loose
        if not isinstance(value, str) or pattern.fullmatch(value) is None:
            raise Refused("40001", field.name)
        values[field.name] = value
    return values


def _lookup(body: Json, name: str) -> object:
    parent, dot, child = name.partition(".")
    value = body.get(parent)
    if not dot:
        return value
    if value is None:
        return None
    # a parent that is no object counts as a present child of a wrong type: 400xx01, after the missing ones
    return value.get(child) if isinstance(value, dict) else ()
