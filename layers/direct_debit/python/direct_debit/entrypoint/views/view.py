"""The base of all answers. Absent values are left out of the JSON; times are UTC, ISO 8601."""

from datetime import UTC, datetime
from typing import Annotated, ClassVar, Literal

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
        defer_build=True,
    )

    brief: ClassVar[tuple[str, ...]] = ()
    """Fields that a workflow may know: what its functions answer is in its history, for 90 days."""

    def to_brief(self) -> dict[str, object]:
        """Return the wire form of the brief fields alone."""
        named = {to_camel(name): _shorten(getattr(self, name)) for name in self.brief}
        return {name: value for name, value in named.items() if value is not None}

    def to_json(self) -> dict[str, object]:
        """Return the wire form."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def _shorten(value: object) -> object:
    if isinstance(value, View):
        return value.to_brief()
    if isinstance(value, list | tuple):
        return [_shorten(one) for one in value]
    return value


class AmountView(View):
    """Money as SNAP writes it."""

    value: str = Field(examples=["10000.00"])
    currency: Literal["IDR"] = "IDR"
