"""What the use cases need from the world. Adapters implement these; so does `tests/fakes`, under the same tests.

Everything that takes time, may fail, or differs from run to run is behind one of these Protocols: the deterministic
simulation lives from that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from direct_debit.application.deadline import Deadline
from direct_debit.application.settings import Settings
from direct_debit.domain.binding import Binding
from direct_debit.domain.payment import Payment

# --- time and chance -------------------------------------------------------------------------------------------------


class Clock(Protocol):
    """The time. UTC, aware."""

    def now(self) -> datetime:
        """Return the current time."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait; only for the short waits of a single-flight follower."""
        ...


class Ids(Protocol):
    """Everything random or unique."""

    def new_id(self) -> str:
        """Return 128 random bits as 32 lower-case hex digits."""
        ...

    def digits(self, count: int) -> str:
        """Return `count` random decimal digits."""
        ...

    def jitter(self) -> float:
        """Return a number in [0, 1)."""
        ...

    def entropy(self, count: int) -> bytes:
        """Return `count` random bytes, for nonces."""
        ...


# --- secrets ---------------------------------------------------------------------------------------------------------


class Vault(Protocol):
    """Encrypts what must not be read in the table, and hashes what must be found but not read."""

    def seal(self, plaintext: str, owner: str) -> str:
        """Encrypt for `owner` (the record's id, authenticated with the text)."""
        ...

    def unseal(self, sealed: str, owner: str) -> str:
        """Decrypt; fails for another owner than the one it was sealed for."""
        ...

    def fingerprint(self, text: str) -> str:
        """Return a keyed hash (HMAC-SHA-256, hex): equal for equal text, not invertible without the key."""
        ...


# --- records ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AccountTaken:
    """The account, or the customer's one place for a link, is held by another binding."""

    holder: Binding | None  # None when the holder could not be read any more


@dataclass(frozen=True, slots=True)
class CustomerBindings:
    """The bindings of a customer, newest first, and the ids of those that this code can not read."""

    bindings: Sequence[Binding]
    unreadable: Sequence[str] = ()


class Bindings(Protocol):
    """The bindings table. Every write is one conditional request; StoreUnavailable when the store fails."""

    def create(self, binding: Binding, now: datetime) -> AccountTaken | None:
        """Write the binding and claim account, customer and return state, all or nothing.

        A claim whose lease ended before `now` may be taken over.
        """
        ...

    def get(self, binding_id: str) -> Binding | None:
        """Read consistently."""
        ...

    def find_by_return_state(self, return_state_hash: str) -> Binding | None:
        """Return the binding that handed out this return state."""
        ...

    def find_by_customer(self, customer_id: str) -> Binding | None:
        """Return the binding that holds the customer's one place, if any."""
        ...

    def list_by_customer(self, customer_id: str) -> CustomerBindings:
        """Return all bindings of a customer (eventually consistent)."""
        ...

    def save(self, before: Binding, after: Binding) -> Binding:
        """Write `after` if the record is still `before` (by version); keeps concurrent changes of `open_payments`.

        A binding that becomes ACTIVE makes its claims permanent, one that ends gives them up, in the same write.
        Raises BindingChanged; AccountClaimLost when the claims had passed to another binding.
        """
        ...

    def save_when_settled(self, before: Binding, after: Binding) -> Binding:
        """Like `save`, on the further condition that no payment is open on the binding.

        Raises BindingChanged; its `current.open_payments` says whether payments were the reason.
        """
        ...

    def confirm_told(self, binding: Binding) -> None:
        """Let a binding that is still as it was read carry its untold moves no longer; otherwise do nothing."""
        ...

    def put_off_news(self, binding: Binding, until: datetime) -> bool:
        """Let the moves of a binding that is still as it was read be told after `until`; False when it has changed."""
        ...

    def list_due(self, now: datetime, limit: int) -> Sequence[str]:
        """Return ids of bindings whose due time has come (eventually consistent, oldest first)."""
        ...


class AccountClaimLost(Exception):
    """The lease of this binding ended and its account is now held by another one."""


@dataclass(frozen=True, slots=True)
class PaymentExists:
    """There is a payment with this reference."""

    payment: Payment


@dataclass(frozen=True, slots=True)
class BindingUnusable:
    """The binding is not ACTIVE, belongs to someone else, or has too many open payments."""

    binding: Binding | None


@dataclass(frozen=True, slots=True)
class PaymentKey:
    """An idempotency key as it may be stored: its fingerprint, and the reference that is made from it.

    Releases before keys were recorded kept nothing of a key but the payment under `own_ref`, made with the key alone.
    """

    fingerprint: str
    own_ref: str


@dataclass(frozen=True, slots=True)
class KeyTaken:
    """The key names the payment `ref`, which is another one."""

    ref: str


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One step in the life of a payment, as the outbox recorded it."""

    version: int
    at: datetime
    state: str
    refund_state: str | None
    source: str
    code: str | None


class Payments(Protocol):
    """The payments in the transactions table. Every write is one conditional request; StoreUnavailable on failure."""

    def create(
        self, payment: Payment, key: PaymentKey | None = None
    ) -> PaymentExists | KeyTaken | BindingUnusable | None:
        """Write the payment and note it as open on its binding, if the reference is new and the binding is ACTIVE.

        From the same write on the key names this payment; nothing is written when it names another one.
        """
        ...

    def bind_key(self, key: PaymentKey, ref: str) -> KeyTaken | None:
        """Let a key name a payment that exists, for ever, unless it names another one. Harmless when repeated."""
        ...

    def find_key(self, key: PaymentKey) -> str | None:
        """Return the reference of the payment that the key was recorded with. Read consistently."""
        ...

    def get(self, ref: str) -> Payment | None:
        """Read consistently."""
        ...

    def save(self, before: Payment, after: Payment) -> Payment:
        """Write `after` if the record is still `before` (by version). Raises PaymentChanged."""
        ...

    def reclaim(self, before: Payment, after: Payment) -> BindingUnusable | Payment:
        """Like `save` for a payment that is about to be sent (again): the binding must be ACTIVE in the same write."""
        ...

    def hold_account(self, before: Payment, after: Payment) -> BindingUnusable | Payment:
        """Like `save` for a payment whose refund begins: from this write on its account can not be unlinked.

        The binding must be linked: ACTIVE, RELINK_REQUIRED or UNBIND_OTP_PENDING (its code is then refused meanwhile).
        """
        ...

    def release_account(self, binding_id: str, ref: str, settled: Payment | None, *, told: bool = False) -> None:
        """Let the account of a payment go that is still as it was read; None when there was none.

        `told`: all its moves are told, and it no longer carries them. Harmless when repeated. Raises PaymentChanged.
        """
        ...

    def confirm_told(self, payment: Payment) -> None:
        """Let an open payment that is still as it was read carry its moves no longer; otherwise do nothing."""
        ...

    def put_off_news(self, payment: Payment, until: datetime) -> bool:
        """Let the moves of a payment that is still as it was read be told after `until`; False when it has changed."""
        ...

    def file_again(self, payment: Payment) -> None:
        """Let a payment that is still as it was read be listed as due from its due time on, no earlier."""
        ...

    def list_due(self, now: datetime, limit: int) -> Sequence[str]:
        """Return references of payments whose due time has come (eventually consistent, oldest first).

        One that was due before it moved on may be among them: see `file_again`.
        """
        ...

    def history(self, ref: str) -> Sequence[HistoryEntry]:
        """Return the recorded steps, oldest first (written off the hot path, so the newest may be missing)."""
        ...

    def add_history(self, ref: str, entry: HistoryEntry) -> bool:
        """Write one step; False when it was written before."""
        ...


class InboxKind(StrEnum):
    """What DOKU told us."""

    PAYMENT = "payment"
    BINDING = "binding"


class InboxState(StrEnum):
    """What became of an accepted notification."""

    ACCEPTED = "ACCEPTED"
    PROCESSED = "PROCESSED"
    QUARANTINED = "QUARANTINED"


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxItem:
    """An authentic notification, stored before it was answered.

    `body` is its notice, sealed (it may hold an authCode); older items hold DOKU's body.
    `subject` is the reference it speaks of, for the person who may have to look; older items have none.
    """

    id: str
    kind: InboxKind
    subject: str | None = None
    received_at: datetime
    fresh: bool
    body: str = field(repr=False)
    state: InboxState = InboxState.ACCEPTED
    reason: str | None = None
    attempts: int = 0
    due_at: datetime | None = None


class Inbox(Protocol):
    """Accepted notifications, in the transactions table."""

    def put(self, item: InboxItem) -> bool:
        """Store; False when an equal notification is stored already."""
        ...

    def get(self, item_id: str) -> InboxItem | None:
        """Read consistently."""
        ...

    def settle(self, before: InboxItem, after: InboxItem) -> None:
        """Write what became of it. A change by somebody else in between is kept."""
        ...

    def list_due(self, now: datetime, limit: int) -> Sequence[str]:
        """Return ids whose processing is overdue."""
        ...


# --- shared state of the fleet ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SharedToken:
    """The merchant's B2B token as the fleet shares it; `token` is sealed. Times are UTC.

    That DOKU issued it proves that it took the key `signed_with` at `issued_at`.
    """

    token: str = field(repr=False)
    signed_with: str
    issued_at: datetime
    expires_at: datetime
    generation: int


class B2BTokens(Protocol):
    """The one shared B2B token, and the lease of the one who may renew it."""

    def read(self) -> SharedToken | None:
        """Read consistently."""
        ...

    def take_lease(self, owner: str, generation: int, now: datetime, until: datetime) -> bool:
        """Become the one who renews generation `generation`; False while another lease runs or it was renewed."""
        ...

    def publish(self, owner: str, token: SharedToken) -> bool:
        """Replace the token and give up the lease; False when the lease had passed to somebody else."""
        ...

    def release_lease(self, owner: str) -> None:
        """Give up the lease after a failed renewal."""
        ...


@dataclass(frozen=True, slots=True)
class CircuitState:
    """Failures in a row since the last success, and until when new payments are refused. UTC."""

    failures: int = 0
    since: datetime | None = None
    open_until: datetime | None = None


class Circuit(Protocol):
    """The fleet's shared memory of whether DOKU answers."""

    def read(self) -> CircuitState:
        """Read (eventually consistent is enough)."""
        ...

    def replace(self, before: CircuitState, after: CircuitState) -> bool:
        """Write `after` if the state is still `before`; False otherwise."""
        ...


# --- DOKU ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DokuCall:
    """What every call carries: tokens, the request id and the time budget."""

    b2b_token: str = field(repr=False)
    external_id: str
    deadline: Deadline
    customer_token: str | None = field(default=None, repr=False)
    device_id: str | None = None
    ip_address: str | None = None


@dataclass(frozen=True, slots=True)
class IssuedB2BToken:
    """A fresh B2B token, its lifetime, and the key of ours with which it was asked for (see Doku.key_id)."""

    token: str = field(repr=False)
    expires_in: int  # seconds
    signed_with: str


@dataclass(frozen=True, slots=True)
class CustomerTokens:
    """A customer's fresh tokens. Times are UTC; None means that DOKU did not say."""

    access_token: str = field(repr=False)
    access_expires_at: datetime | None
    refresh_token: str | None = field(repr=False)
    refresh_expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class LinkRequest:
    """What the binding request carries (contract 3.3)."""

    phone: str = field(repr=False)
    customer_id: str
    # The addresses hold the return state, which only the customer's browser may know.
    success_url: str = field(repr=False)
    failed_url: str = field(repr=False)
    customer_name: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    id_card: str | None = field(default=None, repr=False)
    country: str | None = None
    address: str | None = field(default=None, repr=False)
    date_of_birth: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class LinkStarted:
    """DOKU's answer to a binding request."""

    code: str
    redirect_url: str | None = field(repr=False)
    auth_code: str | None = field(repr=False)


class Reply(StrEnum):
    """What DOKU answered to a write, as far as the next step depends on it."""

    DONE = "done"  # 200xxxx
    OTP_REQUIRED = "otp_required"  # 403xx13
    IN_PROGRESS = "in_progress"  # 202xxxx
    DECLINED = "declined"  # final
    EXPIRED = "expired"  # 403xx00, 403xx12
    CANCELLED = "cancelled"  # 404xx04
    OTP_WRONG = "otp_wrong"  # 404xx15
    OTP_BLOCKED = "otp_blocked"  # 403xx11
    OTP_NOT_AWAITED = "otp_not_awaited"  # 404xx06
    CUSTOMER_MUST_ACT = "customer_must_act"
    LATER = "later"  # refused for now: limits, cut-off, too many requests
    GONE = "gone"  # DOKU does not know the link any more (3.12)


@dataclass(frozen=True, slots=True)
class WriteAnswer:
    """A clear answer to a payment, OTP, refund or unbinding request."""

    reply: Reply
    code: str
    reference: str | None = None  # referenceNo, or refundNo for a refund
    redirect_url: str | None = field(default=None, repr=False)
    time: datetime | None = None  # refundTime


@dataclass(frozen=True, slots=True)
class RefundRecord:
    """One row of `refundHistory`. `status` is 00, 03 or 06."""

    number: str
    status: str
    refund_no: str | None


@dataclass(frozen=True, slots=True)
class StatusAnswer:
    """DOKU's answer to a status inquiry. `status` is a value of contract section 6 ("07" also stands for 4045501)."""

    status: str
    code: str
    original_code: str | None
    reference: str | None
    refunds: tuple[RefundRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class Balance:
    """One balance of an account. `amount` is a decimal string of rupiah."""

    type: str | None
    amount: str
    currency: str


class Doku(Protocol):
    """DOKU, as the application speaks with it. The adapter knows SNAP.

    Writes (bind, pay, verify, refund, unbind) raise OutcomeUnknown when the answer was lost or is ambiguous. Every
    call raises NotDone when surely nothing was sent or DOKU refused without an effect and asks to come again
    (DokuSilent where that speaks of DOKU), B2BTokenRefused or CustomerTokenRefused when a token was not taken,
    Unsendable when our own model refuses the message. Reads raise NotDone whenever there is no answer. An answer that
    names something else than was asked is none (doku_snap.ties).
    """

    def key_id(self) -> str:
        """Name the client id and private key with which requests for tokens are signed now; a rotation changes it.

        Raises StoreUnavailable.
        """
        ...

    def request_b2b_token(self, deadline: Deadline) -> IssuedB2BToken:
        """Ask for a B2B token (contract 3.1). Raises NotDone, Rejected (wrong key or client id)."""
        ...

    def exchange_auth_code(self, auth_code: str, deadline: Deadline) -> CustomerTokens:
        """Exchange an auth code (3.2). Raises RelinkRequired when DOKU does not (yet) take it, NotDone."""
        ...

    def refresh_customer_token(self, refresh_token: str, deadline: Deadline) -> CustomerTokens:
        """Use the refresh grant (3.2). Raises RelinkRequired when DOKU does not take it, NotDone."""
        ...

    def bind_account(self, request: LinkRequest, call: DokuCall) -> LinkStarted:
        """Start a link (3.3). Raises Rejected, CustomerActionRequired besides."""
        ...

    def inquire_balance(self, call: DokuCall) -> Sequence[Balance]:
        """Read the balance (3.7). Raises Rejected, CustomerActionRequired besides."""
        ...

    def make_payment(self, payment: Payment, call: DokuCall) -> WriteAnswer:
        """Send the payment as recorded (3.8)."""
        ...

    def verify_payment_otp(self, payment: Payment, otp: str, call: DokuCall) -> WriteAnswer:
        """Send the customer's OTP (3.6)."""
        ...

    def inquire_status(self, payment: Payment, call: DokuCall) -> StatusAnswer:
        """Ask what became of the payment, with its refunds (3.9)."""
        ...

    def refund_payment(self, payment: Payment, call: DokuCall) -> WriteAnswer:
        """Send the refund as recorded on the payment (3.11)."""
        ...

    def unbind_account(self, token: str, call: DokuCall) -> WriteAnswer:
        """Ask to unlink the account that `token` stands for (3.12)."""
        ...

    def verify_unbinding_otp(self, token: str, otp: str, call: DokuCall) -> WriteAnswer:
        """Confirm the unlinking with the customer's OTP (3.6)."""
        ...


# --- what leaves the application -------------------------------------------------------------------------------------


class Queues(Protocol):
    """Work for later. A message carries an id and an attempt, no personal data. The adapter bounds the delays.

    `chain` is how many workers, each by its message, led to this one; use cases leave it out (application.chains).
    """

    def send_notification(self, inbox_id: str, chain: int = 0) -> None:
        """Ask for an accepted notification to be processed now."""
        ...

    def send_refund(self, ref: str, attempt: int, delay: float, chain: int = 0) -> None:
        """Ask for a step of a refund in `delay` seconds."""
        ...

    def send_inquiry(self, ref: str, attempt: int, delay: float, chain: int = 0) -> None:
        """Ask for a status inquiry in `delay` seconds."""
        ...


@dataclass(frozen=True, slots=True)
class OutboxEvent:
    """Something that the merchant's own systems may want to know. `detail` holds no personal data."""

    name: str  # payment.paid, payment.failed, refund.completed, binding.activated, ...
    id: str  # unique per occurrence: consumers deduplicate on it
    at: datetime
    detail: Mapping[str, str | None]


class Events(Protocol):
    """The event bus."""

    def publish(self, event: OutboxEvent) -> None:
        """Publish; raises StoreUnavailable when the bus did not take it, Undeliverable when it never will."""
        ...

    def publish_together(self, events: Sequence[OutboxEvent]) -> frozenset[str]:
        """Publish events that need no order among each other; return the ids of those that the bus took."""
        ...


class Workflows(Protocol):
    """Waiting Step Functions executions."""

    def succeed(self, task_token: str, output: Mapping[str, str | None]) -> None:
        """Complete a waiting task with the outcome only. A task that is gone is fine.

        Raises StoreUnavailable, Undeliverable.
        """
        ...


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
    NOTIFICATION_REFUSED = "NotificationRefused"
    TOKEN_REQUEST_REFUSED = "TokenRequestRefused"  # noqa: S105 - a metric's name
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
    ) -> None:
        """Write one log line."""
        ...


# --- all of it -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class TokenMemory:
    """This process's copy of the shared B2B token, in the clear and never written anywhere."""

    token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """All that a use case may touch."""

    clock: Clock
    ids: Ids
    vault: Vault
    bindings: Bindings
    payments: Payments
    inbox: Inbox
    b2b_tokens: B2BTokens
    token_memory: TokenMemory
    circuit: Circuit
    doku: Doku
    queues: Queues
    events: Events
    workflows: Workflows
    telemetry: Telemetry
    settings: Settings
