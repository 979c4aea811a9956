"""What a change set means, for the person who is asked: parameters that change, what is replaced, what moves money."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.deploy.template import Node, grouped_parameters

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import ResourceChangeTypeDef

# The groups of parameters whose values decide what is sent to DOKU, and what becomes of a payment.
_ABOUT_MONEY = ("DOKU", "Behaviour")
# What loses data, messages, waiting orders or an address that others know, when it is replaced or removed.
_PRECIOUS = {
    "AWS::DynamoDB::Table": "its records stay in the old table",
    "AWS::SecretsManager::Secret": "what takes its place is empty, unless it was filled before",
    "AWS::SQS::Queue": "messages in the old one are lost",
    "AWS::Events::EventBus": "the merchant's rules stay on the old one",
    "AWS::ApiGateway::RestApi": "the API gets another address",
    "AWS::StepFunctions::StateMachine": "running executions end",
}


@dataclass(frozen=True, slots=True)
class ParameterChange:
    """A parameter whose value becomes another; `before` is None where the stack does not know it yet."""

    name: str
    before: str | None
    after: str
    about_money: bool
    named: bool  # whether the file or the command sets it; otherwise it falls back to the template's default


def parameter_changes(
    template: Node, before: Mapping[str, str], after: Mapping[str, str], named: Mapping[str, str]
) -> list[ParameterChange]:
    """Return the parameters that change, in the template's order."""
    groups = grouped_parameters(template)
    money = {name for label in _ABOUT_MONEY for name in groups.get(label, [])}
    return [
        ParameterChange(name, before.get(name), value, name in money, name in named)
        for name, value in after.items()
        if before.get(name) != value
    ]


def losses(changes: "Sequence[ResourceChangeTypeDef]") -> list[str]:
    """What is lost, one sentence each: precious resources that are replaced or removed."""
    return [
        f"{change.get('LogicalResourceId')} {'goes' if change.get('Action') == 'Remove' else 'is replaced'}: {meaning}"
        for change in changes
        if (meaning := _PRECIOUS.get(change.get("ResourceType", ""))) is not None
        and (change.get("Action") == "Remove" or change.get("Replacement") in {"True", "Conditional"})
    ]


def show_changes(
    parameters: Sequence[ParameterChange], changes: "Sequence[ResourceChangeTypeDef]", lost: Sequence[str]
) -> list[str]:
    """Return the table as lines; `lost` is what is lost, at its end."""
    rows = [
        (
            "parameter",
            change.name,
            f"{_shown(change.before)} -> {_shown(change.after)}",
            "; ".join(_remarks(change)),
        )
        for change in parameters
    ]
    kinds = Counter(
        (change.get("Action", ""), change.get("ResourceType", ""), change.get("Replacement") in {"True", "Conditional"})
        for change in changes
    )
    for (action, kind, replaced), count in sorted(kinds.items()):
        what = "replace" if replaced else action.lower()
        kept = kind == "AWS::Lambda::Version" and action == "Remove"
        rows.append((what, kind.removeprefix("AWS::"), str(count), "kept, for going back" if kept else ""))
    rows += [("LOSS", "", "", loss) for loss in lost]
    return _table(rows)


def _remarks(change: ParameterChange) -> list[str]:
    return [
        *(["about money"] if change.about_money else []),
        *([] if change.named else ["set neither in samconfig.toml nor in SET"]),
    ]


def _shown(value: str | None) -> str:
    return "(new)" if value is None else value or "(empty)"


def _table(rows: Sequence[tuple[str, str, str, str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(3)] if rows else []
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row[:3], widths, strict=True)), row[3]]).rstrip()
        for row in rows
    ]
