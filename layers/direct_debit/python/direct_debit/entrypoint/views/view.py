"""The base of all answers. Absent values are left out of the JSON; times are UTC, ISO 8601."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_camel


def write_time(at: datetime) -> str:
    """Return the time as the API writes it: UTC with milliseconds, for example 2026-08-01T07:15:00.000Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Moment = Annotated[
    datetime,
    PlainSerializer(write_time, return_type=str),
    Field(description="UTC, ISO 8601.", examples=["2026-08-01T07:15:00.000Z"]),
]


class View(BaseModel):
    """The base of all answers."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=False,
        serialize_by_alias=True,
    )

    def to_json(self) -> dict[str, object]:
        """Return the wire form."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class AmountView(View):
    """Money as SNAP writes it."""

    value: str = Field(examples=["10000.00"])
    currency: Literal["IDR"] = "IDR"
