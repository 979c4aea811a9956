"""`make bruno` says what it needs."""

import pytest

from tools.bruno import NEEDED, run_journey


@pytest.mark.parametrize("name", NEEDED)
def test_a_variable_that_is_missing_is_named(name: str) -> None:
    variables = dict.fromkeys(NEEDED, "given") | {name: ""}
    with pytest.raises(ValueError, match=rf"^{name}: not set\. `make run`"):
        run_journey(variables)
