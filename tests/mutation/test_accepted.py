"""The list of accepted survivors can be read, gives reasons, and fits the source."""

import pytest

from tests.mutation.accepted import BadList, find_strangers, read_accepted
from tests.mutation.mutants import enumerate_mutants


def test_the_list_is_well_formed_and_fits_the_source() -> None:
    assert find_strangers(read_accepted(), {mutant.name for mutant in enumerate_mutants()}) == []


def test_a_reason_belongs_to_the_name_above_it() -> None:
    text = "# about\n\nfile.py act delete: a => pass #1\n    why\n    indeed\nfile.py act delete: b => pass #1\n  so\n"
    assert read_accepted(text) == {
        "file.py act delete: a => pass #1": "why indeed",
        "file.py act delete: b => pass #1": "so",
    }


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a mutant\n", "no reason for a mutant"),
        ("one\n  why\none\n  why\n", "line 3: one is there twice"),
        ("  a reason\n", "line 1: a reason without a mutant"),
    ],
)
def test_a_bad_list_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(BadList, match=complaint):
        read_accepted(text)


def test_what_is_accepted_and_gone_is_named() -> None:
    assert find_strangers(["gone", "there"], ["there", "new"]) == ["gone"]
