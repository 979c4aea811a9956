"""POST /payments: charge a linked account."""

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from direct_debit.application.payments.make_payment import MakePayment, make_payment
from direct_debit.application.payments.result import open_page
from direct_debit.domain import values
from direct_debit.domain.money import Amount
from direct_debit.entrypoint.command import Command, rule_of_request
from direct_debit.entrypoint.doors import Answer, Call
from direct_debit.entrypoint.route import SENDS, TASK_TOKEN, BodyRule, Route
from direct_debit.entrypoint.values import (
    NOT_UNFILLED,
    AmountBody,
    BindingId,
    DeviceId,
    IpAddress,
    Metadata,
    OwnCustomer,
    Reference,
    ReturnUrl,
    TaskToken,
    check_filled,
)
from direct_debit.entrypoint.views.payment import UNRESOLVED_PAYMENT, PaymentView, show_payment


class MakePaymentRequest(Command):
    """Charge a linked account."""

    binding_id: BindingId
    amount: Annotated[
        AmountBody,
        Field(
            description='An amount is an object: {"value": "10000.00", "currency": "IDR"}.',
            examples=[{"value": "10000.00", "currency": "IDR"}],
        ),
    ]
    remarks: Annotated[
        str,
        Field(
            pattern=values.REMARKS,
            description="What the customer reads: 1 to 40 of ASCII letters, digits, blank and . - / + , = _ : ' @ %",
            examples=["Order 4711"],
        ),
    ]
    partner_reference_no: Reference | None = None
    idempotency_key: Annotated[
        str | None,
        Field(
            pattern=values.IDEMPOTENCY_KEY,
            validate_default=True,
            description="1 to 255 printable ASCII characters without blanks; capital and small letters differ. A key "
            "names one payment for ever: beside a partnerReferenceNo that one; alone the one with which it came "
            "before, else one whose reference is made from it. With another body or reference it is 409, and nothing "
            "is sent.",
            examples=["b0c5a1de-7d55-4d3e-9f3e-0d6a6f0e7a10"],
            json_schema_extra=NOT_UNFILLED,
        ),
    ] = None
    success_url: ReturnUrl | None = None
    failed_url: ReturnUrl | None = None
    device_id: DeviceId | None = None
    ip_address: IpAddress | None = None
    metadata: Metadata = Field(default_factory=dict)
    task_token: Annotated[TaskToken | None, Field(repr=False)] = None
    customer_id: OwnCustomer = None

    @field_validator("idempotency_key")
    @classmethod
    def _check_key(cls, value: str | None, info: ValidationInfo) -> str | None:
        """With the field before, so that its absence is told beside all other faults."""
        if value is not None:
            return check_filled(value)
        # A reference that is wrong is not among the data: it is told by its own rule.
        if info.data.get("partner_reference_no", "") is None:
            raise rule_of_request(
                "partnerReferenceNo",
                "partnerReferenceNo is missing: send it or the header Idempotency-Key; else a retry could pay twice",
                missing=True,
            )
        return value

    def to_command(self) -> MakePayment:
        """Return the use case's command."""
        return MakePayment(
            binding_id=self.binding_id,
            amount=Amount.parse(self.amount.value, self.amount.currency),
            remarks=self.remarks,
            partner_reference_no=self.partner_reference_no,
            idempotency_key=self.idempotency_key,
            success_url=self.success_url,
            failed_url=self.failed_url,
            device_id=self.device_id,
            ip_address=self.ip_address,
            metadata=self.metadata,
            task_token=self.task_token,
            customer_id=self.customer_id,
        )


ROUTE = Route(
    name="make_payment",
    method="POST",
    path="/payments",
    summary="Charge a linked account",
    request=MakePaymentRequest,
    response=PaymentView,
    answers={
        201: "The payment, whatever its state: usually OTP_PENDING; a declined one is FAILED with `failure`.",
        202: "The outcome is not known or the request is in flight; it is resolved without you. Do not pay again.",
        200: "A repeat: the payment as it is now (header `Idempotency-Replayed`); nothing was sent.",
    },
    problems=("not-found", "conflict", "circuit-open", *SENDS),
    body=BodyRule.REQUIRED,
    from_headers={"idempotency-key": "idempotencyKey"},
    command_only=TASK_TOKEN,
)


def operate(request: MakePaymentRequest, call: Call) -> Answer:
    """Make the payment: 201, whatever its state; 202 while unresolved; 200 for a repeat, which never sends."""
    result = make_payment(request.to_command(), call.ports, call.deadline)
    unresolved = result.payment.state in UNRESOLVED_PAYMENT
    status = 202 if unresolved else 200 if result.replayed else 201
    return Answer(
        status, show_payment(result.payment, page=open_page(result.payment, call.ports)), replayed=result.replayed
    )
