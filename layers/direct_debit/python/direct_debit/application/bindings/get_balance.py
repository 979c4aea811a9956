"""Read the balance of a linked account (contract 3.7)."""

from collections.abc import Sequence
from dataclasses import dataclass

from direct_debit.application.calls.call_doku import call_doku
from direct_debit.application.deadline import Deadline
from direct_debit.application.errors import no_binding
from direct_debit.application.ports.doku import Balance
from direct_debit.application.ports.ports import Ports
from direct_debit.domain.binding import Binding, BindingState


@dataclass(frozen=True, slots=True)
class BalanceResult:
    """The balances of the binding's account as DOKU gave them."""

    binding: Binding
    balances: Sequence[Balance]


def get_balance(binding_id: str, ports: Ports, deadline: Deadline) -> BalanceResult:
    """Ask DOKU for the balance.

    Raises NotFound, Conflict (not ACTIVE), RelinkRequired, CustomerActionRequired, Rejected, NotDone.
    """
    binding = ports.bindings.get(binding_id)
    if binding is None:
        raise no_binding()
    if binding.state is not BindingState.ACTIVE:
        from direct_debit.application.bindings.not_active import explain_not_active  # noqa: PLC0415 - a good link needs it never

        raise explain_not_active(binding.state)
    balances = call_doku(ports, deadline, ports.doku.inquire_balance, binding=binding)
    return BalanceResult(binding, balances)
