"""No picture in docs/ is drawn by hand: `make diagrams` draws each, and tests compare what it would draw now."""

from pathlib import Path

import pytest

from tools import architecture_diagrams, diagrams, workflow_diagrams
from tools.local_cloud.checkout import ROOT
from tools.marked_places import without

PAGES = sorted((ROOT / "docs").rglob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_picture_is_drawn_by_the_command(page: Path) -> None:
    by_hand = "" if page == diagrams.PAGE else without(page.read_text("utf-8"))
    assert "```mermaid" not in by_hand
    assert "![" not in by_hand


def test_the_command_draws_each_of_these_pages() -> None:
    drawn = {page for page in PAGES if "```mermaid" in page.read_text("utf-8")}
    assert drawn == {diagrams.PAGE, workflow_diagrams.PAGE, architecture_diagrams.PAGE}
    rule = (ROOT / "Makefile").read_text().partition("\ndiagrams: ")[2].partition("\n\n")[0]
    for tool in (diagrams, workflow_diagrams, architecture_diagrams):
        assert f"-m {tool.__name__} $(ARGS)" in rule
