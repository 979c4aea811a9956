"""What is counted and logged."""

from enum import StrEnum
from typing import Protocol


class Metric(StrEnum):
    """What is counted. Names are the CloudWatch metric names."""

    PAYMENT_OUTCOME_UNKNOWN = "PaymentOutcomeUnknown"
    PAYMENT_RESOLVED = "PaymentResolved"
    PAYMENT_NEEDS_REVIEW = "PaymentNeedsReview"
    PAYMENT_REVERSED = "PaymentReversed"
    QUESTION_UNANSWERED = "QuestionUnanswered"
    LATE_SUCCESS = "LateSuccess"
    REFUND_NEEDS_REVIEW = "RefundNeedsReview"
    REFUND_FAILED = "RefundFailed"
    NOTIFICATION_QUARANTINED = "NotificationQuarantined"
    NOTIFICATION_STALE = "NotificationStale"
    NOTIFICATION_BY_REPLACED_KEY = "NotificationByReplacedKey"
    NOTIFICATION_REFUSED = "NotificationRefused"
    TOKEN_REQUEST_REFUSED = "TokenRequestRefused"  # noqa: S105 - a metric's name
    ACCESS_TOKEN_REFUSED = "AccessTokenRefused"  # noqa: S105 - a metric's name
    ISSUER_UNAVAILABLE = "IssuerUnavailable"
    CIRCUIT_OPENED = "CircuitOpened"
    CREDENTIALS_REFUSED = "CredentialsRefused"
    SECRET_UNUSABLE = "SecretUnusable"  # noqa: S105 - a metric's name
    ANSWER_CONTRADICTS = "AnswerContradicts"
    UNSENDABLE_MESSAGE = "UnsendableMessage"
    B2B_TOKEN_REQUESTED = "B2BTokenRequested"  # noqa: S105 - a metric's name
    RELINK_REQUIRED = "RelinkRequired"
    BINDING_UNRESOLVED = "BindingUnresolved"
    NEWS_LATE = "NewsLate"
    RECORD_UNREADABLE = "RecordUnreadable"
    STREAM_RECORD_FAILED = "StreamRecordFailed"
    POISONED_MESSAGE = "PoisonedMessage"
    WEBHOOK_FAILED = "WebhookFailed"
    WEBHOOK_GIVEN_UP = "WebhookGivenUp"


class Telemetry(Protocol):
    """Metrics and log lines. Only the named fields are ever written."""

    def count(self, metric: Metric, amount: int = 1) -> None:
        """Add to a metric."""
        ...

    def note(
        self,
        message: str,
        *,
        ref: str | None = None,
        binding_id: str | None = None,
        state: str | None = None,
        code: str | None = None,
        reason: str | None = None,
        source_address: str | None = None,
    ) -> None:
        """Write one log line. `source_address`: of who was refused at a door that is open to all."""
        ...
