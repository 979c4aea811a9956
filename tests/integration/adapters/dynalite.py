"""A second opinion on the stores of the tests: dynalite, another DynamoDB (`make second-opinion`).

It is older than two things that we rely on. It does not tell how an item stands that a condition refused: that is read
after the refusal, which nobody disturbs here. And it knows no transactions: each action is tried by itself and taken
back, so that every condition and every change is its own judgement; what is put together here is the "all or nothing".
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack, cast

import boto3
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

from direct_debit.adapters.aws.botocore_clients import CLIENT_CONFIG, BotocoreClients
from tests.patience import PATIENCE_SECONDS
from tools.local_cloud.processes import LOOPBACK, free_port, server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        GetItemInputTypeDef,
        PutItemInputTypeDef,
        QueryInputTypeDef,
        TransactWriteItemsInputTypeDef,
        UpdateItemInputTypeDef,
    )

CLI = os.environ.get("DYNALITE")
"""Where dynalite is; without it nobody is asked."""

_REFUSED = "ConditionalCheckFailedException"


class Dynalite:
    """Implements `DynamoDb` for one caller at a time."""

    def __init__(self, client: DynamoDBClient) -> None:
        self._client = client

    def get_item(self, **kwargs: Unpack[GetItemInputTypeDef]) -> Mapping[str, object]:
        """Read one item."""
        return cast("Mapping[str, object]", self._client.get_item(**kwargs))

    def query(self, **kwargs: Unpack[QueryInputTypeDef]) -> Mapping[str, object]:
        """Read a page of one partition."""
        return cast("Mapping[str, object]", self._client.query(**kwargs))

    def put_item(self, **kwargs: Unpack[PutItemInputTypeDef]) -> Mapping[str, object]:
        """Write one item."""
        return self._telling(partial(self._client.put_item, **kwargs), _Action("Put", dict(kwargs)))

    def update_item(self, **kwargs: Unpack[UpdateItemInputTypeDef]) -> Mapping[str, object]:
        """Change one item."""
        return self._telling(partial(self._client.update_item, **kwargs), _Action("Update", dict(kwargs)))

    def transact_write_items(self, **kwargs: Unpack[TransactWriteItemsInputTypeDef]) -> Mapping[str, object]:
        """Write several items, all or nothing."""
        actions = [
            _Action(kind, dict(cast("Mapping[str, Any]", request)))
            for step in kwargs["TransactItems"]
            for kind, request in step.items()
        ]
        places = [(action.request["TableName"], repr(action.key)) for action in actions]
        if len(set(places)) < len(places) or len(actions) > 100:
            raise _error("ValidationException", "TransactWriteItems")
        reasons = [self._try(action) for action in actions]
        if any(reason["Code"] != "None" for reason in reasons):
            error = _error("TransactionCanceledException", "TransactWriteItems")
            cast("dict[str, object]", error.response)["CancellationReasons"] = reasons
            raise error
        for action in actions:
            if action.kind != "ConditionCheck":
                self._do(action)
        return {}

    def _try(self, action: _Action) -> dict[str, object]:
        before = self._read(action)
        try:
            self._do(action)
        except ClientError as error:
            if error.response["Error"]["Code"] != _REFUSED:
                raise
            told = {} if before is None else {"Item": before}
            return {"Code": "ConditionalCheckFailed", **told}
        table = action.request["TableName"]
        if before is None:
            self._client.delete_item(TableName=table, Key=action.key)
        else:
            self._client.put_item(TableName=table, Item=before)
        return {"Code": "None"}

    def _do(self, action: _Action) -> None:
        request = {name: value for name, value in action.request.items() if not name.startswith("ReturnValues")}
        if action.kind == "Put":
            self._client.put_item(**request)
        elif action.kind == "Delete":
            self._client.delete_item(**request)
        else:  # a check is an update that changes nothing
            self._client.update_item(**request)

    def _telling(self, call: Callable[[], Mapping[str, object]], action: _Action) -> Mapping[str, object]:
        try:
            return call()
        except ClientError as error:
            told = action.request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
            found = self._read(action) if told and error.response["Error"]["Code"] == _REFUSED else None
            if found is not None:
                cast("dict[str, object]", error.response)["Item"] = found
            raise

    def _read(self, action: _Action) -> Any:  # noqa: ANN401 - an item
        return self._client.get_item(TableName=action.request["TableName"], Key=action.key, ConsistentRead=True).get(
            "Item"
        )


@dataclass(frozen=True, slots=True)
class _Action:
    """One write: its kind as in a transaction, and its request."""

    kind: str
    request: dict[str, Any]

    @property
    def key(self) -> dict[str, Any]:
        """The key of its item."""
        place = self.request["Item"] if self.kind == "Put" else self.request["Key"]
        return {name: place[name] for name in ("pk", "sk") if name in place}


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Run dynalite until the block ends; yields its endpoint."""
    assert CLI is not None
    port = free_port()
    url = f"http://{LOOPBACK}:{port}"

    def ready() -> bool:
        try:
            return requests.get(url, timeout=PATIENCE_SECONDS).status_code > 0
        except requests.RequestException:
            return False

    options = ["--host", LOOPBACK, "--port", str(port), "--createTableMs=0", "--deleteTableMs=0"]
    with server(
        "dynalite",
        ["node", Path(CLI).resolve(), *options],
        environment={"PATH": os.environ["PATH"]},
        folder=folder,
        log=folder / "dynalite.log",
        ready=ready,
        kill=True,
    ):
        yield url


# As the functions make them, and what is sent is checked here already.
CHECKING = CLIENT_CONFIG.merge(Config(parameter_validation=True))


def clients(url: str) -> BotocoreClients:
    """AWS's clients, as the functions make them, over dynalite."""
    session = boto3.Session(region_name="ap-southeast-3", aws_access_key_id="x", aws_secret_access_key="x")
    return BotocoreClients(session.client, url, config=CHECKING)


def _error(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, operation)
