"""The environment of the functions, read and checked before the first request."""

import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from direct_debit.application.settings import LateSuccess, Settings
from direct_debit.domain import values

if TYPE_CHECKING:
    from direct_debit.adapters.aws.clients import AwsWay

type Paths = Literal["core", "legacy"]
type OtpField = Literal["action", "type"]

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]", "::1", "host.docker.internal"})
KEY_OVERLAP = 86_400  # seconds: DOKU may repeat a notification for twelve hours
LEAST_CLAIM_LEASE = 90  # seconds: who holds a claim may live for 60 s, and clocks differ
DOKU_UNTIED_FIELDS = "DOKU_UNTIED_FIELDS"  # which names there are, the signing layer knows: the container asks it
_WANTED = "an https URL (http only on this machine) of printable ASCII characters without blanks"
_BARE = f"at most {values.BASE_URL_LENGTH} without a query"
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:\d{1,5})?", re.ASCII)
_OTP_WORD = r"[A-Za-z_]{1,20}"  # what the signing layer takes
# The words of each OTP dialect (contract 3.6); the unbinding words are inferred there, so both can be overridden.
_OTP_WORDS: Mapping[OtpField, tuple[str, str]] = {
    "action": ("otpPayment", "otpUnbind"),
    "type": ("PAYMENT", "UNBINDING"),
}


class ConfigurationError(Exception):
    """A variable of the environment is missing or wrong. The text names each of them, never a value."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Environment:
    """Everything a function reads from its environment. Durations are seconds."""

    bindings_table: str
    transactions_table: str
    notification_queue_url: str
    refund_retry_queue_url: str
    status_inquiry_queue_url: str
    stream_failure_queue_url: str
    event_bus_name: str
    inbound_secret_id: str
    signing_secret_id: str
    data_secret_id: str
    doku_base_url: str
    doku_paths: Paths
    doku_channel_id: str
    doku_otp_field: OtpField
    doku_otp_payment_value: str
    doku_otp_unbind_value: str
    doku_status_service_code: str
    doku_untied_fields: frozenset[str]
    timestamp_window: int
    key_overlap: int
    aws_way: "AwsWay"
    log_level: str
    service_name: str
    metrics_namespace: str
    settings: Settings

    @property
    def has_one_secret(self) -> bool:
        """Whether all parts of the credentials stand in one secret; else each has its own."""
        return self.inbound_secret_id == self.signing_secret_id == self.data_secret_id

    @property
    def seals_with_notice_keys(self) -> bool:
        """Whether what comes in is sealed with keys that stand beside those that verify it."""
        return self.inbound_secret_id == self.data_secret_id != self.signing_secret_id


def read_environment(variables: Mapping[str, str]) -> Environment:
    """Read and check all variables. An empty value counts as absent, as templates leave unused parameters empty.

    Raises ConfigurationError that names every missing or wrong variable at once.
    """
    reader = Reader(variables)
    paths: Paths = "legacy" if reader.choice("DOKU_PATHS", ("core", "legacy"), "core") == "legacy" else "core"
    otp_default = "type" if paths == "legacy" else "action"
    otp_field: OtpField = (
        "type" if reader.choice("DOKU_OTP_FIELD", ("action", "type"), otp_default) == "type" else "action"
    )
    payment_word, unbind_word = _OTP_WORDS[otp_field]
    standard = Settings(public_base_url="")
    settings = Settings(
        public_base_url=reader.base_url("PUBLIC_BASE_URL"),
        default_success_url=reader.optional_url("DEFAULT_SUCCESS_URL"),
        default_failed_url=reader.optional_url("DEFAULT_FAILED_URL"),
        problem_type_base=reader.optional_base_url("PROBLEM_TYPE_BASE"),
        allowed_return_hosts=reader.hosts("ALLOWED_RETURN_HOSTS"),
        link_lease=reader.seconds("LINK_LEASE_SECONDS", standard.link_lease),
        inquiry_schedule=reader.schedule("INQUIRY_SCHEDULE_SECONDS", standard.inquiry_schedule),
        otp_schedule=reader.schedule("OTP_SCHEDULE_SECONDS", standard.otp_schedule),
        refund_schedule=reader.schedule("REFUND_SCHEDULE_SECONDS", standard.refund_schedule),
        binding_schedule=reader.schedule("BINDING_SCHEDULE_SECONDS", standard.binding_schedule),
        not_found_final=reader.seconds("NOT_FOUND_FINAL_SECONDS", standard.not_found_final),
        abandoned_otp=reader.seconds("ABANDONED_OTP_SECONDS", standard.abandoned_otp),
        refresh_min=reader.seconds("REFRESH_MIN_SECONDS", standard.refresh_min, least=0),
        first_inquiry=reader.seconds("FIRST_INQUIRY_SECONDS", standard.first_inquiry, least=0),
        claim_lease=reader.seconds("CLAIM_LEASE_SECONDS", standard.claim_lease, least=LEAST_CLAIM_LEASE),
        repost_after_not_found=reader.choice("REPOST_AFTER_NOT_FOUND", ("true", "false"), "false") == "true",
        late_success=LateSuccess(reader.choice("LATE_SUCCESS", ("refund", "accept"), standard.late_success)),
        max_open_payments=reader.seconds("MAX_OPEN_PAYMENTS", standard.max_open_payments),
        max_payments_per_day=reader.seconds("MAX_PAYMENTS_PER_DAY", standard.max_payments_per_day, least=0),
        max_pages_per_day=reader.seconds("MAX_PAGES_PER_DAY", standard.max_pages_per_day, least=0),
        max_unlinkings_per_day=reader.seconds("MAX_UNLINKINGS_PER_DAY", standard.max_unlinkings_per_day, least=0),
        max_otp_attempts=reader.seconds("MAX_OTP_ATTEMPTS", standard.max_otp_attempts),
        circuit_failures=reader.seconds("CIRCUIT_FAILURES", standard.circuit_failures),
        circuit_window=reader.seconds("CIRCUIT_WINDOW_SECONDS", standard.circuit_window),
        circuit_open=reader.seconds("CIRCUIT_OPEN_SECONDS", standard.circuit_open),
    )
    for name, steps in (
        ("INQUIRY_SCHEDULE_SECONDS", settings.inquiry_schedule),
        ("OTP_SCHEDULE_SECONDS", settings.otp_schedule),
    ):
        if steps[0] < settings.first_inquiry:
            reader.problems.append(f"{name} must begin no earlier than FIRST_INQUIRY_SECONDS")
    environment = Environment(
        bindings_table=reader.text("BINDINGS_TABLE"),
        transactions_table=reader.text("TRANSACTIONS_TABLE"),
        notification_queue_url=reader.text("NOTIFICATION_QUEUE_URL"),
        refund_retry_queue_url=reader.text("REFUND_RETRY_QUEUE_URL"),
        status_inquiry_queue_url=reader.text("STATUS_INQUIRY_QUEUE_URL"),
        stream_failure_queue_url=reader.text("STREAM_FAILURE_QUEUE_URL"),
        event_bus_name=reader.text("EVENT_BUS_NAME"),
        inbound_secret_id=reader.text("INBOUND_SECRET_ID"),
        signing_secret_id=reader.text("SIGNING_SECRET_ID"),
        data_secret_id=reader.text("DATA_SECRET_ID"),
        doku_base_url=reader.base_url("DOKU_BASE_URL"),
        doku_paths=paths,
        doku_channel_id=reader.matching("DOKU_CHANNEL_ID", r"[A-Za-z0-9]{1,5}", "1 to 5 letters or digits", "H2H"),
        doku_otp_field=otp_field,
        doku_otp_payment_value=reader.matching("DOKU_OTP_PAYMENT_VALUE", _OTP_WORD, "1 to 20 letters", payment_word),
        doku_otp_unbind_value=reader.matching("DOKU_OTP_UNBIND_VALUE", _OTP_WORD, "1 to 20 letters", unbind_word),
        doku_status_service_code=reader.choice("DOKU_STATUS_SERVICE_CODE", ("54", "55"), "54"),
        doku_untied_fields=reader.words(DOKU_UNTIED_FIELDS),
        timestamp_window=reader.seconds("TIMESTAMP_WINDOW_SECONDS", 300),
        key_overlap=reader.seconds("KEY_OVERLAP_SECONDS", KEY_OVERLAP, least=0),
        aws_way=reader.aws_way(),
        log_level=reader.choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"), "INFO"),
        service_name=reader.optional("POWERTOOLS_SERVICE_NAME") or "direct-debit",
        metrics_namespace=reader.optional("POWERTOOLS_METRICS_NAMESPACE") or "DirectDebit",
        settings=settings,
    )
    if not environment.has_one_secret and environment.signing_secret_id in (
        environment.inbound_secret_id,
        environment.data_secret_id,
    ):
        reader.problems.append("SIGNING_SECRET_ID must name the secret of all parts, or one that no other part has")
    if reader.problems:
        raise ConfigurationError(reader.problems)
    return environment


class Reader:
    """Reads variables and gathers what is wrong with them, so that one deploy shows all mistakes.

    Each method returns the value of a variable, or its default where it is absent or wrong.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self.problems: list[str] = []

    def optional(self, name: str) -> str | None:
        """Return the text without blanks around it; None for an empty one."""
        return self._variables.get(name, "").strip() or None

    def text(self, name: str) -> str:
        """Return a text that has to be there."""
        value = self.optional(name)
        if value is None:
            self.problems.append(f"{name} is missing")
            return ""
        return value

    def _parsed[T](self, name: str, default: T, wanted: str, parse: Callable[[str], T]) -> T:
        value = self.optional(name)
        if value is None:
            return default
        try:
            return parse(value)
        except ValueError:
            self.problems.append(f"{name} must be {wanted}")
            return default

    def choice(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        """Return one of some words, as it is written there."""

        def parse(value: str) -> str:
            return allowed[[word.lower() for word in allowed].index(value.lower())]

        return self._parsed(name, default, f"one of {', '.join(allowed)}", parse)

    def aws_way(self) -> "AwsWay":
        """Return how AWS is spoken to."""
        return "botocore" if self.choice("AWS_CLIENTS", ("direct", "botocore"), "direct") == "botocore" else "direct"

    def matching(self, name: str, pattern: str, wanted: str, default: str) -> str:
        """Return a text of a form; `wanted` says it in words."""

        def parse(value: str) -> str:
            if re.fullmatch(pattern, value, re.ASCII) is None:
                raise ValueError
            return value

        return self._parsed(name, default, wanted, parse)

    def seconds(self, name: str, default: int, *, least: int = 1) -> int:
        """Return a whole number."""

        def parse(value: str) -> int:
            number = int(value)
            if number < least:
                raise ValueError
            return number

        return self._parsed(name, default, f"a whole number of at least {least}", parse)

    def schedule(self, name: str, default: tuple[int, ...]) -> tuple[int, ...]:
        """Return ascending whole seconds."""

        def parse(value: str) -> tuple[int, ...]:
            steps = tuple(int(step) for step in value.split(","))
            if steps[0] < 1 or any(later <= earlier for earlier, later in itertools.pairwise(steps)):
                raise ValueError
            return steps

        return self._parsed(name, default, "ascending whole seconds, separated by commas", parse)

    def words(self, name: str) -> frozenset[str]:
        """Return words between commas."""
        return frozenset(word.strip() for word in (self.optional(name) or "").split(",") if word.strip())

    def hosts(self, name: str) -> tuple[str, ...]:
        """Return host names between commas."""

        def parse(value: str) -> tuple[str, ...]:
            hosts = tuple(host.strip().lower() for host in value.split(",") if host.strip())
            if any(_HOST.fullmatch(host) is None for host in hosts):
                raise ValueError
            return hosts

        return self._parsed(name, (), "host names, separated by commas", parse)

    def base_url(self, name: str) -> str:
        """Return a URL that paths are put behind; it has to be there."""
        self.text(name)
        return self._parsed(name, "", f"{_WANTED}, {_BARE}", _base_url)

    def optional_base_url(self, name: str) -> str | None:
        """Return a URL that names are put behind."""
        return self._parsed(name, None, f"{_WANTED}, {_BARE}", _base_url)

    def url(self, name: str) -> str:
        """Return a URL that has to be there."""
        self.text(name)
        return self._parsed(name, "", f"{_WANTED}, at most {values.URL_LENGTH}", _url)

    def optional_url(self, name: str) -> str | None:
        """Return a URL that a browser may be sent to."""
        return self._parsed(name, None, f"{_WANTED}, at most {values.URL_LENGTH}", _url)


def _url(value: str) -> str:
    address = values.read_url(value)
    if address.scheme != "https" and address.host not in LOOPBACK:
        raise ValueError
    return value


def _base_url(value: str) -> str:
    if len(value) > values.BASE_URL_LENGTH or not values.read_url(_url(value)).bare:
        raise ValueError
    return value.rstrip("/")
