"""Task tokens of waiting workflows: kept with the record, completed by its own transition (design section 8)."""

from dataclasses import replace

from direct_debit.application.errors import BindingChanged, PaymentChanged
from direct_debit.application.ports.ports import Ports
from direct_debit.domain.binding import Binding, BindingState
from direct_debit.domain.payment import Payment


def adopt_task_token(ports: Ports, payment: Payment, task_token: str | None) -> Payment:
    """Let a workflow that asks again wait for a payment that exists: its new token replaces the old one.

    A payment that is final already completes the token at once.
    """
    current = payment
    while task_token is not None and current.task_token != task_token:
        try:
            current = ports.payments.save(current, replace(current.noted(ports.clock.now()), task_token=task_token))
        except PaymentChanged as race:
            current = race.current
            continue
        if current.is_final:
            complete_payment_task(ports, current)
    return current


def adopt_binding_task_token(ports: Ports, binding: Binding, task_token: str | None) -> Binding:
    """Let a workflow that asks for a link that exists wait for it; one that is active completes the token at once."""
    current = binding
    while task_token is not None and current.task_token != task_token:
        if current.state is BindingState.ACTIVE:
            complete_binding_task(ports, replace(current, task_token=task_token))
            break
        try:
            current = ports.bindings.save(current, replace(current.noted(ports.clock.now()), task_token=task_token))
        except BindingChanged as race:
            current = race.current
    return current


def complete_payment_task(ports: Ports, payment: Payment) -> None:
    """Tell the waiting workflow the outcome of a final payment, and nothing else."""
    if payment.task_token is not None and payment.is_final:
        ports.workflows.succeed(
            payment.task_token,
            {
                "partnerReferenceNo": payment.ref,
                "state": payment.state,
                "reason": None if payment.failure is None else payment.failure.reason,
            },
        )


def complete_binding_task(ports: Ports, binding: Binding) -> None:
    """Tell the waiting workflow that a link became active or failed, and nothing else."""
    if binding.task_token is not None and binding.state in (BindingState.ACTIVE, BindingState.FAILED):
        ports.workflows.succeed(binding.task_token, {"bindingId": binding.id, "state": binding.state})
