"""The list of accepted survivors can be read, gives reasons, and fits the source."""

import pytest

from tests.mutation.accepted import BadList, read_accepted
from tests.mutation.mutants import enumerate_mutants


def test_the_list_is_well_formed_and_fits_the_source() -> None:
    accepted = read_accepted()
    assert accepted.find_strangers(mutant.name for mutant in enumerate_mutants()) == []
    assert accepted.find_repetitions() == []


def test_a_reason_belongs_to_the_name_above_it() -> None:
    why = "why" * 40
    text = f"# about\n\nfile.py act delete: a => pass #1\n  {why}\n  indeed\nfile.py act delete: b => pass #1\n  so\n"
    accepted = read_accepted(text)
    assert accepted.names == {
        "file.py act delete: a => pass #1": f"{why} indeed",
        "file.py act delete: b => pass #1": "so",
    }
    assert accepted.kinds == {}
    assert accepted.accepts("file.py act delete: b => pass #1")
    assert not accepted.accepts("file.py act delete: b => pass #2")


def test_a_kind_accepts_what_fits_it_and_nothing_else() -> None:
    accepted = read_accepted("kind: *.py act delete: note(x[*], '*') => pass #*\n  nobody reads it\n")
    assert accepted.kinds == {"*.py act delete: note(x[*], '*') => pass #*": "nobody reads it"}
    assert accepted.accepts("a/file.py act delete: note(x[-1], 'text') => pass #1")
    assert accepted.accepts("a/file.py act delete: note(x[*more], '') => pass #22")
    for other in (
        "a/file.py act delete: note(x, 'text') => pass #1",
        "a/file_py act delete: note(x[-1], 'text') => pass #1",
        "a/file.py act delete: note(x[-1], 'text') => pass",
        "a/file.py react delete: note(x[-1], 'text') => pass #1",
        "a/file.py act delete: note(x[-1], 'text') => pass #1\n",
    ):
        assert not accepted.accepts(other)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a mutant\n", "no reason for a mutant"),
        ("kind: a*\n", "no reason for kind: a*"),
        ("one\n  why\none\n  why\n", "line 3: one is there twice"),
        ("kind: a*\n  why\nkind: a*\n  why\n", "line 3: kind: a* is there twice"),
        ("  a reason\n", "line 1: a reason without a mutant"),
        ("one\n  why\n\n  a reason\n", "line 4: a reason without a mutant"),
        ("one\n  why\n# about\n  a reason\n", "line 4: a reason without a mutant"),
        ("one\n  The same.\n  Without it nothing is said.\n", "line 3: a second reason for one"),
    ],
)
def test_a_bad_list_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(BadList) as refused:
        read_accepted(text)
    assert str(refused.value) == complaint


def test_what_is_accepted_and_gone_is_named() -> None:
    accepted = read_accepted("gone\n  why\nthere\n  why\nkind: go*\n  why\nkind: th*\n  why\n")
    assert accepted.find_strangers(["there", "new"]) == ["go*", "gone"]


def test_a_name_that_a_kind_accepts_as_well_is_named() -> None:
    accepted = read_accepted("there\n  why\nother\n  why\nkind: th*\n  why\n")
    assert accepted.find_repetitions() == ["there"]
