"""Where AWS is found: as botocore finds it, or botocore has to."""

from collections.abc import Iterator

import pytest
from botocore.endpoint_provider import EndpointProvider
from botocore.loaders import Loader

from direct_debit.adapters.aws.direct_clients import DYNAMODB, EVENTS, SECRETS_MANAGER, SQS, STEP_FUNCTIONS
from direct_debit.adapters.aws.endpoints import find_place
from direct_debit.adapters.aws.json_api import JsonService

SERVICES = {
    "dynamodb": DYNAMODB,
    "sqs": SQS,
    "events": EVENTS,
    "stepfunctions": STEP_FUNCTIONS,
    "secretsmanager": SECRETS_MANAGER,
}
USUAL = {
    "AWS_REGION": "ap-southeast-3",
    "AWS_ACCESS_KEY_ID": "a",
    "AWS_SECRET_ACCESS_KEY": "s",
    "AWS_SESSION_TOKEN": "t",
    "PATH": "/bin",
}


def regions() -> Iterator[str]:
    for partition in Loader().load_data("partitions")["partitions"]:
        yield from (name for name in partition["regions"] if not name.endswith("-global"))


@pytest.mark.parametrize(("name", "service"), SERVICES.items())
def test_each_region_is_where_botocore_finds_it_or_left_to_it(name: str, service: JsonService) -> None:
    loader = Loader()
    rules = loader.load_service_model(name, "endpoint-rule-set-1")
    provider = EndpointProvider(rules, loader.load_data("partitions"))
    left = set()
    for region in regions():
        place = find_place({**USUAL, "AWS_REGION": region})
        if place is None:
            left.add(region)
        else:
            found = provider.resolve_endpoint(Region=region, UseFIPS=False, UseDualStack=False)
            assert place.find(service.prefix) == found.url
    assert not any(region.startswith(("ap-", "us-east", "us-west", "eu-w", "cn-")) for region in left)


def test_what_lambda_tells_is_enough() -> None:
    place = find_place(USUAL)
    assert place is not None
    assert (place.region, place.access_key, place.secret_key, place.session_token) == ("ap-southeast-3", "a", "s", "t")
    assert place.find("dynamodb") == "https://dynamodb.ap-southeast-3.amazonaws.com"
    assert place.is_encrypted


def test_one_endpoint_may_stand_for_all_services() -> None:
    place = find_place({**USUAL, "AWS_ENDPOINT_URL": "http://127.0.0.1:4566"})
    assert place is not None
    assert place.find("dynamodb") == place.find("sqs") == "http://127.0.0.1:4566"
    assert not place.is_encrypted
    encrypted = find_place({**USUAL, "AWS_ENDPOINT_URL": "https://aws.example"})
    assert encrypted is not None
    assert encrypted.is_encrypted


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_what_is_missing_is_left_to_botocore(name: str) -> None:
    """A function that was restored from a snapshot has no keys: it gets them from an address, and renews them."""
    assert find_place({**USUAL, name: ""}) is None
    assert find_place({key: value for key, value in USUAL.items() if key != name}) is None


@pytest.mark.parametrize("region", ["us-iso-east-1", "eu-isoe-west-1", "eusc-de-east-1", "moon-1", "nonsense"])
def test_a_region_of_another_partition_is_left_to_botocore(region: str) -> None:
    assert find_place({**USUAL, "AWS_REGION": region}) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start"),
        ("AWS_CA_BUNDLE", "/opt/authorities.pem"),
        ("AWS_USE_FIPS_ENDPOINT", "true"),
        ("AWS_USE_DUALSTACK_ENDPOINT", "true"),
        ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
        ("AWS_ENDPOINT_URL_DYNAMODB", "https://dynamodb.example"),
        ("HTTPS_PROXY", "http://proxy.example"),
        ("https_proxy", "http://proxy.example"),
        ("HTTP_PROXY", "http://proxy.example"),
        ("all_proxy", "http://proxy.example"),
    ],
)
def test_a_snapshot_and_what_an_owner_has_set_are_left_to_botocore(name: str, value: str) -> None:
    assert find_place({**USUAL, name: value}) is None
