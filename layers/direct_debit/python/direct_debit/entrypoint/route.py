"""What a route is: one operation of the merchant's API, as the doors read it and the OpenAPI document shows it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from direct_debit.entrypoint.command import Command
from direct_debit.entrypoint.views.view import View


class BodyRule(StrEnum):
    """Whether an operation reads a body."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Route[C: Command]:
    """One operation. Maps say which field of the request comes from where; the rest is the body's."""

    name: str  # the folder in functions/
    method: str
    path: str
    summary: str
    request: type[C]
    response: type[View] | None
    answers: Mapping[int, str]
    problems: tuple[str, ...] = ()
    body: BodyRule = BodyRule.NONE
    from_path: Mapping[str, str] = field(default_factory=dict)  # path parameter -> wire field
    from_query: frozenset[str] = frozenset()
    from_headers: Mapping[str, str] = field(default_factory=dict)  # header, lower case -> wire field
    command_only: frozenset[str] = frozenset()  # fields that only plain commands have
    repeats: str | None = None  # why a repeat is safe, where something is changed and no Idempotency-Key is taken
    public: bool = False  # reached without IAM
    ignores_query: bool = False

    @property
    def body_fields(self) -> frozenset[str]:
        """Wire names of the fields that a body may have."""
        if self.body is BodyRule.NONE:
            return frozenset()
        elsewhere = {*self.from_path.values(), *self.from_query, *self.from_headers.values(), *self.command_only}
        names = {info.alias or name for name, info in self.request.model_fields.items()}
        return frozenset(names - elsewhere)


# Which field of the request a parameter of the path is.
BY_BINDING = {"id": "bindingId"}
BY_CUSTOMER = frozenset({"customerId"})
BY_PAYMENT = {"ref": "partnerReferenceNo"}
TASK_TOKEN = frozenset({"taskToken"})

# The problems of an operation that looks at the store, that reads the credentials too, that calls DOKU.
LOOKS = ("store-unavailable", "record-unreadable")
READS = ("not-configured", *LOOKS)
SENDS = ("not-done", *READS)
