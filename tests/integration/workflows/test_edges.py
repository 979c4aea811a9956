"""Every `Retry` and `Catch` edge of both workflows, with scripted answers instead of functions."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE_SECONDS
from tests.template.workflow_rules import TRANSIENT, read

ROOT = Path(__file__).resolve().parents[3]
OURS = ("InvalidRequest", "NotFound", "Conflict", "RelinkRequired", "CustomerActionRequired", "Rejected")
THROTTLED = "Lambda.TooManyRequestsException"
REF = "INV202608010"
ORDER = {"bindingId": "b1", "amount": {"value": "10000.00", "currency": "IDR"}, "remarks": "Order 4711"}
LINK = {
    "customerId": "CUST-1001",
    "phone": "62811111111",
    "successUrl": "https://merchant.example/yes",
    "failedUrl": "https://merchant.example/no",
}
PARAMETERS = {
    # Fractions of a second: nobody is there to be waited for.
    "LinkWaitSeconds": "0.05",
    "PaymentWaitSeconds": "0.05",
    "FulfilmentSeconds": "5",
    "WorkflowLookSeconds": "900",
    "WorkflowMaxLooks": "3",
    "FulfilmentFunctionArn": "",
}
FULFIL = {"FulfilmentFunctionArn": "arn:aws:lambda:ap-southeast-3:000000000000:function:fulfil:live"}

type Answer = dict[str, Any]


def error(name: str) -> Answer:
    return {"error": name}


def complete(state: str, reason: str | None = None) -> Answer:
    return {"complete": {"partnerReferenceNo": REF, "bindingId": "b1", "state": state, "reason": reason}}


def returned(**payload: object) -> Answer:
    return {"return": payload}


def covers(*, enough: bool) -> Answer:
    return returned(bindingId="b1", covers=enough)


SILENT: Answer = {}  # the function answers, and nobody completes the token


@dataclass(frozen=True, kw_only=True)
class Case:
    id: str
    answers: Mapping[str, Sequence[Answer]]
    end: str
    workflow: str = "collect_payment"
    input: Mapping[str, object] = field(default_factory=lambda: ORDER)
    calls: Sequence[str] | None = None  # the functions called, in order
    output: Mapping[str, object] | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)


PAID = {"MakePayment": [complete("PAID")]}
CHECKED = {**ORDER, "checkBalance": True}

COLLECT = [
    Case(id="paid", answers=PAID, end="Paid", output={"partnerReferenceNo": REF, "state": "PAID", "reason": None}),
    Case(
        id="declined",
        answers={"MakePayment": [complete("FAILED", "declined")]},
        end="NotPaid",
        output={"partnerReferenceNo": REF, "state": "FAILED", "reason": "declined"},
    ),
    Case(id="refunded-by-hand", answers={"MakePayment": [complete("REFUNDED")]}, end="RefundedMeanwhile"),
    Case(id="needs-review", answers={"MakePayment": [complete("NEEDS_REVIEW")]}, end="PaymentNeedsReview"),
    *(
        Case(
            id=f"pay-retried-{name}",
            answers={"MakePayment": [error(name), error(name), complete("PAID")]},
            end="Paid",
            calls=["MakePayment"] * 3,
        )
        for name in sorted(TRANSIENT)
    ),
    *(
        Case(id=f"pay-refused-{name}", answers={"MakePayment": [error(name)]}, end="Refused", calls=["MakePayment"])
        for name in OURS
    ),
    *(
        Case(
            id=f"pay-given-up-{name}",
            answers={"MakePayment": [error(name)]},
            end="NotSent",
            calls=["MakePayment"] * 6,
        )
        for name in ("NotDone", "CircuitOpen")
    ),
    *(
        # What may have happened is looked at, and never done again.
        Case(
            id=f"pay-unforeseen-{name}",
            answers={"MakePayment": [error(name)], "GetPayment": [returned(state="PAID")]},
            end="Paid",
            calls=["MakePayment", "GetPayment"],
        )
        for name in ("InternalError", "Sandbox.Timedout", "Runtime.ExitError", "Lambda.Unknown")
    ),
    *(
        Case(
            id=f"pay-exhausted-{name}",
            answers={"MakePayment": [error(name)], "GetPayment": [returned(state="PAID")]},
            end="Paid",
            calls=[*["MakePayment"] * 6, "GetPayment"],
        )
        for name in ("StoreUnavailable", THROTTLED)
    ),
    Case(
        id="timeout-then-failed",
        answers={
            "MakePayment": [SILENT],
            "GetPayment": [
                returned(state="OTP_PENDING"),
                returned(state="UNKNOWN"),
                returned(state="FAILED", failure={"reason": "otp_abandoned"}),
            ],
        },
        end="NotPaid",
        calls=["MakePayment", "GetPayment", "GetPayment", "GetPayment"],
        output={"partnerReferenceNo": REF, "state": "FAILED", "reason": "otp_abandoned"},
    ),
    Case(
        id="unknown-for-ever",
        answers={"MakePayment": [SILENT], "GetPayment": [returned(state="UNKNOWN")]},
        end="PaymentStillUnresolved",
        calls=["MakePayment", "GetPayment", "GetPayment", "GetPayment"],
    ),
    Case(
        id="unreadable-then-paid",
        answers={"MakePayment": [SILENT], "GetPayment": [error("InternalError"), returned(state="PAID")]},
        end="Paid",
        calls=["MakePayment", "GetPayment", "GetPayment"],
    ),
    Case(
        id="read-retried",
        answers={"MakePayment": [SILENT], "GetPayment": [error("StoreUnavailable"), returned(state="PAID")]},
        end="Paid",
    ),
    Case(
        id="not-there",
        answers={"MakePayment": [SILENT], "GetPayment": [error("NotFound")]},
        end="NotSent",
    ),
    Case(id="balance-enough", input=CHECKED, answers={"GetBalance": [covers(enough=True)], **PAID}, end="Paid"),
    Case(
        id="balance-short",
        input=CHECKED,
        answers={"GetBalance": [covers(enough=False)]},
        end="BalanceTooLow",
        calls=["GetBalance"],
        output={"partnerReferenceNo": REF, "state": "NOT_SENT", "reason": "balance_too_low"},
    ),
    *(
        Case(
            id=f"balance-unreadable-{name}",
            input=CHECKED,
            answers={"GetBalance": [error(name)], **PAID},
            end="Paid",
        )
        for name in ("NotDone", "CircuitOpen", "StoreUnavailable", "InternalError")
    ),
    *(
        Case(id=f"balance-refused-{name}", input=CHECKED, answers={"GetBalance": [error(name)]}, end="Refused")
        for name in OURS
    ),
    Case(
        id="fulfilled",
        parameters=FULFIL,
        answers={**PAID, "Fulfil": [returned()]},
        end="Paid",
        output={"partnerReferenceNo": REF, "state": "PAID", "fulfilled": True},
    ),
    Case(
        id="fulfilment-throttled-then-done",
        parameters=FULFIL,
        answers={**PAID, "Fulfil": [error(THROTTLED), returned()]},
        end="Paid",
    ),
    *(
        Case(
            id=f"fulfilment-failed-{name}",
            parameters=FULFIL,
            answers={
                **PAID,
                "Fulfil": [error(name)],
                "RefundPayment": [returned(state="REQUESTED")],
                "GetRefund": [returned(state="SENDING"), returned(state="REFUNDED")],
            },
            end="RefundedAfterFailedFulfilment",
            calls=["MakePayment", "Fulfil", "RefundPayment", "GetRefund", "GetRefund"],
            output={
                "partnerReferenceNo": REF,
                "refundState": "REFUNDED",
                "reason": "fulfilment_failed",
                "fulfilmentError": name,
            },
        )
        for name in ("OutOfStock", "Sandbox.Timedout", "States.Timeout", "Lambda.Unknown")
    ),
    *(
        Case(
            id=f"refund-{state}",
            parameters=FULFIL,
            answers={
                **PAID,
                "Fulfil": [error("OutOfStock")],
                "RefundPayment": [returned(state="REQUESTED")],
                "GetRefund": [returned(state=state)],
            },
            end=end,
        )
        for state, end in (
            ("NEEDS_REVIEW", "RefundNeedsReview"),
            ("FAILED", "RefundNeedsReview"),
            ("RETRYING", "RefundStillOpen"),
            ("UNKNOWN", "RefundStillOpen"),
        )
    ),
    *(
        Case(
            id=f"refund-retried-{name}",
            parameters=FULFIL,
            answers={
                **PAID,
                "Fulfil": [error("OutOfStock")],
                "RefundPayment": [error(name), returned(state="REFUNDED")],
            },
            end="RefundedAfterFailedFulfilment",
            calls=["MakePayment", "Fulfil", "RefundPayment", "RefundPayment"],
        )
        for name in sorted(TRANSIENT)
    ),
    *(
        # Another refund exists, or nobody knows whether this one was recorded: the record says so.
        Case(
            id=f"refund-looked-at-{name}",
            parameters=FULFIL,
            answers={
                **PAID,
                "Fulfil": [error("OutOfStock")],
                "RefundPayment": [error(name)],
                "GetRefund": [error("InternalError"), returned(state="REFUNDED")],
            },
            end="RefundedAfterFailedFulfilment",
        )
        for name in ("Conflict", "InternalError", "Sandbox.Timedout", "StoreUnavailable")
    ),
    Case(
        id="refund-never-recorded",
        parameters=FULFIL,
        answers={
            **PAID,
            "Fulfil": [error("OutOfStock")],
            "RefundPayment": [error("Conflict")],
            "GetRefund": [error("NotFound")],
        },
        end="RefundNotStarted",
    ),
]


def link(**parts: Any) -> Case:  # noqa: ANN401 - the fields of Case
    return Case(**{"workflow": "link_account", "input": LINK, **parts})


FOUND = {"ListBindings": [returned(bindings=[{"bindingId": "b1"}, {"bindingId": "older"}])]}

LINKS = [
    link(
        id="linked",
        answers={"BindAccount": [complete("ACTIVE")]},
        end="Linked",
        output={"bindingId": "b1", "state": "ACTIVE"},
    ),
    link(id="link-failed", answers={"BindAccount": [complete("FAILED")]}, end="NotLinked"),
    *(
        link(
            id=f"bind-retried-{name}",
            answers={"BindAccount": [error(name), complete("ACTIVE")]},
            end="Linked",
            calls=["BindAccount", "BindAccount"],
        )
        for name in sorted(TRANSIENT)
    ),
    *(link(id=f"bind-refused-{name}", answers={"BindAccount": [error(name)]}, end="Refused") for name in OURS),
    *(
        link(id=f"bind-given-up-{name}", answers={"BindAccount": [error(name)]}, end="NotSent")
        for name in ("NotDone", "CircuitOpen")
    ),
    *(
        link(
            id=f"bind-unforeseen-{name}",
            answers={"BindAccount": [error(name)], **FOUND, "GetBinding": [returned(bindingId="b1", state="ACTIVE")]},
            end="Linked",
        )
        for name in ("InternalError", "Sandbox.Timedout", "StoreUnavailable", THROTTLED)
    ),
    link(
        id="customer-too-slow",
        answers={
            "BindAccount": [SILENT],
            **FOUND,
            "GetBinding": [returned(bindingId="b1", state="PENDING"), returned(bindingId="b1", state="FAILED")],
        },
        end="NotLinked",
        calls=["BindAccount", "ListBindings", "GetBinding", "GetBinding"],
        output={"bindingId": "b1", "state": "FAILED"},
    ),
    link(
        id="open-for-ever",
        answers={"BindAccount": [SILENT], **FOUND, "GetBinding": [returned(bindingId="b1", state="PENDING")]},
        end="StillOpen",
    ),
    link(
        id="no-binding-at-all",
        answers={"BindAccount": [SILENT], "ListBindings": [returned(bindings=[])]},
        end="NotSent",
    ),
    link(
        id="find-retried",
        answers={
            "BindAccount": [SILENT],
            "ListBindings": [error("StoreUnavailable"), *FOUND["ListBindings"]],
            "GetBinding": [error(THROTTLED), returned(bindingId="b1", state="ACTIVE")],
        },
        end="Linked",
    ),
    link(
        id="started-before",
        input={"bindingId": "b1"},
        answers={"GetBinding": [returned(bindingId="b1", state="PENDING"), returned(bindingId="b1", state="ACTIVE")]},
        end="Linked",
        calls=["GetBinding", "GetBinding"],
    ),
    link(
        id="started-before-unreadable",
        input={"bindingId": "b1"},
        answers={"GetBinding": [error("InternalError"), returned(bindingId="b1", state="ACTIVE")]},
        end="Linked",
    ),
    link(
        id="started-before-unknown",
        input={"bindingId": "b1"},
        answers={"GetBinding": [error("NotFound")]},
        end="Refused",
    ),
    *(
        link(
            id=f"since-{state}",
            input={"bindingId": "b1"},
            answers={"GetBinding": [returned(bindingId="b1", state=state)]},
            end=end,
        )
        for state, end in (
            ("UNBIND_OTP_PENDING", "Linked"),
            ("UNBOUND", "NotLinked"),
            ("RELINK_REQUIRED", "NotLinked"),
        )
    ),
]
CASES = {case.id: case for case in (*COLLECT, *LINKS)}


def filled(case: Case) -> dict[str, Any]:
    """The definition with every placeholder filled: functions by their names."""
    text = json.dumps(read(case.workflow))
    for name, value in {**PARAMETERS, "FulfilmentTarget": "Fulfil", **case.parameters}.items():
        text = text.replace(f"${{{name}}}", value)
    for name in ("BindAccount", "ListBindings", "GetBinding", "GetBalance", "MakePayment", "GetPayment"):
        text = text.replace(f"${{{name}Alias}}", name)
    for name in ("RefundPayment", "GetRefund"):
        text = text.replace(f"${{{name}Alias}}", name)
    definition: dict[str, Any] = json.loads(text)
    return definition


@pytest.fixture(scope="module")
def runs() -> dict[str, dict[str, Any]]:
    """Every case's run, by one process."""
    cases = [
        {
            "id": case.id.replace(".", "-"),
            "definition": filled(case),
            "name": REF,
            "input": dict(case.input),
            "answers": {name: list(script) for name, script in case.answers.items()},
        }
        for case in CASES.values()
    ]
    done = subprocess.run(
        [ROOT / ".tools/ministack/bin/python", Path(__file__).with_name("engine.py")],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT / "tools" / "local_cloud"), "PATH": "/usr/bin:/bin", "LOG_LEVEL": "CRITICAL"},
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(zip(CASES, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_the_edge_leads_to_its_end(name: str, runs: dict[str, dict[str, Any]]) -> None:
    case, run = CASES[name], runs[name]
    called = [function for function, _ in run["calls"]]
    assert run["states"][-1] == case.end, (run["states"], run["error"], called)
    kind = read(case.workflow)["States"][case.end]["Type"]
    assert run["status"] == {"Succeed": "SUCCEEDED", "Fail": "FAILED"}[kind]
    if case.calls is not None:
        assert called == list(case.calls)
    if case.output is not None:
        assert run["output"] == case.output


@pytest.mark.parametrize("name", [case.id for case in CASES.values() if case.end == "Refused"])
def test_a_refused_request_carries_its_errors_name(name: str, runs: dict[str, dict[str, Any]]) -> None:
    (script,) = (answers for answers in CASES[name].answers.values())
    assert runs[name]["error"] == script[0]["error"]


def test_the_payment_is_sent_under_the_executions_name_with_what_was_given(runs: dict[str, dict[str, Any]]) -> None:
    ((_, payload),) = runs["paid"]["calls"]
    assert payload.pop("taskToken")
    assert payload == {"partnerReferenceNo": REF, **ORDER}


def test_every_repeat_is_the_same_request_but_for_its_token(runs: dict[str, dict[str, Any]]) -> None:
    payloads = [payload for _, payload in runs["pay-retried-StoreUnavailable"]["calls"]]
    for payload in payloads:
        del payload["taskToken"]
    assert payloads[0] == payloads[1] == payloads[2]


def test_the_fulfilment_gets_the_order_and_no_more(runs: dict[str, dict[str, Any]]) -> None:
    (order,) = (payload for function, payload in runs["fulfilled"]["calls"] if function == "Fulfil")
    assert set(order) == {"partnerReferenceNo", "bindingId", "amount"}


def test_the_phone_is_in_no_state_after_the_first_two(runs: dict[str, dict[str, Any]]) -> None:
    for name in ("linked", "customer-too-slow", "bind-refused-Conflict", "bind-given-up-NotDone"):
        for event in runs[name]["history"]:
            entered = event.get("stateEnteredEventDetails")
            if entered and entered["name"] not in {"StartedAlready", "BindAndWait"}:
                assert LINK["phone"] not in entered["input"], (name, entered["name"])
        assert LINK["phone"] not in json.dumps(runs[name]["output"])


@pytest.mark.parametrize("workflow", ["link_account", "collect_payment"])
def test_every_state_is_entered_by_some_case(workflow: str, runs: dict[str, dict[str, Any]]) -> None:
    entered = {state for case in CASES.values() if case.workflow == workflow for state in runs[case.id]["states"]}
    assert entered == set(read(workflow)["States"])
