"""Task tokens of waiting workflows: kept with the record, completed by its own transition (design section 8).

A token is sealed, since whoever has it may answer in our place; it goes once its workflow was told.
"""

from dataclasses import replace

from direct_debit.application.errors import BindingChanged, PaymentChanged
from direct_debit.application.ports.ports import Ports
from direct_debit.application.ports.vault import SealedField, open_text
from direct_debit.domain.binding import Binding, BindingState
from direct_debit.domain.payment import Payment


def adopt_task_token(ports: Ports, payment: Payment, task_token: str | None) -> Payment:
    """Let a workflow that asks again wait for a payment that exists: its new token replaces the old one.

    A payment that is final already completes the token at once.
    """
    if task_token is None:
        return payment
    current, sealed = payment, seal_payment_token(ports, payment.ref, task_token)
    while not _is_kept(ports, current.task_token, SealedField.PAYMENT_TASK, current.ref, task_token):
        if current.is_final:
            complete_payment_task(ports, replace(current, task_token=sealed))
            break
        try:
            current = ports.payments.save(current, replace(current.noted(ports.clock.now()), task_token=sealed))
        except PaymentChanged as race:
            current = race.current
    return current


def adopt_binding_task_token(ports: Ports, binding: Binding, task_token: str | None) -> Binding:
    """Let a workflow that asks for a link that exists wait for it; one that is active completes the token at once."""
    if task_token is None:
        return binding
    current, sealed = binding, seal_binding_token(ports, binding.id, task_token)
    while not _is_kept(ports, current.task_token, SealedField.LINK_TASK, current.id, task_token):
        if current.state is BindingState.ACTIVE:
            complete_binding_task(ports, replace(current, task_token=sealed))
            break
        try:
            current = ports.bindings.save(current, replace(current.noted(ports.clock.now()), task_token=sealed))
        except BindingChanged as race:
            current = race.current
    return current


def seal_payment_token(ports: Ports, ref: str, task_token: str | None) -> str | None:
    """Return a token as a payment keeps it."""
    return None if task_token is None else ports.vault.seal(task_token, SealedField.PAYMENT_TASK, ref)


def seal_binding_token(ports: Ports, binding_id: str, task_token: str | None) -> str | None:
    """Return a token as a link keeps it."""
    return None if task_token is None else ports.vault.seal(task_token, SealedField.LINK_TASK, binding_id)


def _is_kept(ports: Ports, kept: str | None, field: SealedField, owner: str, task_token: str) -> bool:
    return kept is not None and open_text(ports.vault, kept, field, owner) == task_token


def complete_payment_task(ports: Ports, payment: Payment) -> None:
    """Tell the waiting workflow the outcome of a final payment, and nothing else."""
    if payment.task_token is not None and payment.is_final:
        ports.workflows.succeed(
            open_text(ports.vault, payment.task_token, SealedField.PAYMENT_TASK, payment.ref),
            {
                "partnerReferenceNo": payment.ref,
                "state": payment.state,
                "reason": None if payment.failure is None else payment.failure.reason,
            },
        )


def complete_binding_task(ports: Ports, binding: Binding) -> None:
    """Tell the waiting workflow that a link became active or failed, and nothing else."""
    if binding.task_token is not None and binding.state in (BindingState.ACTIVE, BindingState.FAILED):
        token = open_text(ports.vault, binding.task_token, SealedField.LINK_TASK, binding.id)
        ports.workflows.succeed(token, {"bindingId": binding.id, "state": binding.state})
