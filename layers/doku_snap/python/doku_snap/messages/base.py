"""What all messages share: strict requests, lenient answers, amounts and dates."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import ErrorDetails

from doku_snap.errors import InvalidMessage

AMOUNT_PATTERN = r"^[0-9]{1,16}\.[0-9]{2}$"
_RECEIVED_AMOUNT = re.compile(r"([0-9]{1,16})(?:\.([0-9]{1,2})0*)?")
_EXPONENT_AMOUNT = re.compile(r"[0-9]{1,32}(?:\.[0-9]{1,32})?[eE][+-]?[0-9]{1,3}")
_CENT = Decimal("0.01")
_EXACTLY = Context(prec=18, traps=[Inexact, InvalidOperation])  # 16 digits and two decimals, or not an amount
# DOKU writes some times without a zone (contract 3.11); its clock is Jakarta's, which is also the earlier reading.
_WIB = timezone(timedelta(hours=7))

# Text without control characters: those are escaped in JSON, and escapes are where signatures part (contract 4.4).
_NO_CONTROL = r"^[^\p{Cc}]*$"
Text20 = Annotated[str, StringConstraints(min_length=1, max_length=20, pattern=_NO_CONTROL)]
Text60 = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=_NO_CONTROL)]
Text64 = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=_NO_CONTROL)]
Text70 = Annotated[str, StringConstraints(min_length=1, max_length=70, pattern=_NO_CONTROL)]
Text255 = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=_NO_CONTROL)]
Reference = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[\x21-\x7e]+$")]
ExternalId = Annotated[str, StringConstraints(min_length=1, max_length=36, pattern=r"^[0-9]+$")]
Code = Annotated[str, StringConstraints(strip_whitespace=True, max_length=16, pattern=r"^[\x21-\x7e]+$")]
Url = Annotated[str, StringConstraints(max_length=2048, pattern=r"^[Hh][Tt][Tt][Pp][Ss]?://[\x21-\x7e]+$")]
Token = Annotated[str, StringConstraints(min_length=1, max_length=2048, pattern=r"^[\x21-\x7e]+$")]


class Amount(BaseModel):
    """An amount we send: 1 to 16 digits, dot, exactly two decimals, IDR (contract section 7)."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True, defer_build=True)

    value: Annotated[str, StringConstraints(pattern=AMOUNT_PATTERN)]
    currency: Literal["IDR"] = "IDR"

    @model_validator(mode="wrap")
    @classmethod
    def _refuse(cls, data: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(data)
        except ValidationError as error:
            errors = error.errors(include_input=False)
        # Raised outside of the handler: pydantic's error holds the input and must not travel along as context.
        raise _invalid("amount", errors, {"value": "amount.value", "currency": "amount.currency"})


class RequestMessage(BaseModel):
    """A message we send. Fields are flat; the serialization alias is the wire path (`additionalInfo.remarks`).

    Construction raises InvalidMessage with the wire path and the broken rule, never the value.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True, defer_build=True)

    @model_validator(mode="wrap")
    @classmethod
    def _refuse(cls, data: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(data)
        except ValidationError as error:
            errors = error.errors(include_input=False)
        wire_names = {name: field.serialization_alias or name for name, field in cls.model_fields.items()}
        raise _invalid(cls.__name__, errors, wire_names)

    def to_wire(
        self, *, top: Mapping[str, str | None] | None = None, additional: Mapping[str, str | None] | None = None
    ) -> dict[str, object]:
        """The JSON body: own fields without the absent ones, plus `top` fields, plus `additionalInfo` fields.

        `additional` comes first inside additionalInfo (the channel leads, as in DOKU's samples).
        """
        body: dict[str, object] = {}
        additional_info: dict[str, object] = {k: v for k, v in (additional or {}).items() if v is not None}
        for path, value in self.model_dump(by_alias=True, exclude_none=True).items():
            parent, _, leaf = path.rpartition(".")
            (additional_info if parent else body)[leaf] = value
        body.update({k: v for k, v in (top or {}).items() if v is not None})
        if additional_info:
            body["additionalInfo"] = additional_info
        return body


def _invalid(message: str, errors: list[ErrorDetails], wire_names: Mapping[str, str]) -> InvalidMessage:
    first = errors[0]
    path = [str(part) for part in first["loc"]] or [message]
    field = ".".join([wire_names.get(path[0], path[0]), *path[1:]])
    context = first.get("ctx", {})
    # Only limits are quoted from the context; what else it may hold can contain the value.
    limits = [f"{key} {context[key]}" for key in ("min_length", "max_length", "pattern") if key in context]
    return InvalidMessage(field, " ".join([first["type"].replace("_", " "), *(f"({limit})" for limit in limits)]))


def only_objects(value: object) -> list[object]:
    """The JSON objects of an array; nothing of anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def none_if_wrong(value: object, handler: ValidatorFunctionWrapHandler) -> object:
    """Read an optional field of an unexpected type or length as None."""
    try:
        return handler(value)
    except ValidationError:
        return None


def none_unless_broken(value: object, handler: ValidatorFunctionWrapHandler) -> object:
    """Read an optional field that does not fit as None; one that is no Unicode text (a lone surrogate) is refused."""
    if isinstance(value, str) and not _is_unicode(value):
        return handler(value)
    return none_if_wrong(value, handler)


def none_if_empty(value: object) -> object:
    """Read an empty text as absent."""
    return None if value == "" else value


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def parse_lenient_datetime(value: object) -> datetime | None:
    """Read an ISO 8601 moment with or without fraction and zone (none means Jakarta); None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=_WIB)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def normalize_amount(value: object) -> object:
    """A received amount, number or text, as digits with two decimals; what is not one is handed on to fail its pattern.

    An exponent form (`1E+4`) is an amount where two decimals and 16 integer digits hold it exactly (contract 12.1).
    """
    if isinstance(value, bool):
        return value
    text = str(value) if isinstance(value, int | Decimal) else value
    if not isinstance(text, str):
        return value
    match = _RECEIVED_AMOUNT.fullmatch(text)
    if match is not None:
        return f"{match[1]}.{(match[2] or '').ljust(2, '0')}"
    return value if _EXPONENT_AMOUNT.fullmatch(text) is None else _expand(text) or value


def _expand(text: str) -> str | None:
    try:
        return f"{Decimal(text).quantize(_CENT, context=_EXACTLY):f}"
    except (Inexact, InvalidOperation):
        return None


class AnswerMessage(BaseModel):
    """A message we receive: immutable, unknown fields ignored."""

    model_config = ConfigDict(
        defer_build=True,  # a function uses few of the messages, and a validator is dear to build
        frozen=True,
        extra="ignore",
        coerce_numbers_to_str=True,
        hide_input_in_errors=True,
        validate_by_name=True,
        validate_by_alias=True,
    )


# Bounded as the longest text of the contract. What has a bound is also Unicode (no lone surrogate): it can be stored.
LenientStr = Annotated[str | None, StringConstraints(max_length=2048), WrapValidator(none_if_wrong)]
LenientReference = Annotated[Reference | None, WrapValidator(none_if_wrong)]
LenientLabel = Annotated[Text70 | None, WrapValidator(none_if_wrong)]
LenientCode = Annotated[Code | None, WrapValidator(none_if_wrong)]
LenientDatetime = Annotated[datetime | None, BeforeValidator(parse_lenient_datetime)]


# What a notification names and what is kept of it: absent, or a text that can be compared and stored.
NotifiedText = Annotated[Text64 | None, BeforeValidator(none_if_empty)]
NotifiedReference = Annotated[Reference | None, WrapValidator(none_unless_broken)]


class ReceivedAmount(AnswerMessage):
    """An amount DOKU sent, `value` normalised to two decimals; compare as Decimal."""

    value: Annotated[str, BeforeValidator(normalize_amount), StringConstraints(pattern=AMOUNT_PATTERN)]
    currency: Annotated[str, Field(min_length=3, max_length=3)]

    @property
    def decimal(self) -> Decimal:
        """The value as a number."""
        return Decimal(self.value)

    def minus(self, other: "ReceivedAmount") -> "ReceivedAmount | None":
        """The difference; None if the currencies differ or it would be negative."""
        try:
            difference = self.decimal - other.decimal
        except InvalidOperation:
            return None
        if self.currency != other.currency or difference < 0:
            return None
        return ReceivedAmount(value=f"{difference:.2f}", currency=self.currency)


LenientAmount = Annotated[ReceivedAmount | None, WrapValidator(none_if_wrong)]
