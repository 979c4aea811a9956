"""GET /bindings/{id}/balance: the balance of a linked account."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import Field

from direct_debit.application.bindings.get_balance import get_balance
from direct_debit.application.ports.doku_reads import Balance
from direct_debit.domain.binding import Binding
from direct_debit.entrypoint.doors import Answer, Call
from direct_debit.entrypoint.names import BindingRequest
from direct_debit.entrypoint.route import BY_BINDING, BY_CUSTOMER, SENDS, Route
from direct_debit.entrypoint.values import AmountBody
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


class BalanceRequest(BindingRequest):
    """Read the balance; a workflow asks whether it covers an amount, so that no balance is in its history."""

    covers: Annotated[
        AmountBody | None,
        Field(
            description='An amount is an object: {"value": "10000.00", "currency": "IDR"}.',
            examples=[{"value": "10000.00", "currency": "IDR"}],
        ),
    ] = None


class CoverView(View):
    """Whether an account covers an amount. Without any balance that is left to the bank."""

    brief: ClassVar[tuple[str, ...]] = ("binding_id", "covers")

    binding_id: str
    covers: bool | None


def show_cover(binding: Binding, balances: Sequence[Balance], amount: AmountBody | None) -> CoverView:
    """Return what a workflow is told of an account's balances."""
    covers = None
    if amount is not None:
        needed = Decimal(amount.value)
        covers = not balances or any(Decimal(line.amount) >= needed for line in balances)
    return CoverView(binding_id=binding.id, covers=covers)


def show_balance(binding: Binding, balances: Sequence[Balance]) -> BalanceView:
    """Return what the API shows of an account's balances."""
    lines = [BalanceLine(type=line.type, amount=AmountView(value=line.amount)) for line in balances]
    return BalanceView(binding_id=binding.id, customer_id=binding.customer_id, balances=lines)


ROUTE = Route(
    name="get_balance",
    method="GET",
    path="/bindings/{id}/balance",
    summary="Read the account's balance",
    request=BalanceRequest,
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
    from_query=BY_CUSTOMER,
    command_only=frozenset({"covers"}),
)


def operate(request: BalanceRequest, call: Call) -> Answer:
    """Show the balances as DOKU gives them."""
    result = get_balance(request.binding_id, call.ports, call.deadline, request.customer_id)
    cover = show_cover(result.binding, result.balances, request.covers)
    return Answer(200, show_balance(result.binding, result.balances), brief=cover)
