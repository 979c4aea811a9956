"""What every workflow has to keep: the rules by which tests/template/test_workflows.py judges the definitions."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

WORKFLOWS = Path(__file__).resolve().parents[2] / "workflows"

type Json = dict[str, Any]

# Steps that move money, or spend the customer's one-time code.
MONEY = frozenset({"MakePayment", "VerifyPaymentOtp", "RefundPayment"})
# Errors that pass by themselves: ours (nothing happened, or the record decides about a repeat) and Lambda's.
TRANSIENT = frozenset(
    {
        "NotDone",
        "CircuitOpen",
        "StoreUnavailable",
        "Lambda.TooManyRequestsException",
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
    }
)
# Names that stand for many errors at once.
BLANKET = frozenset({"States.ALL", "States.TaskFailed"})
# The only target that is no function of this template: the merchant's own.
FULFILMENT = "FulfilmentTarget"
_SUBSTITUTION = re.compile(r"\$\{(\w+)\}")
_PERSONAL = ("phone", "email", "idCard", "address", "dateOfBirth", "customerName", "otp")


def read(name: str) -> Json:
    """A workflow's definition as it lies in the checkout."""
    definition: Json = json.loads((WORKFLOWS / f"{name}.asl.json").read_text())
    return definition


def find_faults(definition: Json) -> list[str]:
    """All breaches of the rules, each with its state's name; empty for a good definition."""
    return list(_faults(definition))


def _faults(definition: Json) -> Iterator[str]:
    if not definition.get("Comment"):
        yield "the workflow has no Comment"
    if not isinstance(definition.get("TimeoutSeconds"), int):
        yield "the workflow has no TimeoutSeconds"
    states: Json = definition["States"]
    for name, state in states.items():
        if not state.get("Comment"):
            yield f"{name} has no Comment"
        if state["Type"] == "Task":
            yield from _task_faults(name, state)
        for text in _outputs(state):
            yield from (f"{name} passes {word} on" for word in _PERSONAL if re.search(rf"\b{word}\b", text))
        yield from (f"{name} goes to {target}, which is no state" for target in next_of(state) if target not in states)
    reachable = _reachable(definition)
    yield from (f"{name} is never reached" for name in states if name not in reachable)


def _task_faults(name: str, state: Json) -> Iterator[str]:
    if not _bounds(state.get("TimeoutSeconds")):
        yield f"{name} has no TimeoutSeconds"
    target = str(state.get("Arguments", {}).get("FunctionName", ""))
    found = _SUBSTITUTION.fullmatch(target)
    if found is None or not (found.group(1).endswith("Alias") or found.group(1) == FULFILMENT):
        yield f"{name}'s target {target or 'nothing'} is no alias"
    operation = found.group(1).removesuffix("Alias") if found else target
    if target != f"${{{FULFILMENT}}}" and not _is_answered_briefly(state):
        yield f"{name} is answered in full, and the answer stays in the history"
    for retrier in state.get("Retry", []):
        errors = set(retrier["ErrorEquals"])
        if errors & BLANKET and operation in MONEY:
            yield f"{name} moves money and is repeated on {sorted(errors & BLANKET)}"
        yield from (f"{name} is repeated on {error}" for error in sorted(errors - TRANSIENT))
        if retrier.get("JitterStrategy") != "FULL" or "MaxDelaySeconds" not in retrier or "MaxAttempts" not in retrier:
            yield f"{name} is repeated without jitter or bound"
    caught = {error for catcher in state.get("Catch", []) for error in catcher["ErrorEquals"]}
    if operation in MONEY and "States.ALL" not in caught:
        yield f"{name} moves money and does not look after an unforeseen error"


def _is_answered_briefly(state: Json) -> bool:
    """Whether the function is asked for ids and states alone, or waits with a token, which is answered so too."""
    payload = state.get("Arguments", {}).get("Payload", {})
    if isinstance(payload, dict):
        return payload.get("brief") is True
    return "'brief': true" in payload or "'taskToken'" in payload


def _bounds(timeout: object) -> bool:
    """A number, or an expression that makes one of a parameter (all of which have a maximum)."""
    expression = re.compile(r"\{% \$number\('\$\{\w+\}'\) %\}")
    return isinstance(timeout, int) or (isinstance(timeout, str) and expression.fullmatch(timeout) is not None)


def _outputs(state: Json) -> Iterator[str]:
    """What a state hands on: its outputs and variables, also those of its branches and catchers."""
    parts = [state, *state.get("Choices", []), *state.get("Catch", [])]
    for part in parts:
        for field in ("Output", "Assign"):
            if field in part:
                yield json.dumps(part[field])
    if state["Type"] == "Task" and "Output" not in state:
        yield "otp"  # without an Output a task hands on everything that its function answered
    for catcher in state.get("Catch", []):
        if "Output" not in catcher:
            yield "otp"  # without an Output a catcher hands on the error's text


def next_of(state: Json) -> list[str]:
    """The states that may follow, in the order of the definition."""
    parts = [*state.get("Choices", []), *state.get("Catch", []), state]
    found = [part["Next"] for part in parts if "Next" in part]
    return found + ([state["Default"]] if "Default" in state else [])


def _reachable(definition: Json) -> set[str]:
    seen: set[str] = set()
    todo = [definition["StartAt"]]
    while todo:
        name = todo.pop()
        if name not in seen and name in definition["States"]:
            seen.add(name)
            todo += next_of(definition["States"][name])
    return seen
