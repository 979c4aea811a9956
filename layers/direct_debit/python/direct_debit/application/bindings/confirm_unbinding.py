"""Confirm an unlinking with the customer's OTP (contract 3.6, 3.12). The OTP is never stored."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

from direct_debit.application.bindings.find_binding import find_binding
from direct_debit.application.bindings.result import BindingResult, show_binding
from direct_debit.application.bindings.unbinding import (
    end_unbinding,
    lives_on,
    make_renewal,
    pause_unbinding,
    settle_open_payments,
)
from direct_debit.application.calls.call_doku import call_doku
from direct_debit.application.deadline import Deadline
from direct_debit.application.errors import (
    BindingChanged,
    Conflict,
    CustomerActionRequired,
    NotDone,
    OutcomeUnknown,
    Rejected,
    RelinkRequired,
    Unsendable,
)
from direct_debit.application.ports.doku import DokuCall, Reply, WriteAnswer
from direct_debit.application.ports.ports import Ports
from direct_debit.domain.binding import Binding, BindingEvent, BindingState
from direct_debit.domain.evidence import Evidence, EvidenceSource

_ATTEMPT = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmUnbinding:
    """The code that the customer got from CIMB for the unlinking."""

    binding_id: str
    otp: str = field(repr=False)
    customer_id: str | None = None  # whose link it has to be


def confirm_unbinding(command: ConfirmUnbinding, ports: Ports, deadline: Deadline) -> BindingResult:
    """Verify the OTP; return the binding as it is then: UNBOUND, or still pending when the answer was lost, or was a
    refusal while nobody knows what became of an earlier code.

    A refund that was asked for meanwhile comes first: it needs the customer's token, which the unlinking destroys.
    Raises NotFound, Conflict (no OTP is awaited, or a refund is open), CustomerActionRequired (wrong code), Rejected
    (expired, blocked, refused: still linked), NotDone.
    """
    binding = find_binding(command.binding_id, ports, command.customer_id)
    if binding.state is not BindingState.UNBIND_OTP_PENDING:
        if binding.state is BindingState.UNBOUND and binding.otp_attempts:
            return show_binding(binding, ports, replayed=True)  # the answer to its code may have been lost
        begin = "; DELETE /bindings/{id} asks for one" if binding.state is BindingState.ACTIVE else ""
        raise Conflict(f"no code is awaited: the binding is {binding.state}{begin}")
    now = ports.clock.now()
    if binding.is_busy(now):
        raise Conflict("DOKU is being asked about this binding right now; try again shortly")
    if binding.otp_attempts >= ports.settings.max_otp_attempts:
        raise Conflict("no more codes are accepted for this unlinking; start it again when it has expired")
    claim = replace(
        binding.noted(now),
        attempt=ports.ids.new_id(),
        attempt_until=now + _ATTEMPT,
        unbind_unclear=binding.unbind_unclear or binding.attempt is not None,  # whoever spoke to DOKU has died
        otp_attempts=binding.otp_attempts + 1,
    )
    settle_open_payments(binding, ports)
    try:
        claimed = ports.bindings.save_when_settled(binding, claim)
    except BindingChanged as race:
        raise Conflict("the binding changed meanwhile; ask for its state") from race
    return show_binding(_send(claimed, command.otp, ports, deadline), ports)


def _send(binding: Binding, otp: str, ports: Ports, deadline: Deadline) -> Binding:
    def send(call: DokuCall) -> WriteAnswer:
        if call.customer_token is None:
            raise RelinkRequired("the account is not linked any more")
        return ports.doku.verify_unbinding_otp(call.customer_token, otp, call)

    try:
        renewal = make_renewal(binding, ports)
        answer = call_doku(ports, deadline, send, binding=binding, renew_external_id=renewal)
    except RelinkRequired as error:
        if lives_on(error):
            paused = pause_unbinding(binding, ports)
            if paused.unbind_unclear:
                return paused
            raise NotDone("DOKU refuses the customer's token at the moment; repeat the request") from error
        evidence = Evidence(EvidenceSource.ANSWER, ports.clock.now(), error.code)
        return end_unbinding(binding, BindingEvent.UNBOUND, evidence, ports)
    except (NotDone, Unsendable):
        paused = pause_unbinding(binding, ports)
        if paused.unbind_unclear:
            return paused  # this code did nothing, but an earlier one may have unlinked the account: the probe tells
        raise
    except OutcomeUnknown:
        return pause_unbinding(binding, ports, unclear=True)
    return _follow(binding, answer, ports)


def _follow(binding: Binding, answer: WriteAnswer, ports: Ports) -> Binding:
    evidence = Evidence(EvidenceSource.ANSWER, ports.clock.now(), answer.code)
    match answer.reply:
        case Reply.DONE | Reply.GONE:
            return end_unbinding(binding, BindingEvent.UNBOUND, evidence, ports)
        case Reply.OTP_WRONG:
            pause_unbinding(binding, ports)
            raise CustomerActionRequired("the code is wrong; ask the customer for it again", code=answer.code)
        case Reply.EXPIRED | Reply.OTP_BLOCKED | Reply.DECLINED | Reply.CUSTOMER_MUST_ACT | Reply.CANCELLED:
            if binding.unbind_unclear:  # perhaps an earlier code has unlinked the account: the probe tells
                return pause_unbinding(binding, ports)
            end_unbinding(binding, BindingEvent.UNBIND_REFUSED, evidence, ports)
            raise Rejected(
                "the bank refused; the account stays linked, and DELETE /bindings/{id} begins anew", code=answer.code
            )
        case _:
            return pause_unbinding(binding, ports, answer, unclear=True)
