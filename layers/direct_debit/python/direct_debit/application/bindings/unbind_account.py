"""Unlink a customer's account (contract 3.12): usually the bank asks for an OTP before it is done.

No payment may be open: a debit under way would lose the token that its refund needs, and a debit that started after
the unlinking was acknowledged must not exist. The claim and that condition are one write.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from direct_debit.application.bindings.advance_binding import advance_binding, tidied, without_attempt
from direct_debit.application.bindings.prove_binding import prove_binding
from direct_debit.application.bindings.release_account import release_account
from direct_debit.application.bindings.result import BindingResult, show_binding
from direct_debit.application.calls.call_doku import call_doku
from direct_debit.application.deadline import Deadline
from direct_debit.application.errors import (
    BindingChanged,
    Conflict,
    FreshTokenRefused,
    NotDone,
    NotFound,
    OutcomeUnknown,
    Rejected,
    RelinkRequired,
    StoreUnavailable,
    Unsendable,
)
from direct_debit.application.ports.doku import DokuCall, Reply, WriteAnswer
from direct_debit.application.ports.ports import Ports
from direct_debit.application.references import make_external_id
from direct_debit.domain.binding import Binding, BindingEvent, BindingState
from direct_debit.domain.evidence import Evidence, EvidenceSource
from direct_debit.domain.schedule import next_due

_ATTEMPT = timedelta(seconds=30)
_ROUNDS = 5
_GONE = frozenset({Reply.DONE, Reply.GONE})
_REFUSED = frozenset(
    {Reply.DECLINED, Reply.CUSTOMER_MUST_ACT, Reply.LATER, Reply.EXPIRED, Reply.CANCELLED, Reply.OTP_BLOCKED}
)


def unbind_account(binding_id: str, ports: Ports, deadline: Deadline) -> BindingResult:
    """Ask DOKU to unlink; return the binding as it is then (UNBIND_OTP_PENDING or UNBOUND).

    A link that the bank has not confirmed is given up (FAILED). Raises NotFound, Conflict (payments are open), Rejected
    (DOKU refused; still linked), NotDone.
    """
    binding = ports.bindings.get(binding_id)
    if binding is None:
        raise NotFound("there is no such binding")
    for _ in range(_ROUNDS):
        if binding.is_unconfirmed:
            binding = _abandon(binding, ports, deadline)
            if binding.state is BindingState.FAILED:
                return show_binding(binding, ports)
            continue
        if binding.state not in (BindingState.ACTIVE, BindingState.RELINK_REQUIRED):
            return show_binding(binding, ports, replayed=True)
        settle_open_payments(binding, ports)
        claimed = _claim(binding, ports)
        if claimed is None:
            raise NotDone("the binding changed meanwhile; repeat the request")
        try:
            stored = ports.bindings.save_when_settled(binding, claimed)
        except BindingChanged as race:
            binding = race.current
            continue
        return show_binding(_send(stored, ports, deadline), ports)
    raise NotDone("the binding changed too often; repeat the request")


def _abandon(binding: Binding, ports: Ports, deadline: Deadline) -> Binding:
    """Give up a link; return it as stored.

    One that its customer has just finished is linked, and unlinking it is what is asked for then.
    """
    binding = prove_binding(binding, ports, deadline)
    now = ports.clock.now()
    if binding.is_busy(now):  # what DOKU answers must not come too late
        raise NotDone("DOKU is being asked about this link right now; repeat the request")
    if not binding.is_unconfirmed:
        return binding
    given_up = binding.moved(BindingEvent.LINK_ABANDONED, Evidence(EvidenceSource.CALLER, now))
    if given_up is None:
        return binding
    try:
        stored = ports.bindings.save(binding, tidied(given_up))
    except BindingChanged as race:
        return race.current
    ports.telemetry.note("link abandoned", binding_id=stored.id, state=stored.state)
    return stored


def next_probe(ports: Ports, binding: Binding, now: datetime) -> datetime:
    """Return when to look at an unlinking whose end is open; once the schedule has ended, each day."""
    origin = binding.unbind_requested_at or now
    due = next_due(origin, now, ports.settings.binding_schedule, ports.ids.jitter())
    return due or now + timedelta(days=1)


def end_unbinding(binding: Binding, event: BindingEvent, evidence: Evidence, ports: Ports) -> Binding:
    """Write how an unlinking ended, and that nobody speaks to DOKU about it any more.

    If the store fails now, the record stays as it is and the resolver's probe finds out: DOKU has answered, so this
    must not look like "nothing happened".
    """
    try:
        return advance_binding(
            ports,
            binding,
            event,
            evidence,
            change=lambda after: replace(without_attempt(after), unbind_requested_at=None),
        )
    except StoreUnavailable:
        ports.telemetry.note("answer not written, left to the resolver", binding_id=binding.id, code=evidence.code)
        return binding


def lives_on(error: RelinkRequired) -> bool:
    """Whether the link lives although its token was refused; else DOKU does not know it: it is unlinked already.

    Only what speaks of the link proves its end: an account that DOKU does not know (404xx11), or an authorisation that
    it does not take (401xx). A refusal for another reason (403xx16, suspended) does not, and neither does a 401 for a
    token that DOKU has just renewed: the renewal has shown that the link lives.
    """
    kind = (error.code or "")[:3]
    if isinstance(error, FreshTokenRefused):
        return kind != "404"
    return kind not in ("", "401", "404")  # without a code: there was no token left to ask with


def pause_unbinding(
    binding: Binding, ports: Ports, answer: WriteAnswer | None = None, *, unclear: bool = False
) -> Binding:
    """Write that an unlinking goes on: the OTP is awaited, or what became of it is `unclear` and will be found out.

    Where somebody else speaks to DOKU about it by now, that one writes what follows.
    """
    current = binding
    while current.state is BindingState.UNBIND_OTP_PENDING and current.attempt == binding.attempt:
        now = ports.clock.now()
        url = None if answer is None else answer.redirect_url
        after = replace(
            current.noted(now),
            attempt=None,
            attempt_until=None,
            unbind_unclear=current.unbind_unclear or unclear,
            unbind_redirect_url=current.unbind_redirect_url if url is None else ports.vault.seal(url, binding.id),
            response_code=current.response_code if answer is None else answer.code,
            due_at=_next_look(ports, current, now, unclear=unclear),
        )
        try:
            return ports.bindings.save(current, after)
        except BindingChanged as race:
            current = race.current
        except StoreUnavailable:
            return current  # the attempt ends by itself, and the due time stands in the record
    return current


def _next_look(ports: Ports, binding: Binding, now: datetime, *, unclear: bool) -> datetime:
    """Return when to look; what became of a lost code is looked up when codes have had their time, not a step later."""
    step = next_probe(ports, binding, now)
    return min(step, now + timedelta(seconds=ports.settings.binding_schedule[0])) if unclear else step


def _claim(binding: Binding, ports: Ports) -> Binding | None:
    now = ports.clock.now()
    moved = binding.moved(BindingEvent.UNBIND_REQUESTED, Evidence(EvidenceSource.CALLER, now))
    if moved is None:
        return None
    claimed = replace(
        moved,
        attempt=ports.ids.new_id(),
        attempt_until=now + _ATTEMPT,
        unbind_external_id=make_external_id(ports.clock, ports.ids),
        unbind_requested_at=now,
        unbind_unclear=False,
        otp_attempts=0,
        redirect_url=None,
    )
    return replace(claimed, due_at=next_probe(ports, claimed, now))


def make_renewal(binding: Binding, ports: Ports) -> Callable[[], str]:
    """Return what makes the next request id where DOKU refused a request of an unlinking for its token.

    The refused request did nothing. Before the next one: is this attempt still the one, and has no refund come first?
    Raises NotDone otherwise.
    """

    def renew_external_id() -> str:
        current = ports.bindings.get(binding.id)
        if current is None or current.attempt != binding.attempt or current.open_payments:
            raise NotDone("the binding was changed while the tokens were renewed; nothing was done, ask for its state")
        return make_external_id(ports.clock, ports.ids)

    return renew_external_id


def settle_open_payments(binding: Binding, ports: Ports) -> None:
    """Forget payments that have settled; refuse while one has not."""
    unfinished = [ref for ref in sorted(binding.open_payments) if not release_account(binding.id, ref, ports)]
    if unfinished:
        raise Conflict(f"payments are not finished: {', '.join(unfinished)}; unlink when they are")


def _send(binding: Binding, ports: Ports, deadline: Deadline) -> Binding:
    def send(call: DokuCall) -> WriteAnswer:
        if call.customer_token is None:
            raise RelinkRequired("the account is not linked any more")
        return ports.doku.unbind_account(call.customer_token, call)

    try:
        answer = call_doku(
            ports,
            deadline,
            send,
            binding=binding,
            external_id=binding.unbind_external_id,
            renew_external_id=make_renewal(binding, ports),
        )
    except RelinkRequired as error:
        evidence = Evidence(EvidenceSource.ANSWER, ports.clock.now(), error.code)
        if lives_on(error):
            end_unbinding(binding, BindingEvent.UNBIND_REFUSED, evidence, ports)
            raise NotDone("DOKU refuses the customer's token at the moment; repeat the request") from error
        return end_unbinding(binding, BindingEvent.UNBOUND, evidence, ports)
    except (NotDone, Unsendable) as error:
        evidence = Evidence(EvidenceSource.NOTHING_SENT, ports.clock.now(), error.code)
        end_unbinding(binding, BindingEvent.UNBIND_REFUSED, evidence, ports)
        raise
    except OutcomeUnknown:
        return pause_unbinding(binding, ports, unclear=True)
    evidence = Evidence(EvidenceSource.ANSWER, ports.clock.now(), answer.code)
    if answer.reply in _GONE:
        return end_unbinding(binding, BindingEvent.UNBOUND, evidence, ports)
    if answer.reply in _REFUSED:
        end_unbinding(binding, BindingEvent.UNBIND_REFUSED, evidence, ports)
        raise Rejected("DOKU refused to unlink; the account stays linked", code=answer.code)
    return pause_unbinding(binding, ports, answer, unclear=answer.reply is not Reply.OTP_REQUIRED)
