import pytest

from tools.local_cloud.journey import Journey, ledger
from tools.local_cloud.report import table
from tools.local_cloud.stack import LocalStack

pytestmark = pytest.mark.e2e


def test_one_customers_whole_life(stack: LocalStack) -> None:
    journey = Journey(stack, lambda _: None)
    steps = journey.walk()
    assert steps[-1].failure is None, table(steps)
    assert [step.name for step in steps][-1] == "ledger"
    mine = [entry for entry in ledger(stack) if entry["reference"] == journey.reference]
    assert [entry["kind"] for entry in mine] == ["debit", "refund"]
