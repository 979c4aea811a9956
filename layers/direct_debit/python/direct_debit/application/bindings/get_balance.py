"""Read the balance of a linked account (contract 3.7)."""

from collections.abc import Sequence
from dataclasses import dataclass

from direct_debit.application.bindings.find_binding import find_binding
from direct_debit.application.calls.call_doku import call_doku
from direct_debit.application.deadline import Deadline
from direct_debit.application.ports.doku_reads import Balance
from direct_debit.application.ports.ports import Ports
from direct_debit.domain.binding import Binding, BindingState


@dataclass(frozen=True, slots=True)
class BalanceResult:
    """The balances of the binding's account as DOKU gave them."""

    binding: Binding
    balances: Sequence[Balance]


def get_balance(binding_id: str, ports: Ports, deadline: Deadline, customer_id: str | None = None) -> BalanceResult:
    """Ask DOKU for the balance of a binding, which has to be the customer's, where one is named.

    Raises NotFound, Conflict (not ACTIVE), RelinkRequired, CustomerActionRequired, Rejected, NotDone.
    """
    binding = find_binding(binding_id, ports, customer_id)
    if binding.state is not BindingState.ACTIVE:
        from direct_debit.application.bindings.not_active import explain_not_active  # noqa: PLC0415 - a good link needs it never

        raise explain_not_active(binding.state)
    balances = call_doku(ports, deadline, ports.doku.inquire_balance, binding=binding)
    return BalanceResult(binding, balances)
