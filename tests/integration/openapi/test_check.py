"""What `make check` says of the document, and that it asks."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tools.local_cloud.checkout import ROOT
from tools.openapi.__main__ import DOCUMENT
from tools.openapi.check import check

type Json = dict[str, Any]

PAYMENT = "PaymentView"


def change(folder: Path, alter: Callable[[Json], object]) -> Path:
    document = json.loads(DOCUMENT.read_text("utf-8"))
    alter(document)
    path = folder / "changed.json"
    path.write_text(json.dumps(document), "utf-8")
    return path


def test_this_document_passes() -> None:
    assert check() == 0


@pytest.mark.parametrize(
    ("alter", "told"),
    [
        (lambda now: now["paths"].pop("/payments/{ref}"), "/payments/{ref}: route removed"),
        (
            lambda now: now["components"]["schemas"][PAYMENT]["properties"].pop("remarks"),
            "GET /payments/{ref} 200.remarks: field removed",
        ),
        (
            lambda now: now["paths"]["/problems/{slug}"]["get"]["parameters"][0]["schema"]["enum"].remove("otp-wrong"),
            "GET /problems/{slug} slug: value removed",
        ),
        (
            lambda now: now["components"]["schemas"]["BindAccountRequest"]["required"].append("email"),
            "POST /bindings request.email: field required",
        ),
    ],
    ids=["route", "field", "value", "required"],
)
def test_a_break_is_told_and_fails(
    alter: Callable[[Json], object], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(change(tmp_path, alter), DOCUMENT) == 1
    assert told in capsys.readouterr().out.splitlines()


def test_a_fault_is_told_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    unlicensed = change(tmp_path, lambda now: now["info"].pop("license"))
    assert check(unlicensed, DOCUMENT) == 1
    assert "info-license" in capsys.readouterr().out


def test_make_check_asks() -> None:
    rules = (ROOT / "Makefile").read_text("utf-8")
    (recipe,) = re.findall(r"^check:.*\n((?:\t.*\n)+)", rules, re.MULTILINE)
    assert "-m tools.openapi.check\n" in recipe
