"""What was deployed can be deployed again."""

import boto3
import pytest
from moto import mock_aws

from tests.unit.deploy.stubs import stubbed
from tools.deploy.clients import Clients, connect
from tools.deploy.failure import DeployError
from tools.deploy.history import Shelf, find_bucket, mark, read_deployed, read_mark

TEMPLATE = {"Metadata": {"Other": {}}, "Resources": {"F": {"Properties": {"CodeUri": "s3://code/shop/abc"}}}}
VALUES = {"LateSuccess": "refund"}


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Clients:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "-")
    return connect("ap-southeast-3")


def test_a_deployment_is_found_again_by_what_the_stack_says(clients: Clients) -> None:
    with mock_aws():
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="code")
        shelf = Shelf(clients, "ap-southeast-3", find_bucket(TEMPLATE), "shop")
        first = mark(TEMPLATE, None, VALUES)
        shelf.put(first)
        second = mark(TEMPLATE, first.id, {"LateSuccess": "accept"})
        address = shelf.put(second)
        assert address == f"https://s3.ap-southeast-3.amazonaws.com/code/shop/deployments/{second.id}.template"
        assert read_mark(second.template) == (second.id, first.id)
        found, at = shelf.get(first.id)
        assert (found, at) == (first, address.replace(second.id, first.id))
        assert read_mark(found.template) == (first.id, None)
        with pytest.raises(DeployError, match="deploy its commit instead"):
            shelf.get("20200101T000000Z-000000")


def test_the_template_keeps_what_it_said() -> None:
    marked = mark(TEMPLATE, None, VALUES)
    assert marked.template["Resources"] == TEMPLATE["Resources"]
    assert read_mark(TEMPLATE) == (None, None), "the source stays as it is"


def test_a_stack_that_somebody_else_deployed_says_nothing() -> None:
    with stubbed() as stub:
        stub.cloudformation.add_response("get_template", {"TemplateBody": "Resources: {}"})
        deployed = read_deployed(stub.clients, "shop")
    assert read_mark(deployed) == (None, None)
    with pytest.raises(DeployError, match="names no bucket"):
        find_bucket(deployed)
