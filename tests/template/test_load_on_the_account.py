"""What the deployment takes of an account: executions at once, and events that are run late."""

from pathlib import Path

from tests.aws_rules.account_concurrency import NEW_ACCOUNT, taken_by_pollers
from tests.aws_rules.asynchronous_invocations import USUAL_AGE, USUAL_RETRIES, lateness, schedules
from tests.template.translation import resources, source

OPERATIONS = (Path(__file__).resolve().parents[2] / "docs" / "operations.md").read_text()


def test_a_sweep_that_was_held_up_is_not_made_up_for() -> None:
    """The next one does the same work: sixty at once after an hour of throttling would ask DOKU sixty times."""
    periods = schedules(source())
    assert periods == {"ResolvePending": 60}
    for name, period in periods.items():
        config = source()["Resources"][name]["Properties"].get("EventInvokeConfig")
        assert lateness(config) == (0, period)
    assert lateness(None) == (USUAL_RETRIES, USUAL_AGE)


def test_the_page_for_operators_says_how_many_executions_are_needed() -> None:
    defaults = {name: one.get("Default") for name, one in source()["Parameters"].items()}
    mappings = resources("AWS::Lambda::EventSourceMapping")
    taken = taken_by_pollers(mappings, defaults)
    queues = taken_by_pollers({n: m for n, m in mappings.items() if "StartingPosition" not in m}, defaults)
    assert taken > NEW_ACCOUNT
    told = f"workers take up to {queues} executions at once, the outbox of new tables up to {taken - queues}"
    assert told in " ".join(OPERATIONS.split())
    assert f"a new account has {NEW_ACCOUNT}" in " ".join(OPERATIONS.split())
