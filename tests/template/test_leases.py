"""Every lease is longer than the life of who may hold it: nobody is taken for dead while he still speaks to DOKU."""

from datetime import timedelta
from importlib import import_module
from pathlib import Path

import pytest

from direct_debit import application
from direct_debit.adapters import doku as adapter
from direct_debit.application.settings import Settings
from direct_debit.entrypoint.settings import LEAST_CLAIM_LEASE
from tests.template.translation import functions, source
from tools.ops.data_keys import LONGEST_RUN

MARGIN = 30  # seconds: clocks differ, and a function that is stopped has a last request under way
# An attempt ends for its caller's sake, who repeats within a minute, so little more is left. It is enough: no call to
# DOKU lasts until its function is stopped, clocks of AWS are milliseconds apart, and where they are minutes apart (the
# simulation) the answer to an attempt that was taken over is known by its name.
ATTEMPT_MARGIN = 2
# Whose attempt it is, by the use case that writes how long it lasts. These run for as long as their function does.
ATTEMPTS = {
    "bindings.bind_account": "BindAccount",
    "bindings.unbind_account": "UnbindAccount",
    "bindings.confirm_unbinding": "ConfirmUnbinding",
}
# These end by themselves: what they ask of DOKU has the lease's end as its deadline, whatever their function may
# (tests/unit/application/test_leases.py).
BOUNDED = {"bindings.prove_binding", "calls.obtain_customer_token"}


def lease(module: str) -> timedelta:
    """The lease that a use case writes."""
    found = vars(import_module(f"{application.__name__}.{module}"))
    value = found.get("_ATTEMPT", found.get("_LEASE"))
    assert isinstance(value, timedelta)
    return value


def test_no_function_lives_as_long_as_the_shortest_claim() -> None:
    longest = max(function["Timeout"] for function in functions().values())
    parameter = source()["Parameters"]["ClaimLeaseSeconds"]
    assert parameter["MinValue"] >= longest + MARGIN
    assert parameter["MinValue"] == LEAST_CLAIM_LEASE
    assert parameter["Default"] == Settings(public_base_url="").claim_lease
    assert parameter["MinValue"] <= parameter["Default"] <= parameter["MaxValue"]


def test_data_keys_end_when_no_function_is_at_work_any_more_that_knew_the_ones_before() -> None:
    assert timedelta(seconds=max(function["Timeout"] for function in functions().values())) <= LONGEST_RUN


@pytest.mark.parametrize("module", ATTEMPTS)
def test_an_attempt_outlives_the_function_that_makes_it(module: str) -> None:
    assert lease(module) >= timedelta(seconds=functions()[ATTEMPTS[module]]["Timeout"] + ATTEMPT_MARGIN)
    assert adapter._RESERVE_SECONDS > 0


def test_every_lease_is_known_here() -> None:
    folder = Path(application.__file__ or "").parent
    holders = {
        ".".join(path.relative_to(folder).with_suffix("").parts)
        for path in folder.rglob("*.py")
        if any(line.startswith(("_ATTEMPT = ", "_LEASE = ")) for line in path.read_text().splitlines())
    }
    assert holders == {*ATTEMPTS, *BOUNDED}
