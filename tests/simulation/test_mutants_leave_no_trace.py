"""A mutant that was planted and taken out again leaves the product as it was."""

import pytest

from tests.simulation.mutants import MUTANTS, Mutant, planted
from tools.diagrams import draw


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_tables_are_as_they_were_in_their_order_too(mutant: Mutant) -> None:
    before = draw()
    with planted(mutant):
        pass
    assert draw() == before
