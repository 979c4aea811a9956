"""A binding: one customer's CIMB account linked to this merchant (contract 3.3 to 3.5 and 3.12)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from direct_debit.domain.evidence import Evidence
from direct_debit.domain.move import PATIENCE, Move
from direct_debit.domain.transitions import TransitionTable
from direct_debit.domain.values import DayCount, is_forgotten


class BindingState(StrEnum):
    """How far a binding is."""

    REQUESTED = "REQUESTED"
    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    RELINK_REQUIRED = "RELINK_REQUIRED"
    UNBIND_OTP_PENDING = "UNBIND_OTP_PENDING"
    UNBOUND = "UNBOUND"
    FAILED = "FAILED"


class BindingEvent(StrEnum):
    """What can happen to a binding."""

    LINK_STARTED = "link_started"  # DOKU gave the page where the customer goes on
    LINK_REFUSED = "link_refused"  # DOKU refused, or says that the customer failed
    LINK_EXPIRED = "link_expired"  # the customer did not finish within the lease
    LINK_ABANDONED = "link_abandoned"  # the merchant gives up a link that the bank has not confirmed
    PROVED = "proved"  # a token exchange succeeded: the only proof of a link
    TOKEN_REJECTED = "token_rejected"  # noqa: S105 - an event's name  # DOKU no longer takes the customer's token
    UNBIND_REQUESTED = "unbind_requested"
    UNBIND_REFUSED = "unbind_refused"
    UNBIND_EXPIRED = "unbind_expired"  # the code was not given in time, and DOKU still knows the link
    UNBOUND = "unbound"


_S = BindingState
_E = BindingEvent

BINDING_TRANSITIONS: TransitionTable[BindingState, BindingEvent] = TransitionTable(
    machine="binding",
    initial=_S.REQUESTED,
    moves={
        (_S.REQUESTED, _E.LINK_STARTED): _S.PENDING,
        (_S.REQUESTED, _E.LINK_REFUSED): _S.FAILED,
        (_S.REQUESTED, _E.LINK_EXPIRED): _S.FAILED,
        (_S.REQUESTED, _E.LINK_ABANDONED): _S.FAILED,
        (_S.PENDING, _E.PROVED): _S.ACTIVE,
        (_S.PENDING, _E.LINK_REFUSED): _S.FAILED,
        (_S.PENDING, _E.LINK_EXPIRED): _S.FAILED,
        (_S.PENDING, _E.LINK_ABANDONED): _S.FAILED,
        (_S.ACTIVE, _E.TOKEN_REJECTED): _S.RELINK_REQUIRED,
        (_S.ACTIVE, _E.UNBIND_REQUESTED): _S.UNBIND_OTP_PENDING,
        (_S.RELINK_REQUIRED, _E.PROVED): _S.ACTIVE,
        (_S.RELINK_REQUIRED, _E.UNBIND_REQUESTED): _S.UNBIND_OTP_PENDING,
        (_S.UNBIND_OTP_PENDING, _E.UNBOUND): _S.UNBOUND,
        (_S.UNBIND_OTP_PENDING, _E.UNBIND_REFUSED): _S.ACTIVE,
        (_S.UNBIND_OTP_PENDING, _E.UNBIND_EXPIRED): _S.ACTIVE,
    },
    commands=frozenset({_E.UNBIND_REQUESTED, _E.LINK_ABANDONED}),
)


@dataclass(frozen=True, slots=True)
class SealedTokens:
    """A customer's tokens, encrypted with the binding's id as associated data. Times are UTC; None means not stated."""

    access_token: str = field(repr=False)
    access_expires_at: datetime | None
    refresh_token: str | None = field(repr=False)
    refresh_expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """One link of a customer to a CIMB account: one record, one version, moved only by `moved`.

    `account` is the keyed hash of the phone number, `phone_hint` its last three digits. `attempt`/`attempt_until` say
    who is speaking to DOKU about it, and until when others wait; `token_lease_until` likewise for a token refresh.
    `page_ended`: the customer came back from the bank's page without a link, so the next request gets another page;
    `earlier_pages` are those handed out before, which may be finished all the same: the auth code, sealed, by the
    external id of the request for it.
    `unbind_requested_by` is who asked last for an unlinking, or for giving the link up, as far as AWS told;
    `unbind_requested_at` starts the schedule of an unlinking whose end is open; `unbind_unclear` says that a request or
    code of it may have ended the link, so that the refusal of a later code proves nothing. `open_payments` are the
    references whose money may still move: they keep the account linked. `charges`, `pages` and `unlinkings` count what
    was asked for on a day: payments, pages of the bank's, unlinkings; each may reach the customer's phone. `untold` and
    `tell_by` are as a payment's.
    """

    id: str
    customer_id: str
    account: str
    phone_hint: str
    # Sealed: the merchant's pages may have the customer in their query.
    success_url: str = field(repr=False)
    failed_url: str = field(repr=False)
    request_hash: str
    return_state_hash: str
    state: BindingState = BindingState.REQUESTED
    version: int = 1
    created_at: datetime
    updated_at: datetime
    lease_until: datetime
    external_id: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    # Sealed: the page's address ends in the auth code.
    redirect_url: str | None = field(default=None, repr=False)
    auth_code: str | None = field(default=None, repr=False)
    page_ended: bool = False
    earlier_pages: Mapping[str, str] = field(default_factory=dict, repr=False)
    tokens: SealedTokens | None = None
    attempt: str | None = None
    attempt_until: datetime | None = None
    unbind_external_id: str | None = None
    unbind_requested_at: datetime | None = None
    unbind_requested_by: str | None = None
    unbind_redirect_url: str | None = field(default=None, repr=False)
    unbind_unclear: bool = False
    charges: DayCount = field(default_factory=DayCount)
    pages: DayCount = field(default_factory=DayCount)
    unlinkings: DayCount = field(default_factory=DayCount)
    otp_attempts: int = 0
    token_lease_until: datetime | None = None
    response_code: str | None = None
    due_at: datetime | None = None
    open_payments: frozenset[str] = frozenset()
    # What the outbox has still to do is no part of what the record says; the token, sealed, goes with its news.
    untold: tuple[Move, ...] = field(default=(), compare=False)
    tell_by: datetime | None = field(default=None, compare=False)
    task_token: str | None = field(default=None, repr=False, compare=False)
    evidence: Evidence

    @property
    def holds_account(self) -> bool:
        """Whether the account and the customer stay claimed for this binding."""
        return self.state not in (BindingState.UNBOUND, BindingState.FAILED)

    @property
    def is_forgotten(self) -> bool:
        """Whether its customer was removed: nobody has a page of it to go on to."""
        return is_forgotten(self.customer_id)

    @property
    def is_unconfirmed(self) -> bool:
        """Whether the bank has not confirmed the link, as far as is known: it keeps nobody out, and may be given up."""
        return self.state in (BindingState.REQUESTED, BindingState.PENDING)

    @property
    def is_confirmed(self) -> bool:
        """Whether the bank has confirmed the link and it has not ended: it keeps others out."""
        return self.holds_account and not self.is_unconfirmed

    @property
    def has_page(self) -> bool:
        """Whether the customer has a page of the bank's to go on with."""
        waiting = self.state in (BindingState.PENDING, BindingState.RELINK_REQUIRED)
        return waiting and self.redirect_url is not None

    @property
    def auth_codes(self) -> Mapping[str, str]:
        """The auth codes that may prove the link, sealed, by the external id of their request; the newest first."""
        newest = {} if self.auth_code is None else {self.external_id: self.auth_code}
        earlier = sorted(self.earlier_pages, reverse=True)  # an external id begins with its time
        return newest | {name: self.earlier_pages[name] for name in earlier}

    def is_of_request(self, external_id: str | None) -> bool:
        """Whether a request for a page, named by its external id, was for this link."""
        return external_id is not None and (external_id == self.external_id or external_id in self.earlier_pages)

    def is_busy(self, now: datetime) -> bool:
        """Whether somebody is speaking to DOKU about this binding right now."""
        return self.attempt_until is not None and now < self.attempt_until

    def moved(self, event: BindingEvent, evidence: Evidence) -> "Binding | None":
        """Return the binding after `event`, its version raised by one; None when the event changes nothing.

        Raises TransitionRefused for a command that does not fit the state.
        """
        following = BINDING_TRANSITIONS.decide(self.state, event)
        if following is None:
            return None
        return replace(
            self,
            state=following,
            version=self.version + 1,
            updated_at=evidence.at,
            response_code=evidence.code or self.response_code,
            evidence=evidence,
        )

    def told(self) -> "Binding":
        """Return the binding as one whose moves are told, and whose end a waiting workflow knows."""
        ended = self.state is BindingState.ACTIVE or not self.holds_account
        return replace(self, untold=(), tell_by=None, task_token=None if ended else self.task_token)

    def noted(self, at: datetime) -> "Binding":
        """Return the binding with its version raised for a change that is no transition, for example new tokens."""
        return replace(self, version=self.version + 1, updated_at=at)


# What others want to know of a link; the states between are of interest to nobody but its customer.
TOLD_STATES = frozenset({BindingState.ACTIVE, BindingState.RELINK_REQUIRED, BindingState.UNBOUND, BindingState.FAILED})


def remember_move(before: Binding | None, after: Binding) -> Binding:
    """Return `after` with its move from `before` noted, if it moved to a state of which others are told.

    That a link lives on after an unlinking is news to a workflow that waits for it only, and that one was begun is for
    the history: then `moved` is False. What is for the history alone has time until the link moves on.
    """
    earlier = None if before is None else before.state
    begun = after.state is BindingState.UNBIND_OTP_PENDING
    still_active = after.state is BindingState.ACTIVE and earlier is BindingState.UNBIND_OTP_PENDING
    known = any(move.version == after.version for move in after.untold)
    if known or after.state is earlier or not (begun or after.state in TOLD_STATES):
        return after
    move = Move(
        version=after.version,
        at=after.updated_at,
        state=after.state,
        moved=not (begun or still_active),
        source=after.evidence.source,
        code=after.evidence.code,
        response_code=after.response_code,
    )
    return replace(after, untold=(*after.untold, move), tell_by=after.tell_by if begun else after.updated_at + PATIENCE)
