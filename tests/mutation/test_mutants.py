"""Names of mutants are stable, and tell each one from the others."""

from pathlib import Path

from tests.mutation.mutants import enumerate_mutants, find_sources, sample

SOURCE = '''
def act(a):
    """Do it."""
    if a > 1:
        keep(a)
    return a > 1
'''


def names(path: Path, source: str) -> list[str]:
    path.write_text(source)
    return [mutant.name for mutant in enumerate_mutants([path])]


def test_every_mutant_of_the_product_has_a_name_of_its_own() -> None:
    mutants = list(enumerate_mutants())
    assert len(mutants) > 1_000
    assert len({mutant.name for mutant in mutants}) == len(mutants)
    assert {mutant.path for mutant in mutants} <= set(find_sources())
    assert "\n" not in "".join(mutant.name for mutant in mutants)
    told_by_the_accepted = (" ", "#", "kind: ")
    assert not any(mutant.name.startswith(told_by_the_accepted) for mutant in mutants)


def test_a_name_says_what_and_not_where(tmp_path: Path) -> None:
    found = names(tmp_path / "act.py", SOURCE)
    assert "act.py act compare: if a > 1: | a > 1 => a >= 1 #1" in found
    assert "act.py act delete: keep(a) => pass #1" in found


def test_names_survive_changes_elsewhere(tmp_path: Path) -> None:
    before = names(tmp_path / "act.py", SOURCE)
    moved = "import os\n\n\ndef other(b):\n    return b > 1\n\n" + SOURCE.replace("Do it.", "Do it well.")
    after = names(tmp_path / "act.py", moved.replace("keep(a)", "keep(  a)  # why"))
    assert [name for name in after if " act " in name] == before


def test_equal_changes_of_one_function_are_numbered(tmp_path: Path) -> None:
    found = names(tmp_path / "act.py", "def act(a):\n    keep(a)\n    keep(a)")
    assert found == [f"act.py act delete: keep(a) => pass #{number}" for number in (1, 2)]


def test_a_sample_is_drawn_by_names() -> None:
    mutants = list(enumerate_mutants())
    drawn = sample(mutants, 50, seed=1)
    assert len(drawn) == 50
    assert sample([*reversed(mutants)], 50, seed=1) == [*reversed(drawn)]
    assert {one.name for one in sample(mutants, 50, seed=2)} != {one.name for one in drawn}
    # Where a mutant that was not drawn goes away, the same ones are drawn.
    fewer = [one for one in mutants if one in drawn or one.path.name == "money.py"]
    assert {one.name for one in drawn} >= {one.name for one in sample(fewer, 50, seed=1)} - {
        one.name for one in fewer if one not in drawn
    }
