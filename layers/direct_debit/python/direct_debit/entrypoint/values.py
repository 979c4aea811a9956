"""What a value may be at the door: a reference, a text, a URL. What is accepted here can be sent (`domain.values`).

Each field's description is its rule: it is the `detail` of a refusal and the text in the OpenAPI document.
"""

import re
from ipaddress import IPv4Address
from typing import Annotated, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, Field, ValidationInfo
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from direct_debit.application.settings import Settings
from direct_debit.domain import values
from direct_debit.domain.money import Amount
from direct_debit.entrypoint.command import Command
from direct_debit.entrypoint.settings import LOOPBACK

MAX_METADATA = 20
_UNFILLED = re.compile(values.UNFILLED)


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
    if allowed and not listed:
        hosts = ", ".join(sorted(allowed))
        raise PydanticCustomError(
            "return_url_host", "Allowed are: {hosts} (the operator's parameter AllowedReturnHosts).", {"hosts": hosts}
        )
    if not secure:
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


def check_filled(value: str) -> str:
    """Refuse what stands for a value that was not filled in; for pydantic."""
    if _UNFILLED.fullmatch(value):
        raise PydanticCustomError("unfilled", "unfilled")
    return value


NOT_UNFILLED: JsonDict = {"not": {"pattern": values.UNFILLED}}
"""The same rule in the OpenAPI document."""


BindingId = Annotated[
    str,
    Field(
        pattern=values.BINDING_ID,
        description="The binding's id, as `POST /bindings` gave it in `bindingId`.",
        examples=["6f1d2c3b4a5968778695a4b3c2d1e0f0"],
        json_schema_extra=NOT_UNFILLED,
    ),
    AfterValidator(check_filled),
]


CustomerId = Annotated[
    str,
    Field(
        max_length=values.ID_LENGTH,
        pattern=values.CUSTOMER_ID,
        description="Your id of the customer: 1 to 64 letters, digits, dots, underscores or hyphens; capital and small "
        "letters differ; no personal data.",
        examples=["CUST-1001"],
        json_schema_extra=NOT_UNFILLED,
    ),
    AfterValidator(check_filled),
]

OwnCustomer = Annotated[
    CustomerId | None,
    Field(
        description="Whose link it has to be: with another one it is 404, and nothing is done. A guard against a "
        "mistake of your own; may be left out.",
        examples=["CUST-1001"],
    ),
]
"""The customer that a call by binding may name, so that it never reaches another one's account."""


Reference = Annotated[
    str,
    Field(
        max_length=values.ID_LENGTH,
        pattern=values.REFERENCE,
        description="Your reference of the payment: 1 to 64 letters, digits, dots, underscores or hyphens; capital and "
        "small letters differ; 12 capital letters and digits pass every known limit.",
        examples=["INV202608010"],
        json_schema_extra=NOT_UNFILLED,
    ),
    AfterValidator(check_filled),
]


RefundNumber = Annotated[
    str,
    Field(
        max_length=values.ID_LENGTH,
        pattern=values.REFUND_NUMBER,
        description="Your number of the refund: 1 to 64 letters, digits, dots, underscores or hyphens; capital and "
        "small letters differ.",
        examples=["RFD202608010"],
        json_schema_extra=NOT_UNFILLED,
    ),
    AfterValidator(check_filled),
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


# What the browser's return from linking adds to a page (application.bindings.return_from_binding).
_ADDED_TO_PAGES = frozenset({"bindingId", "state"})


def _check_parameters(url: str) -> str:
    own = {name for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)}
    taken = sorted(own & _ADDED_TO_PAGES)
    if taken:
        raise PydanticCustomError(
            "return_url_parameter",
            "Its parameter {taken} has a name that is added when the customer comes back; give yours another name.",
            {"taken": " and ".join(taken)},
        )
    return url


LinkReturnUrl = Annotated[
    ReturnUrl,
    AfterValidator(_check_parameters),
    Field(
        description="A page as payments have it. `bindingId` and `state` are added when the customer comes back, so it "
        "has no parameters of these names.",
    ),
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
        description="The customer's IPv4 address; leave it out where you have none.",
        examples=["203.0.113.7"],
        json_schema_extra={"format": "ipv4"},
    ),
    AfterValidator(_check_ipv4),
]


Metadata = Annotated[
    dict[
        Annotated[
            str,
            Field(
                pattern=values.METADATA_KEY,
                description="A key of metadata: 1 to 40 letters, digits, dots, underscores or hyphens.",
                examples=["orderId"],
            ),
        ],
        Annotated[
            str,
            Field(
                max_length=values.METADATA_VALUE_LENGTH,
                pattern=values.METADATA_VALUE,
                description=f"A value of metadata: a string of at most {values.METADATA_VALUE_LENGTH} printable "
                "characters.",
                examples=["4711"],
            ),
        ],
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
            description="Rupiah as a string: 1 to 16 digits, a dot and exactly two decimals, greater than zero, for "
            'example "10000.00".',
            examples=["10000.00"],
        ),
        AfterValidator(_check_amount),
    ]
    currency: Annotated[Literal["IDR"], Field(description="Always IDR, in capital letters.", examples=["IDR"])]
