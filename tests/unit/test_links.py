"""Every link in the documents leads somewhere: to a file that is there, and to a heading that is on it."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tools.local_cloud.checkout import ROOT

PAGES = sorted(
    page
    for page in (
        *ROOT.glob("*.md"),
        ROOT / "llms.txt",
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "clients").glob("*/*.md"),
        ROOT / "tools/doku_simulator/README.md",
    )
    if page.is_file()
)
_FENCE = re.compile(r"^(```+).*?^\1\s*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^()\s]+)\)")
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def find_links(text: str) -> Iterator[str]:
    """The links of a page to this repository; code is none."""
    prose = re.sub(r"(`+)[^\n]*?\1", "", _FENCE.sub("", text))
    return (link[1] for link in _LINK.finditer(prose) if not _ELSEWHERE.match(link[1]))


@cache
def find_anchors(page: Path) -> frozenset[str]:
    """What may stand behind `#`: GitHub's names of the headings, and ids that the page gives itself."""
    prose = _FENCE.sub("", page.read_text("utf-8"))
    found: set[str] = set(re.findall(r'\bid="([^"]+)"', prose))
    for heading in re.findall(r"^#{1,6} (.*)$", prose, re.MULTILINE):
        name = slug = anchor_of(heading)
        number = 0
        while name in found:
            number += 1
            name = f"{slug}-{number}"
        found.add(name)
    return frozenset(found)


def anchor_of(heading: str) -> str:
    """GitHub's name for a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in find_links(page.read_text("utf-8")):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in find_anchors(target)):
            broken.append(link)
    assert broken == []


def test_the_pages_that_link_are_read() -> None:
    read = {str(page.relative_to(ROOT)) for page in PAGES}
    assert {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "llms.txt", "docs/README.md", "docs/api.md"} <= read


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("Codes (OTP)", "codes-otp"),
        ("3. Link an account", "3-link-an-account"),
        ("`make run`, and [others](x.md)", "make-run-and-others"),
        ("DOKU's calls are refused", "dokus-calls-are-refused"),
    ],
)
def test_a_heading_is_named_as_github_names_it(heading: str, anchor: str) -> None:
    assert anchor_of(heading) == anchor


def test_code_holds_no_links() -> None:
    page = "[a](a.md) `[b](b.md)` [web](https://x.example)\n```sh\n[c](c.md)\n```\n[d](#d)"
    assert list(find_links(page)) == ["a.md", "#d"]
