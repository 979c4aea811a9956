"""What a simulated DOKU knows and how it behaves where the documentation leaves it open."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Literal

from cryptography.hazmat.primitives.asymmetric import rsa

from tools.doku_simulator.signing import load_private_key, load_public_key

DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class ProviderVariant:
    """One possible DOKU: each field is a point on which the sources are silent or disagree (contract section 9, 11).

    Durations are seconds. Ranges are (lowest, highest), drawn evenly from the simulator's Random.
    """

    duplicate_refused_by: Literal["external_id", "reference", "both", "neither"] = "both"
    status_lag: float = 0.0
    """The status operation tells the truth as it was this long ago."""
    notification_before_answer: bool = False
    """The final notification leaves before the answer to the OTP (or payment) request."""
    success_delay: tuple[float, float] = (0.0, 0.0)
    """From the accepted OTP to the debit; up to an hour in bad weather."""
    processing_delay: tuple[float, float] = (2.0, 2.0)
    """From a 2025400 answer to the debit."""
    not_found_as: Literal["code", "status"] = "code"
    """Status of an unknown payment: 4045501, or 2005500 with status 07."""
    otp_required: bool = True
    """False: a payment is answered 2005400 and debited without an OTP."""
    unbind_otp_required: bool = True
    """False: an unbinding is answered 2000900 at once."""
    otp_expiry_final: bool = True
    """False: an abandoned OTP leaves the payment at status 03 for ever."""
    refund_outcome: Literal["done", "pending", "pending_then_failed", "accepted_then_failed"] = "done"
    refund_delay: tuple[float, float] = (0.0, 0.0)
    refund_repeat: Literal["replay", "wrong_state", "inconsistent", "refused", "execute"] = "replay"
    """A second request with the same partnerRefundNo: 2005800 again, 4045800, 4045818, 4035815, or a second refund."""
    refund_success_code: str = "2005800"
    rebind_same_customer: Literal["allow", "refuse"] = "allow"
    newest_b2b_token_only: bool = False
    newest_customer_token_only: bool = False
    refresh_token_rotates: bool = True
    otp_pending_as_200: bool = False
    """403xx13 travels under HTTP 200."""
    balance_as_201: bool = False
    binding_status_field: Literal["status", "accountStatus"] = "status"
    balance_shape: Literal["available", "amount"] = "available"
    body_rule: Literal["lexical", "both"] = "lexical"
    """`both`: the signature must also hold over the re-serialised body (contract 4.4)."""


@dataclass(frozen=True, slots=True)
class MerchantEndpoints:
    """Absolute URLs at the merchant: token request, payment notification, binding notification (optional)."""

    token_url: str
    notify_url: str
    binding_notify_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorConfig:
    """Credentials, limits and lifetimes. Durations are seconds, money is integer sen (1/100 rupiah)."""

    client_id: str
    secret_key: str = field(repr=False)
    merchant_public_key: rsa.RSAPublicKey | None = field(default=None, repr=False)
    doku_private_key: rsa.RSAPrivateKey | None = field(default=None, repr=False)
    doku_client_key: str | None = None
    """X-CLIENT-KEY that DOKU uses towards the merchant; the client id when None."""
    merchant: MerchantEndpoints | None = None
    public_base_url: str = "https://sandbox.doku.com"
    """Prefix of `redirectUrl`."""
    verify_asymmetric: bool = True
    sign_asymmetric: bool = True
    strict_lengths: bool = False
    """References of at most 12 characters and the tightest limit any source names."""
    timestamp_window: float = 300.0
    b2b_token_seconds: int = 900
    customer_token_seconds: int = 15 * DAY_SECONDS
    refresh_token_seconds: int = 14 * DAY_SECONDS
    otp_lifetime: float = 300.0
    otp_tries: int = 3
    binding_lifetime: float = 1800.0
    opening_balance: int = 10_000_000_000
    notification_delay: float = 1.0
    notification_retries: tuple[float, ...] = (1_800.0, 21_600.0, 43_200.0)
    """Times of the further attempts, each counted from the first one (contract 3.10)."""
    notification_resigned: bool = True
    """False: every attempt carries the timestamp of the first one."""
    notification_new_external_id: bool = False
    notification_customer_token: bool = True
    notify_declines: bool = False
    """Also notify payments that were declined in their own answer."""
    notify_refunds: bool = True
    notify_bindings: bool = True
    refund_needs_customer_token: bool = True
    request_log_size: int = 5_000
    variant: ProviderVariant = ProviderVariant()

    def __post_init__(self) -> None:
        if not self.client_id or not self.secret_key:
            raise ConfigError("clientId and secretKey are required")
        if self.verify_asymmetric and self.merchant_public_key is None:
            raise ConfigError("merchantPublicKey is required while verifyAsymmetric is on")


class ConfigError(ValueError):
    """The configuration is incomplete or wrong; the message names the setting."""


_SETTINGS: dict[str, str] = {
    "publicBaseUrl": "public_base_url",
    "verifyAsymmetric": "verify_asymmetric",
    "strictLengths": "strict_lengths",
    "timestampWindow": "timestamp_window",
    "b2bTokenSeconds": "b2b_token_seconds",
    "customerTokenSeconds": "customer_token_seconds",
    "refreshTokenSeconds": "refresh_token_seconds",
    "otpLifetime": "otp_lifetime",
    "otpTries": "otp_tries",
    "bindingLifetime": "binding_lifetime",
    "openingBalance": "opening_balance",
    "notificationDelay": "notification_delay",
    "notificationRetries": "notification_retries",
    "notificationResigned": "notification_resigned",
    "notificationNewExternalId": "notification_new_external_id",
    "notificationCustomerToken": "notification_customer_token",
    "notifyDeclines": "notify_declines",
    "notifyRefunds": "notify_refunds",
    "notifyBindings": "notify_bindings",
    "refundNeedsCustomerToken": "refund_needs_customer_token",
    "requestLogSize": "request_log_size",
}
_CREDENTIALS = {"clientId", "secretKey", "merchantPublicKey", "dokuPrivateKey", "dokuClientKey", "merchant", "variant"}


def read_config(document: Mapping[str, object]) -> SimulatorConfig:
    """Build the configuration from a JSON document (names as in the README); ConfigError names what is wrong."""
    unknown = sorted(set(document) - set(_SETTINGS) - _CREDENTIALS)
    if unknown:
        raise ConfigError(f"unknown setting {unknown[0]}")
    defaults = SimulatorConfig(client_id="-", secret_key="-", verify_asymmetric=False)  # noqa: S106 - placeholders
    settings = {
        name: _like(getattr(defaults, name), document[key], key) for key, name in _SETTINGS.items() if key in document
    }
    merchant = document.get("merchant")
    variant = document.get("variant", {})
    public, private = _text(document, "merchantPublicKey"), _text(document, "dokuPrivateKey")
    try:
        return SimulatorConfig(
            client_id=_text(document, "clientId") or "",
            secret_key=_text(document, "secretKey") or "",
            merchant_public_key=load_public_key(public) if public else None,
            doku_private_key=load_private_key(private) if private else None,
            doku_client_key=_text(document, "dokuClientKey"),
            merchant=None if merchant is None else read_merchant(merchant),
            variant=read_variant(variant),
            **settings,  # type: ignore[arg-type]  # each value was converted to its default's type above
        )
    except ConfigError:
        raise
    except ValueError as error:
        raise ConfigError("merchantPublicKey or dokuPrivateKey is not an RSA key in PEM form") from error


def read_merchant(document: object) -> MerchantEndpoints:
    """Read `{"tokenUrl", "notifyUrl", "bindingNotifyUrl"}`; ConfigError names the missing one."""
    if not isinstance(document, Mapping):
        raise ConfigError("merchant must be an object")
    values: dict[str, str] = {}
    for key in ("tokenUrl", "notifyUrl", "bindingNotifyUrl"):
        value = document.get(key)
        if value is None and key == "bindingNotifyUrl":
            continue
        if not isinstance(value, str) or not value.startswith(("http://", "https://")):
            raise ConfigError(f"merchant.{key} must be an absolute http(s) URL")
        values[key] = value
    return MerchantEndpoints(values["tokenUrl"], values["notifyUrl"], values.get("bindingNotifyUrl"))


def read_variant(document: object, base: ProviderVariant | None = None) -> ProviderVariant:
    """Return `base` (or the default variant) with the named fields replaced; names are those of ProviderVariant."""
    if not isinstance(document, Mapping):
        raise ConfigError("variant must be an object")
    base = base or ProviderVariant()
    values: dict[str, object] = {item.name: getattr(base, item.name) for item in fields(ProviderVariant)}
    for key, value in document.items():
        if key not in values:
            raise ConfigError(f"unknown variant {key}")
        choices = _CHOICES.get(key)
        if choices is not None and value not in choices:
            raise ConfigError(f"variant {key} must be one of {', '.join(choices)}")
        values[key] = _like(values[key], value, f"variant.{key}")
    return ProviderVariant(**values)  # type: ignore[arg-type]  # each value was converted to its default's type above


_CHOICES: dict[str, tuple[str, ...]] = {
    "duplicate_refused_by": ("external_id", "reference", "both", "neither"),
    "not_found_as": ("code", "status"),
    "refund_outcome": ("done", "pending", "pending_then_failed", "accepted_then_failed"),
    "refund_repeat": ("replay", "wrong_state", "inconsistent", "refused", "execute"),
    "rebind_same_customer": ("allow", "refuse"),
    "binding_status_field": ("status", "accountStatus"),
    "balance_shape": ("available", "amount"),
    "body_rule": ("lexical", "both"),
}


def _text(document: Mapping[str, object], key: str) -> str | None:
    value = document.get(key)
    if value is not None and not isinstance(value, str):
        raise ConfigError(f"{key} must be a string")
    return value


def _like(default: object, value: object, key: str) -> object:
    """Return `value` if it has the type of `default` (numbers and pairs converted), else raise ConfigError."""
    if isinstance(default, bool) or isinstance(value, bool):
        fits = isinstance(default, bool) and isinstance(value, bool)
    elif isinstance(default, float) and isinstance(value, int | float):
        return float(value)
    elif isinstance(default, tuple) and isinstance(value, list | tuple):
        numbers = [float(item) for item in value if isinstance(item, int | float)]
        if len(numbers) == len(value) and (key == "notificationRetries" or len(numbers) == len(default)):
            return tuple(numbers)
        fits = False
    else:
        fits = type(value) is type(default)
    if not fits:
        raise ConfigError(f"{key} must be like {default!r}")
    return value
