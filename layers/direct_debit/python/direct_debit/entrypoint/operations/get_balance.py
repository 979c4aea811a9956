"""GET /bindings/{id}/balance: the balance of a linked account."""

from collections.abc import Sequence

from pydantic import Field

from direct_debit.application.bindings.get_balance import get_balance
from direct_debit.application.ports.doku import Balance
from direct_debit.domain.binding import Binding
from direct_debit.entrypoint.doors import Answer, Call
from direct_debit.entrypoint.names import BindingRequest
from direct_debit.entrypoint.route import BY_BINDING, SENDS, Route
from direct_debit.entrypoint.views.view import AmountView, View


class BalanceLine(View):
    """One balance of the account."""

    type: str | None = Field(default=None, examples=["Cash"])
    amount: AmountView


class BalanceView(View):
    """The balances of a linked account."""

    binding_id: str = Field(examples=["6f1d2c3b4a5968778695a4b3c2d1e0f0"])
    customer_id: str = Field(examples=["CUST-1001"])
    balances: Sequence[BalanceLine]


def show_balance(binding: Binding, balances: Sequence[Balance]) -> BalanceView:
    """Return what the API shows of an account's balances."""
    lines = [BalanceLine(type=line.type, amount=AmountView(value=line.amount)) for line in balances]
    return BalanceView(binding_id=binding.id, customer_id=binding.customer_id, balances=lines)


ROUTE = Route(
    name="get_balance",
    method="GET",
    path="/bindings/{id}/balance",
    summary="Read the account's balance",
    request=BindingRequest,
    response=BalanceView,
    answers={200: "The balances."},
    problems=(
        "not-found",
        "conflict",
        "rejected",
        "customer-action-required",
        "otp-not-awaited",
        "relink-required",
        *SENDS,
    ),
    from_path=BY_BINDING,
)


def operate(request: BindingRequest, call: Call) -> Answer:
    """Show the balances as DOKU gives them."""
    result = get_balance(request.binding_id, call.ports, call.deadline)
    return Answer(200, show_balance(result.binding, result.balances))
