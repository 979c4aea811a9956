"""The commands of the public API as their callers write them: one model per operation, the same at every door.

An API request and a plain command (Step Functions, `aws lambda invoke`) are read by the same model. Unknown fields are
refused, nothing is coerced, and no error repeats what was sent. Each field's description is its rule: it is the
`detail` of a refusal and the text in the OpenAPI document. What a value may be is defined in `domain.values`: what is
accepted here can be sent.
"""

from datetime import date
from ipaddress import IPv4Address
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from direct_debit.application.bindings.bind_account import BindAccount
from direct_debit.application.bindings.confirm_unbinding import ConfirmUnbinding
from direct_debit.application.bindings.return_from_binding import ReturnFromBinding
from direct_debit.application.payments.get_payment import GetPayment
from direct_debit.application.payments.make_payment import MakePayment
from direct_debit.application.payments.verify_payment_otp import VerifyPaymentOtp
from direct_debit.application.refunds.refund_payment import RefundPayment
from direct_debit.application.settings import Settings
from direct_debit.domain import values
from direct_debit.domain.money import Amount
from direct_debit.entrypoint.settings import LOOPBACK

MAX_METADATA = 20


class Command(BaseModel):
    """The base of all requests."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        hide_input_in_errors=True,
        alias_generator=to_camel,
        validate_by_name=False,
        validate_by_alias=True,
    )


def _check_url(url: str, info: ValidationInfo) -> str:
    """Refuse what a browser must not be sent to. The allow-list is the operator's (ALLOWED_RETURN_HOSTS)."""
    settings = info.context
    allowed = settings.allowed_return_hosts if isinstance(settings, Settings) else ()
    try:
        address = values.read_url(url)
    except ValueError:
        raise PydanticCustomError("return_url", "not a URL") from None
    listed = address.host in allowed or f"{address.host}:{address.port}" in allowed
    # Plain http never leaves the machine: it is for local development, and has to be listed.
    secure = address.scheme == "https" or (address.host in LOOPBACK and listed)
    if not secure or (allowed and not listed):
        raise PydanticCustomError("return_url", "not allowed")
    return url


def _check_amount(value: str) -> str:
    try:
        Amount.parse(value)
    except ValueError:
        raise PydanticCustomError("amount", "not an amount") from None
    return value


def _check_ipv4(value: str) -> str:
    try:
        IPv4Address(value)
    except ValueError:
        raise PydanticCustomError("ipv4", "not an address") from None
    return value


def _check_date(value: str) -> str:
    try:
        date.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("date", "not a date") from None
    return value


def _read_flag(value: object) -> object:
    """Query parameters are text; plain commands have real booleans."""
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


BindingId = Annotated[
    str,
    Field(
        pattern=values.BINDING_ID,
        description="The binding's id as `POST /bindings` gave it.",
        examples=["6f1d2c3b4a5968778695a4b3c2d1e0f0"],
    ),
]
CustomerId = Annotated[
    str,
    Field(
        pattern=values.CUSTOMER_ID,
        description="Your id of the customer: 1 to 64 letters, digits, dots, underscores or hyphens; no personal data.",
        examples=["CUST-1001"],
    ),
]
Reference = Annotated[
    str,
    Field(
        pattern=values.REFERENCE,
        description="Your reference of the payment: 1 to 64 letters, digits, dots, underscores or hyphens; 12 capital "
        "letters and digits pass every known limit.",
        examples=["INV202608010"],
    ),
]
RefundNumber = Annotated[
    str,
    Field(
        pattern=values.REFUND_NUMBER,
        description="Your number of the refund: 1 to 64 letters, digits, dots, underscores or hyphens.",
        examples=["RFD202608010"],
    ),
]
ReturnUrl = Annotated[
    str,
    Field(
        max_length=values.URL_LENGTH,
        pattern=values.URL,
        description=f"An https URL of at most {values.URL_LENGTH} printable ASCII characters without blanks (a host in "
        "other letters as xn--), on a host that the operator allows.",
        examples=["https://shop.example/paid"],
        json_schema_extra={"format": "uri"},
    ),
    AfterValidator(_check_url),
]
Otp = Annotated[
    str,
    Field(
        pattern=values.OTP,
        description="The code that the bank sent to the customer: a string of 4 to 8 digits.",
        examples=["123456"],
        repr=False,
    ),
]
DeviceId = Annotated[
    str,
    Field(
        pattern=values.DEVICE_ID,
        description="The customer's device: 1 to 64 letters or digits.",
        examples=["a1b2c3d4e5"],
    ),
]
IpAddress = Annotated[
    str,
    Field(
        max_length=values.IPV4_LENGTH,
        description="The customer's IPv4 address.",
        examples=["203.0.113.7"],
        json_schema_extra={"format": "ipv4"},
    ),
    AfterValidator(_check_ipv4),
]
Metadata = Annotated[
    dict[
        Annotated[str, Field(pattern=values.METADATA_KEY)],
        Annotated[str, Field(max_length=values.METADATA_VALUE_LENGTH, pattern=values.METADATA_VALUE)],
    ],
    Field(
        max_length=MAX_METADATA,
        description=f"At most {MAX_METADATA} of your own strings, echoed everywhere: keys of 1 to 40 letters, digits, "
        "dots, underscores or hyphens, values of at most 500 printable characters; no personal data.",
        examples=[{"orderId": "4711"}],
    ),
]
TaskToken = Annotated[
    str,
    Field(
        min_length=1,
        max_length=2048,
        description="The task token of a waiting workflow; in plain commands only.",
    ),
]


class AmountBody(Command):
    """Money as SNAP writes it."""

    value: Annotated[
        str,
        Field(
            pattern=values.AMOUNT,
            description='Rupiah as a string with exactly two decimals, greater than zero, for example "10000.00".',
            examples=["10000.00"],
        ),
        AfterValidator(_check_amount),
    ]
    currency: Annotated[Literal["IDR"], Field(description="Always IDR.", examples=["IDR"])]


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
    success_url: ReturnUrl
    failed_url: ReturnUrl
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


class BindingRequest(Command):
    """Name a binding."""

    binding_id: BindingId


class CustomerRequest(Command):
    """Name a customer."""

    customer_id: CustomerId


class ReturnRequest(Command):
    """A browser comes back from DOKU's page."""

    state: Annotated[
        str,
        Field(
            pattern=values.RETURN_STATE,
            description="The unguessable part of the return URL that was given to DOKU.",
            examples=["0f1e2d3c4b5a69788796a5b4c3d2e1f0"],
            repr=False,
        ),
    ]
    outcome: Annotated[
        Literal["success", "failed"],
        Field(description="success or failed: a hint, never a proof.", examples=["success"]),
    ]

    def to_command(self) -> ReturnFromBinding:
        """Return the use case's command."""
        return ReturnFromBinding(state=self.state, outcome=self.outcome)


class ConfirmUnbindingRequest(Command):
    """Confirm an unlinking with the customer's OTP."""

    binding_id: BindingId
    otp: Otp

    def to_command(self) -> ConfirmUnbinding:
        """Return the use case's command."""
        return ConfirmUnbinding(binding_id=self.binding_id, otp=self.otp)


class MakePaymentRequest(Command):
    """Charge a linked account."""

    binding_id: BindingId
    amount: AmountBody
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
            description="1 to 255 printable ASCII characters without blanks; capital and small letters differ. A key "
            "names one payment for ever. Alone, it stands for the payment with which it came before, else for the "
            "reference that is made from it; beside a partnerReferenceNo it is bound to that one. With another body, "
            "or a reference that is not its own, it is 409 and nothing is sent.",
            examples=["b0c5a1de-7d55-4d3e-9f3e-0d6a6f0e7a10"],
        ),
    ] = None
    success_url: ReturnUrl | None = None
    failed_url: ReturnUrl | None = None
    device_id: DeviceId | None = None
    ip_address: IpAddress | None = None
    metadata: Metadata = Field(default_factory=dict)
    task_token: Annotated[TaskToken | None, Field(repr=False)] = None

    @model_validator(mode="after")
    def _has_key(self) -> "MakePaymentRequest":
        if self.partner_reference_no is None and self.idempotency_key is None:
            raise PydanticCustomError(
                "missing_key",
                "send partnerReferenceNo or the header Idempotency-Key: without one a retry could pay twice",
            )
        return self

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
        )


class VerifyPaymentOtpRequest(Command):
    """Verify the customer's OTP for a payment."""

    partner_reference_no: Reference
    otp: Otp

    def to_command(self) -> VerifyPaymentOtp:
        """Return the use case's command."""
        return VerifyPaymentOtp(ref=self.partner_reference_no, otp=self.otp)


class GetPaymentRequest(Command):
    """Read a payment."""

    partner_reference_no: Reference
    refresh: Annotated[
        bool,
        BeforeValidator(_read_flag),
        Field(description="true asks DOKU for the status of an unresolved payment, rate-limited; else false."),
    ] = False

    def to_command(self) -> GetPayment:
        """Return the use case's command."""
        return GetPayment(ref=self.partner_reference_no, refresh=self.refresh)


class RefundPaymentRequest(Command):
    """Refund a payment in full."""

    partner_reference_no: Reference
    partner_refund_no: RefundNumber | None = None
    reason: Annotated[
        str | None,
        Field(
            max_length=values.REASON_LENGTH,
            pattern=values.TEXT,
            description=f"Why: 1 to {values.REASON_LENGTH} printable characters.",
            examples=["Customer complain"],
        ),
    ] = None

    def to_command(self) -> RefundPayment:
        """Return the use case's command."""
        return RefundPayment(
            ref=self.partner_reference_no, partner_refund_no=self.partner_refund_no, reason=self.reason
        )


class PaymentRequest(Command):
    """Name a payment."""

    partner_reference_no: Reference
