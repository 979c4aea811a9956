"""Unlink a customer's account (contract 3.12): usually the bank asks for an OTP before it is done.

No payment may be open: a debit under way would lose the token that its refund needs, and a debit that started after
the unlinking was acknowledged must not exist. The claim and that condition are one write.
"""

from dataclasses import replace
from datetime import timedelta

from direct_debit.application.bindings.advance_binding import tidied
from direct_debit.application.bindings.find_binding import find_binding
from direct_debit.application.bindings.prove_binding import prove_binding
from direct_debit.application.bindings.result import BindingResult, show_binding
from direct_debit.application.bindings.unbinding import (
    end_unbinding,
    lives_on,
    make_renewal,
    next_probe,
    pause_unbinding,
    settle_open_payments,
)
from direct_debit.application.calls.call_doku import call_doku
from direct_debit.application.deadline import Deadline
from direct_debit.application.errors import (
    BindingChanged,
    Conflict,
    NotDone,
    OutcomeUnknown,
    Rejected,
    RelinkRequired,
    Unsendable,
)
from direct_debit.application.ports.doku import DokuCall, Reply, WriteAnswer
from direct_debit.application.ports.ports import Ports
from direct_debit.application.references import make_external_id
from direct_debit.domain.binding import Binding, BindingEvent, BindingState
from direct_debit.domain.evidence import Evidence, EvidenceSource
from direct_debit.domain.values import day_in_jakarta

_ATTEMPT = timedelta(seconds=30)
_ROUNDS = 5
_GONE = frozenset({Reply.DONE, Reply.GONE})
_REFUSED = frozenset(
    {Reply.DECLINED, Reply.CUSTOMER_MUST_ACT, Reply.LATER, Reply.EXPIRED, Reply.CANCELLED, Reply.OTP_BLOCKED}
)


def unbind_account(
    binding_id: str,
    ports: Ports,
    deadline: Deadline,
    *,
    customer_id: str | None = None,
    requested_by: str | None = None,
) -> BindingResult:
    """Ask DOKU to unlink; return the binding as it is then (UNBIND_OTP_PENDING or UNBOUND). It keeps who asked.

    It has to be the customer's, where one is named. A link that the bank has not confirmed is given up (FAILED).
    Raises NotFound, Conflict (payments are open, or it was begun too often today), Rejected (DOKU refused; still
    linked), NotDone.
    """
    binding = find_binding(binding_id, ports, customer_id)
    for _ in range(_ROUNDS):
        if binding.is_unconfirmed:
            binding = _abandon(binding, ports, deadline, requested_by)
            if binding.state is BindingState.FAILED:
                return show_binding(binding, ports)
            continue
        if binding.state not in (BindingState.ACTIVE, BindingState.RELINK_REQUIRED):
            return show_binding(binding, ports, replayed=True)
        settle_open_payments(binding, ports)
        _require_another(binding, ports)
        claimed = _claim(binding, ports, requested_by)
        if claimed is None:
            raise NotDone("the binding changed meanwhile; repeat the request")
        try:
            stored = ports.bindings.save_when_settled(binding, claimed)
        except BindingChanged as race:
            binding = race.current
            continue
        return show_binding(_send(stored, ports, deadline), ports)
    raise NotDone("the binding changed too often; repeat the request")


def _abandon(binding: Binding, ports: Ports, deadline: Deadline, requested_by: str | None) -> Binding:
    """Give up a link; return it as stored.

    One that its customer has just finished is linked, and unlinking it is what is asked for then.
    """
    binding = prove_binding(binding, ports, deadline, last=True)
    now = ports.clock.now()
    if binding.is_busy(now):  # what DOKU answers must not come too late
        raise NotDone("DOKU is being asked about this link right now; repeat the request")
    if not binding.is_unconfirmed:
        return binding
    given_up = binding.moved(BindingEvent.LINK_ABANDONED, Evidence(EvidenceSource.CALLER, now))
    if given_up is None:
        return binding
    try:
        stored = ports.bindings.save(binding, replace(tidied(given_up), unbind_requested_by=requested_by))
    except BindingChanged as race:
        return race.current
    ports.telemetry.note("link abandoned", binding_id=stored.id, state=stored.state)
    return stored


def _require_another(binding: Binding, ports: Ports) -> None:
    """Let no account have more unlinkings in a day than are allowed: each may be a code to the customer's phone."""
    most = ports.settings.max_unlinkings_per_day
    if most and binding.unlinkings.on(day_in_jakarta(ports.clock.now())) >= most:
        raise Conflict(
            f"this account has had its {most} unlinkings of a day; the next day begins at midnight in Jakarta "
            "(MaxUnlinkingsPerDay, docs/operations.md); nothing was sent, and it stays linked"
        )


def _claim(binding: Binding, ports: Ports, requested_by: str | None) -> Binding | None:
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
        unbind_requested_by=requested_by,
        unbind_unclear=False,
        unlinkings=binding.unlinkings.once_more(day_in_jakarta(now)),
        otp_attempts=0,
        redirect_url=None,
    )
    return replace(claimed, due_at=next_probe(ports, claimed, now))


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
        raise Rejected(
            "DOKU refused to unlink: responseCode says why; the account stays linked, and the same again begins anew",
            code=answer.code,
        )
    return pause_unbinding(binding, ports, answer, unclear=answer.reply is not Reply.OTP_REQUIRED)
