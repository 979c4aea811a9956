"""What a link is, why, and what comes next. No customer, no phone, no token."""

from datetime import datetime

from direct_debit.adapters.dynamodb.binding_item import ASKED_AT_LEAST, was_given_up_at
from direct_debit.domain.binding import Binding, BindingState
from tools.ops.explain_payment import history_facts, tell_evidence, tell_history
from tools.ops.failure import OpsError
from tools.ops.report import Report, tell_time, write_time
from tools.ops.system import System

_S = BindingState

_NOW = {
    _S.REQUESTED: "The link is being started, or its starter died. The lease ends it.",
    _S.PENDING: (
        "The customer is at CIMB's pages. Their return, DOKU's notification, a repeated request or the end of "
        "the lease ends it."
    ),
    _S.ACTIVE: "Linked. Nothing to do.",
    _S.RELINK_REQUIRED: (
        "DOKU no longer takes the customer's token. The customer has to link the account again (POST /bindings)."
    ),
    _S.UNBIND_OTP_PENDING: (
        "Unlinking waits for the customer's OTP. Without it, a balance inquiry shows whether the link still stands: in "
        "the steps of the schedule, then each day."
    ),
    _S.UNBOUND: "Unlinked. Nothing to do.",
    _S.FAILED: "Not linked. The customer may start again (POST /bindings).",
}


def explain_binding(binding_id: str, system: System) -> Report:
    """Explain one binding by its id. Raises OpsError when there is none."""
    binding = system.ports.bindings.get(binding_id)
    if binding is None:
        raise OpsError(f"there is no binding {binding_id} in the stack {system.name}")
    now = system.ports.clock.now()
    steps = _foresee(binding, now)
    history = system.ports.bindings.history(binding_id)
    lines = [
        f"binding  {binding.id}  {binding.state}",
        f"since    {tell_time(binding.evidence.at, now)}",
        f"why      {tell_evidence(binding.evidence)}",
        *(
            []
            if binding.unbind_requested_at is None
            else [f"unlink   asked for at {tell_time(binding.unbind_requested_at, now)}"]
        ),
        *([] if binding.unbind_requested_by is None else [f"asked by {binding.unbind_requested_by} (to unlink)"]),
        f"created  {tell_time(binding.created_at, now)}, X-EXTERNAL-ID {binding.external_id}",
        f"DOKU     last response code {binding.response_code or '-'}",
        f"token    {_tell_token(binding, now)}",
        f"open     {', '.join(sorted(binding.open_payments)) or 'no payments'}",
        "",
        *tell_history(history),
        "",
        "next",
        *(f"  {step}" for step in steps),
    ]
    tokens = binding.tokens
    facts: dict[str, object] = {
        "bindingId": binding.id,
        "state": binding.state,
        "since": write_time(binding.evidence.at),
        "evidence": {"source": binding.evidence.source, "code": binding.evidence.code},
        "createdAt": write_time(binding.created_at),
        "leaseUntil": write_time(binding.lease_until),
        "externalId": binding.external_id,
        "responseCode": binding.response_code,
        "unbindRequestedAt": write_time(binding.unbind_requested_at),
        "unbindRequestedBy": binding.unbind_requested_by,
        "hasTokens": tokens is not None,
        "accessTokenExpiresAt": None if tokens is None else write_time(tokens.access_expires_at),
        "refreshTokenExpiresAt": None if tokens is None else write_time(tokens.refresh_expires_at),
        "openPayments": sorted(binding.open_payments),
        "dueAt": write_time(binding.due_at),
        "history": [history_facts(entry) for entry in history],
        "next": steps,
    }
    return Report(facts, lines)


def _foresee(binding: Binding, now: datetime) -> list[str]:
    steps = [_NOW[binding.state]]
    if binding.is_busy(now) and binding.attempt_until is not None:
        steps.append(f"Somebody is speaking to DOKU about it until {tell_time(binding.attempt_until, now)} at most.")
    if binding.state in (_S.REQUESTED, _S.PENDING):
        steps.append(f"Its lease on the account ends at {tell_time(binding.lease_until, now)}.")
        if now >= binding.lease_until:
            end = binding.lease_until + ASKED_AT_LEAST
            steps.append(
                f"DOKU is asked whether it was finished; without its word the link ends at {tell_time(end, now)}."
            )
    if binding.state is _S.UNBIND_OTP_PENDING and binding.unbind_unclear:
        steps.append("A code or request of it may have unlinked the account: only a balance shows that it stands.")
    if was_given_up_at(binding) is not None:
        steps.append("It was given up: DOKU did not say for a day whether the customer had finished.")
    if binding.due_at is not None:
        steps.append(f"The sweep looks at it at {tell_time(binding.due_at, now)}.")
    if binding.open_payments:
        steps.append("It can not be unlinked while payments are open.")
    return steps


def _tell_token(binding: Binding, now: datetime) -> str:
    tokens = binding.tokens
    if tokens is None:
        return "none stored"
    expiry = tokens.access_expires_at
    renewal = "can be renewed" if tokens.refresh_token is not None else "can not be renewed"
    return f"expires {tell_time(expiry, now) if expiry else 'at a time DOKU did not say'}, {renewal}"
