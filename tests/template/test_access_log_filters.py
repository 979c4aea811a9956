"""What of the access log counts as a refused call of a merchant, and what as a call of DOKU's routes from elsewhere."""

import json
from collections.abc import Mapping

import pytest

from tests.aws_rules.filter_patterns import InvalidPattern, counts, read_pattern
from tests.template.routes import PUBLIC, ROUTES
from tests.template.translation import Json, resources

MERCHANTS, DOKUS = "MerchantCallRefusedFilter", "DokuAddressRefusedFilter"
FILTERS = resources("AWS::Logs::MetricFilter")
REFUND = "/payments/{ref}/refund"
NOTIFY = "/doku/v1.0/debit/notify"


def log_format() -> Mapping[str, str]:
    (stage,) = resources("AWS::ApiGateway::Stage").values()
    read: Json = json.loads(stage["AccessLogSetting"]["Format"])
    return read


def line(route: str, status: str, error: str = "-") -> str:
    """A line as API Gateway writes it: everything is text, and `-` where there is nothing."""
    given = {"$context.resourcePath": route, "$context.status": status, "$context.error.responseType": error}
    return json.dumps({name: given.get(value, "-") for name, value in log_format().items()})


def counted(route: str, status: str, error: str = "-") -> set[str]:
    return {name for name, one in FILTERS.items() if counts(one["FilterPattern"], line(route, status, error))}


@pytest.mark.parametrize("error", ["INVALID_SIGNATURE", "ACCESS_DENIED", "EXPIRED_TOKEN", "DEFAULT_4XX", "-"])
@pytest.mark.parametrize("route", sorted({path for method, path in ROUTES if (method, path) not in PUBLIC}))
def test_a_caller_who_is_not_let_in_counts_whatever_the_gateway_calls_it(route: str, error: str) -> None:
    assert counted(route, "403", error) == {MERCHANTS}


@pytest.mark.parametrize("route", sorted(path for _, path in PUBLIC if path.startswith("/doku/")))
def test_who_calls_dokus_routes_from_elsewhere_counts_by_itself(route: str) -> None:
    assert counted(route, "403", "ACCESS_DENIED") == {DOKUS}
    # A signature that is refused there was refused by the function, which counts it (NotificationRefused).
    assert counted(route, "401") == set()
    assert counted(route, "200") == set()


@pytest.mark.parametrize(
    ("route", "status", "error"),
    [
        (REFUND, "403", "MISSING_AUTHENTICATION_TOKEN"),
        ("/", "403", "MISSING_AUTHENTICATION_TOKEN"),
        (REFUND, "403", "WAF_FILTERED"),
        (NOTIFY, "403", "WAF_FILTERED"),
        (REFUND, "401", "UNAUTHORIZED"),  # counted by who judged the token
        (REFUND, "429", "THROTTLED"),
        (REFUND, "404", "-"),
        (REFUND, "422", "-"),
        (REFUND, "503", "AUTHORIZER_FAILURE"),
        (REFUND, "202", "-"),
    ],
)
def test_everything_else_does_not(route: str, status: str, error: str) -> None:
    assert counted(route, status, error) == set()


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_reads_what_the_access_log_has_and_counts_ones(name: str) -> None:
    assert FILTERS[name]["LogGroupName"] == {"Ref": "ApiAccessLogs"}
    assert {term.name for term in read_pattern(FILTERS[name]["FilterPattern"])} <= set(log_format())
    (made,) = FILTERS[name]["MetricTransformations"]
    assert (made["MetricValue"], made["Unit"]) == ("1", "Count")
    # An account has so many metrics as values: callers, routes and addresses are in the log.
    assert "Dimensions" not in made


def test_a_status_is_text_in_the_log() -> None:
    """`$.status = 403` without quotes would be compared with a number."""
    assert all(value.startswith("$context.") for value in log_format().values())


@pytest.mark.parametrize(
    "pattern",
    ["ERROR", "{ $.status = 403 }", '{ $.a = "x" || $.b = "y" }', '{ ($.a = "x") }', "{ $.a IS NULL }", "{ }"],
)
def test_a_pattern_of_another_kind_is_not_guessed(pattern: str) -> None:
    with pytest.raises(InvalidPattern):
        read_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "is_counted"),
    [
        ('{ $.a = "x*" }', True),
        ('{ $.a = "x.z" }', False),
        ('{ $.a = "xy" }', False),
        ('{ $.a != "x*" }', False),
        ('{ $.a != "y*" && $.a = "*z" }', True),
        ('{ $.a != "y*" && $.a = "*y" }', False),
    ],
)
def test_texts_are_compared_whole(pattern: str, is_counted: bool) -> None:
    assert counts(pattern, '{"a": "xyz"}') == is_counted


@pytest.mark.parametrize("text", ['{"b": "x"}', '{"a": 403}'])
def test_a_line_without_the_text_is_not_guessed(text: str) -> None:
    with pytest.raises(InvalidPattern):
        counts('{ $.a != "x" }', text)
