"""What a function's front door says that it uses, against what its code touches.

Too little costs the first request of each new environment the loading; too much costs every start. Nothing fails by it.
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args

import pytest

from direct_debit.entrypoint.container import CALLS_DOKU, Use

ROOT = Path(__file__).parents[3]
SOURCES = ROOT / "layers" / "direct_debit" / "python"
# Of all functions, two have no ports, and the one that sends webhooks has its own.
APART = {"authorise_call", "explain_problem", "deliver_webhook"}
FUNCTIONS = sorted({path.parent.name for path in (ROOT / "functions").glob("*/handler.py")} - APART)
USES = frozenset(get_args(Use.__value__))

# What a function's code can touch and its usual request does not: loaded when it is needed for once.
DOKU = frozenset(CALLS_DOKU)
SELDOM: Mapping[str, frozenset[str]] = {
    # A workflow may wait for the end of it, and unlinking lets settled payments go.
    "bind_account": frozenset({"payments", "workflows"}),
    "confirm_unbinding": frozenset({"payments"}),
    "return_from_binding": frozenset({"payments", "workflows"}),
    "unbind_account": frozenset({"payments"}),
    # A later look may be near.
    "inquire_status": frozenset({"bindings", "queues"}),
    "make_payment": frozenset({"queues", "workflows"}),
    "process_refund": frozenset({"queues"}),
    "verify_payment_otp": frozenset({"queues"}),
    # They ask DOKU in some cases, or share a file with what does.
    "get_payment": DOKU | {"bindings", "queues"},
    "list_bindings": frozenset({"vault"}),
    "process_notification": DOKU - {"vault"} | {"queues"},
    "resolve_pending": DOKU | {"events", "queues", "workflows"},
    "issue_token": frozenset({"inbox", "queues", "vault"}),
    "publish_events": frozenset({"vault", "workflows"}),
}


def said(function: str) -> frozenset[str]:
    """What the front door says."""
    tree = ast.parse((ROOT / "functions" / function / "handler.py").read_text())
    (uses,) = (
        keyword.value for node in ast.walk(tree) if isinstance(node, ast.Call) for keyword in node.keywords
        if keyword.arg == "uses"
    )  # fmt: skip
    assert isinstance(uses, ast.Tuple)
    names: list[str] = []
    for one in uses.elts:
        if isinstance(one, ast.Starred):
            assert ast.unparse(one.value) == "CALLS_DOKU"
            names.extend(CALLS_DOKU)
        else:
            names.append(ast.literal_eval(one))
    assert len(names) == len(set(names))
    return frozenset(names)


def touched(function: str) -> frozenset[str]:
    """The ports that the code of a function names anywhere, with all that it loads of the application and the doors."""
    found: set[str] = set()
    seen: set[Path] = set()
    waiting = [ROOT / "functions" / function / "handler.py"]
    while waiting:
        path = waiting.pop()
        if path in seen or path.name == "container.py":
            continue
        seen.add(path)
        tree = ast.parse(path.read_text())
        waiting.extend(imported(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value).split(".")[-1] in ("ports", "services"):
                found.add(node.attr)
    return frozenset(found & USES)


def imported(tree: ast.Module) -> Iterator[Path]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("direct_debit."):
            path = SOURCES / Path(*node.module.split("."))
            if path.with_suffix(".py").exists():
                yield path.with_suffix(".py")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_front_door_names_no_port_that_its_code_does_not_touch(function: str) -> None:
    """Take it off `uses` in functions/.../handler.py."""
    assert said(function) <= touched(function)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_the_code_touches_is_loaded_at_the_start_or_seldom_needed(function: str) -> None:
    """Add it to `uses` in functions/.../handler.py, or to SELDOM here if most requests do without it."""
    assert touched(function) - said(function) == SELDOM.get(function, frozenset())
