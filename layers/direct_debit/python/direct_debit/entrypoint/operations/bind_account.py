"""POST /bindings: start linking a customer's CIMB account."""

from datetime import date
from typing import Annotated

from pydantic import (
    AfterValidator,
    Field,
)
from pydantic_core import PydanticCustomError

from direct_debit.application.bindings.bind_account import BindAccount, bind_account
from direct_debit.domain import values
from direct_debit.entrypoint.command import Command
from direct_debit.entrypoint.doors import Answer, Call
from direct_debit.entrypoint.route import SENDS, TASK_TOKEN, BodyRule, Route
from direct_debit.entrypoint.values import CustomerId, DeviceId, IpAddress, LinkReturnUrl, Metadata, TaskToken
from direct_debit.entrypoint.views.binding import BindingView, show_binding


def _check_date(value: str) -> str:
    try:
        date.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("date", "not a date") from None
    return value


class BindAccountRequest(Command):
    """Link a customer's CIMB account."""

    customer_id: CustomerId
    phone: Annotated[
        str,
        Field(
            pattern=values.PHONE,
            description="The phone number registered at CIMB: 9 to 16 digits that begin with 62.",
            examples=["62857957868761"],
            repr=False,
        ),
    ]
    success_url: LinkReturnUrl | None = None
    failed_url: LinkReturnUrl | None = None
    customer_name: Annotated[
        str | None,
        Field(
            max_length=values.NAME_LENGTH,
            pattern=values.TEXT,
            description=f"1 to {values.NAME_LENGTH} printable characters.",
            repr=False,
        ),
    ] = None
    email: Annotated[
        str | None,
        Field(
            max_length=values.EMAIL_LENGTH,
            pattern=values.EMAIL,
            description="An e-mail address of at most 64 characters.",
            examples=["customer@shop.example"],
            repr=False,
        ),
    ] = None
    id_card: Annotated[
        str | None,
        Field(pattern=values.ID_CARD, description="The identity card: 1 to 20 letters or digits.", repr=False),
    ] = None
    country: Annotated[
        str | None,
        Field(
            max_length=values.COUNTRY_LENGTH,
            pattern=values.TEXT,
            description=f"1 to {values.COUNTRY_LENGTH} printable characters.",
        ),
    ] = None
    address: Annotated[
        str | None,
        Field(
            max_length=values.ADDRESS_LENGTH,
            pattern=values.TEXT,
            description=f"1 to {values.ADDRESS_LENGTH} printable characters.",
            repr=False,
        ),
    ] = None
    date_of_birth: Annotated[
        Annotated[str, AfterValidator(_check_date)] | None,
        Field(pattern=values.DATE, description="A date as YYYYMMDD.", examples=["19900131"], repr=False),
    ] = None
    metadata: Metadata = Field(default_factory=dict)
    device_id: DeviceId | None = None
    ip_address: IpAddress | None = None
    task_token: Annotated[TaskToken | None, Field(repr=False)] = None

    def to_command(self) -> BindAccount:
        """Return the use case's command."""
        return BindAccount(
            customer_id=self.customer_id,
            phone=self.phone,
            success_url=self.success_url,
            failed_url=self.failed_url,
            customer_name=self.customer_name,
            email=self.email,
            id_card=self.id_card,
            country=self.country,
            address=self.address,
            date_of_birth=self.date_of_birth,
            metadata=self.metadata,
            device_id=self.device_id,
            ip_address=self.ip_address,
            task_token=self.task_token,
        )


ROUTE = Route(
    name="bind_account",
    method="POST",
    path="/bindings",
    summary="Link a customer's CIMB account",
    request=BindAccountRequest,
    response=BindingView,
    answers={
        201: "PENDING: send the customer's browser to `redirectUrl`. FAILED: DOKU refused, `responseCode` says why.",
        202: "DOKU's answer is not known; the same request again goes on.",
        200: "A repeat: the link as it is now (header `Idempotency-Replayed`), with the pages and metadata of this "
        "request.",
    },
    problems=("conflict", *SENDS),
    body=BodyRule.REQUIRED,
    command_only=TASK_TOKEN,
    repeats="a customer has one link, and the same request returns it",
)


def operate(request: BindAccountRequest, call: Call) -> Answer:
    """Start the link: 201; 202 while DOKU's answer is not known; 200 for a repeat."""
    result = bind_account(request.to_command(), call.ports, call.deadline)
    unresolved = result.binding.is_unconfirmed and result.redirect_url is None
    status = 202 if unresolved else 200 if result.replayed else 201
    return Answer(status, show_binding(result), replayed=result.replayed)
