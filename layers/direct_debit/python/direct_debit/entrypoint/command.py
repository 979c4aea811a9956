"""The base of every request: unknown fields are refused, nothing is coerced, no error repeats what was sent.

An API request and a plain command (Step Functions, `aws lambda invoke`) are read by the same model.
"""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

RULE_OF_REQUEST = "rule_of_request"


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
        defer_build=True,
    )


def rule_of_request(field: str, told: str, *, missing: bool = False) -> PydanticCustomError:
    """Return the error of a rule that several fields break together; it is told at `field`, a wire name."""
    return PydanticCustomError(RULE_OF_REQUEST, "{told}", {"told": told, "field": field, "missing": missing})


def read_flag(value: object) -> object:
    """Return what a flag of a query says: its parameters are text, where plain commands have real booleans."""
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value
