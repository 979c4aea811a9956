"""What is shown of a link, by whichever operation. No token, auth code, OTP or phone number is in it."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from direct_debit.application.bindings.result import BindingResult
from direct_debit.domain.binding import BindingState
from direct_debit.entrypoint.views.view import Moment, View


class BindingView(View):
    """A link of a customer to a CIMB account."""

    brief: ClassVar[tuple[str, ...]] = ("binding_id", "state")

    binding_id: str = Field(examples=["6f1d2c3b4a5968778695a4b3c2d1e0f0"])
    customer_id: str = Field(examples=["CUST-1001"])
    state: BindingState
    phone_hint: str = Field(description="The last three digits of the phone number.", examples=["761"])
    redirect_url: str | None = Field(
        default=None,
        description="Where to send the customer's browser; only while the customer has to go there.",
        examples=["https://sandbox.doku.com/direct-debit/ui/binding/core/2238230713001534401107183161486001168389"],
        repr=False,
    )
    response_code: str | None = Field(default=None, description="DOKU's last response code.", examples=["2000700"])
    metadata: Mapping[str, str] = Field(examples=[{"segment": "gold"}])
    created_at: Moment
    updated_at: Moment
    links: Mapping[str, str] = Field(description="Where to look, and what can be done now.")


def show_binding(result: BindingResult) -> BindingView:
    """Return what the API shows of a binding."""
    binding = result.binding
    own = f"/bindings/{binding.id}"
    links = {"self": own}
    if binding.state is BindingState.UNBIND_OTP_PENDING:
        links["otp"] = f"{own}/otp"
    if binding.state is BindingState.ACTIVE:
        links["balance"] = f"{own}/balance"
    return BindingView(
        binding_id=binding.id,
        customer_id=binding.customer_id,
        state=binding.state,
        phone_hint=binding.phone_hint,
        redirect_url=result.redirect_url,
        response_code=binding.response_code,
        metadata=dict(binding.metadata),
        created_at=binding.created_at,
        updated_at=binding.updated_at,
        links=links,
    )
