"""A function's environment that Lambda would refuse is told before anything is built, with what makes it so large."""

from dataclasses import replace

import pytest

from tests.template.translation import source
from tests.unit.deploy.test_check_parameters import FOUND, SANDBOX, given, problems
from tools.deploy.environment_size import LARGEST_ENVIRONMENT, find_too_large, measure_environments
from tools.deploy.parameters import resolve_parameters
from tools.deploy.target import Target

PAGE = "https://shop.example/"


def largest(target: Target) -> int:
    return max(measure_environments(source(), target, resolve_parameters(source(), target, FOUND)).values())


def test_the_defaults_leave_a_kilobyte_to_the_operator_under_the_longest_name_too() -> None:
    longest = replace(SANDBOX, stack="s" * 35)
    assert [one for one in problems(longest) if "stack_name" in one] == []
    assert largest(longest) < LARGEST_ENVIRONMENT - 1024


def test_each_function_is_measured_that_is_deployed() -> None:
    without = measure_environments(source(), SANDBOX, resolve_parameters(source(), SANDBOX, FOUND))
    target = given(WebhookUrl=f"{PAGE}hooks")
    with_webhooks = measure_environments(source(), target, resolve_parameters(source(), target, FOUND))
    assert with_webhooks.keys() - without.keys() == {"DeliverWebhook"}
    assert with_webhooks["DeliverWebhook"] > with_webhooks["MakePayment"], "it has variables of its own besides"


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_last_byte_that_fits_passes(more: int) -> None:
    room = LARGEST_ENVIRONMENT - largest(SANDBOX)
    page = PAGE + "p" * (room - len(PAGE) + more)
    assert (problems(given(DefaultSuccessUrl=page)) == []) is (more <= 0)


def test_it_is_said_which_parameters_are_long_and_by_how_much_too_long() -> None:
    success, failed = PAGE + "s" * 1500, PAGE + "f" * 500
    (problem,) = problems(given(DefaultSuccessUrl=success, DefaultFailedUrl=failed))
    assert problem.startswith("DefaultSuccessUrl (1,521), DefaultFailedUrl (521): shorten what is long, by ")
    assert "Lambda takes 4,096 bytes of environment" in problem


def test_where_none_is_long_the_longest_are_named() -> None:
    """So many short ones that together they are too much; here the stack's own name is what is long."""
    target = replace(given(DefaultSuccessUrl=PAGE + "s" * 60), stack="s" * 300)
    (problem,) = find_too_large(source(), target, resolve_parameters(source(), target, FOUND))
    assert problem.startswith("DefaultSuccessUrl (81), ")
    assert problem.partition(":")[0].count("(") == 5


def test_what_is_written_with_more_signs_in_json_counts_as_such() -> None:
    quoted = given(DefaultSuccessUrl=f'{PAGE}?q=""""')
    assert largest(quoted) == largest(given(DefaultSuccessUrl=f"{PAGE}?q=aaaa")) + 4
