"""The trimmed models: all that the adapters call, each as botocore has it, and clients that can be made from them."""

import ast
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name
from botocore.client import BaseClient
from botocore.loaders import Loader
from botocore.stub import Stubber

from direct_debit.adapters import aws
from direct_debit.adapters.aws import AwsClients
from tools.local_cloud.aws_data import OPERATIONS, trim_model, write_aws_data

ADAPTERS = Path(aws.__file__).parent
CLIENTS = {
    "dynamodb": "dynamodb",
    "events": "events",
    "secrets": "secretsmanager",
    "sqs": "sqs",
    "stepfunctions": "stepfunctions",
}
MODULES = {
    "client": "dynamodb",
    "eventbridge": "events",
    "secrets": "secretsmanager",
    "sqs": "sqs",
    "stepfunctions": "stepfunctions",
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built") / "aws_data"
    write_aws_data(folder)
    return folder


def called() -> dict[str, set[str]]:
    """What the adapters call of a client, by service."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for module, service in MODULES.items():
        (path,) = ADAPTERS.rglob(f"{module}.py")
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "self._client":
                found[service].add(node.attr)
    return found


def test_the_operations_are_those_that_the_adapters_call() -> None:
    """Or a call fails in the deployed application only: add it to OPERATIONS in tools/local_cloud/aws_data.py."""
    assert called() == {service: {xform_name(name) for name in names} for service, names in OPERATIONS.items()}


def test_a_client_is_made_from_the_trimmed_models_alone(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "AWS_DATA", data)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-southeast-3")
    clients = AwsClients()
    for attribute, service in CLIENTS.items():
        client = getattr(clients, attribute)
        assert isinstance(client, BaseClient)
        assert set(client.meta.service_model.operation_names) == set(OPERATIONS[service])
        whole = botocore.session.get_session().create_client(service)
        assert client.meta.endpoint_url == whole.meta.endpoint_url
        for name in OPERATIONS[service]:
            trimmed, full = (one.meta.service_model.operation_model(name) for one in (client, whole))
            assert shapes(trimmed.input_shape) == shapes(full.input_shape)
            assert shapes(trimmed.output_shape) == shapes(full.output_shape)
            assert trimmed.error_shapes == [] or [one.name for one in trimmed.error_shapes] == [
                one.name for one in full.error_shapes
            ]


def shapes(shape: object, seen: frozenset[str] = frozenset()) -> object:
    """A shape as nested names and types, which says how it is written and read."""
    name, kind = getattr(shape, "name", None), getattr(shape, "type_name", None)
    if name is None or name in seen:
        return name
    inner = seen | {name}
    members = [(key, shapes(value, inner)) for key, value in sorted(getattr(shape, "members", {}).items())]
    rest = [shapes(getattr(shape, part, None), inner) for part in ("member", "key", "value")]
    return name, kind, members, rest


def test_a_call_works_with_the_trimmed_model(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "AWS_DATA", data)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-southeast-3")
    client = AwsClients().dynamodb
    with Stubber(client) as stubber:  # type: ignore[arg-type]  # it is a client of botocore's
        stubber.add_client_error("get_item", "ProvisionedThroughputExceededException")
        stubber.add_response("get_item", {"Item": {"pk": {"S": "a"}}})
        with pytest.raises(client.exceptions.ProvisionedThroughputExceededException):  # type: ignore[attr-defined]  # boto3 makes its exceptions at run time
            client.get_item(TableName="t", Key={"pk": {"S": "a"}})
        assert client.get_item(TableName="t", Key={"pk": {"S": "a"}})["Item"] == {"pk": {"S": "a"}}


@pytest.mark.parametrize("region", ["ap-southeast-3", "us-east-1", "cn-north-1", "us-gov-west-1"])
def test_every_partition_is_known_still(data: Path, region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    whole = AwsClients().sqs.meta.endpoint_url
    monkeypatch.setattr(aws, "AWS_DATA", data)
    assert AwsClients().sqs.meta.endpoint_url == whole


def test_no_documentation_is_left_and_the_bytes_are_the_same_each_time(data: Path, tmp_path: Path) -> None:
    write_aws_data(tmp_path / "again")
    for path in data.rglob("*.json"):
        assert path.read_bytes() == (tmp_path / "again" / path.relative_to(data)).read_bytes()
    for path in data.rglob("service-2.json"):
        assert not any(texts(json.loads(path.read_text())))


def texts(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (value for name, value in node.items() if name == "documentation" and isinstance(value, str))
    for value in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from texts(value)


def test_a_member_that_is_called_documentation_stays() -> None:
    model = {
        "operations": {"Do": {"input": {"shape": "In"}, "documentation": "<p>what it does</p>"}, "Other": {}},
        "shapes": {
            "In": {"type": "structure", "members": {"documentation": {"shape": "Text"}}},
            "Text": {"type": "string", "documentation": "a text"},
            "Unused": {"type": "string"},
        },
    }
    assert trim_model(model, ("Do",)) == {
        "operations": {"Do": {"input": {"shape": "In"}}},
        "shapes": {
            "In": {"type": "structure", "members": {"documentation": {"shape": "Text"}}},
            "Text": {"type": "string"},
        },
    }


def test_without_the_trimmed_models_botocores_own_are_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(aws, "AWS_DATA", tmp_path / "none")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-southeast-3")
    client = AwsClients().dynamodb
    assert isinstance(client, BaseClient)
    assert len(client.meta.service_model.operation_names) > len(OPERATIONS["dynamodb"])
    assert Loader().list_available_services("service-2")
