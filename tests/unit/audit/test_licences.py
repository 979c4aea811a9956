"""What is shipped is under a licence that is allowed, and docs/licences.md says so."""

import pytest

from tools.audit import licences
from tools.audit.licences import PAGE, Package, find_refused, is_allowed, list_all, write_page


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        ("MIT", True),
        ("Apache-2.0 OR BSD-3-Clause", True),
        ("GPL-3.0-only OR MIT", True),
        ("(MIT AND Apache-2.0)", True),
        ("MIT AND GPL-3.0-only", False),
        ("AGPL-3.0-only", False),
        ("MIT WITH Exception", False),
        ("unknown", False),
        ("", False),
    ],
)
def test_a_licence_is_allowed_or_not(licence: str, allowed: bool) -> None:
    assert is_allowed(licence) is allowed


def test_a_package_that_may_not_be_shipped_is_named() -> None:
    (fault,) = find_refused([Package("good", "1", "MIT"), Package("bad", "2", "AGPL-3.0-only")])
    assert fault.startswith("bad 2 is under AGPL-3.0-only")


def test_all_that_is_shipped_is_allowed_and_on_the_page() -> None:
    sections = list_all()
    assert all(sections.values())
    assert find_refused(one for section in sections.values() for one in section) == []
    assert PAGE.read_text("utf-8") == write_page(sections), "run `make licences`"


def test_what_the_clients_declare_is_among_it_with_what_they_bring() -> None:
    sections = list_all()
    python = {one.name for one in sections["The Python client"]}
    assert {"httpx", "pydantic", "standardwebhooks", "httpcore", "pydantic-core"} <= python
    assert "pytest" not in python
    typescript = {one.name for one in sections["The TypeScript client"]}
    assert {"openapi-fetch", "openapi-typescript-helpers"} <= typescript
    assert "typescript" not in typescript


def test_a_page_of_before_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(licences, "list_all", lambda: {"Layer": (Package("new", "1", "MIT"),)})
    assert licences.check_licences().faults == ("docs/licences.md is not as the locks have it: run `make licences`",)
