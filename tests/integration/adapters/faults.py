"""What goes wrong between a client and DynamoDB, as wrappers around either store."""

from __future__ import annotations

from collections import deque
from threading import Lock
from typing import TYPE_CHECKING, Unpack

from botocore.exceptions import ClientError, ReadTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy_boto3_dynamodb.type_defs import (
        GetItemInputTypeDef,
        PutItemInputTypeDef,
        QueryInputTypeDef,
        TransactWriteItemsInputTypeDef,
        UpdateItemInputTypeDef,
    )

    from direct_debit.adapters.dynamodb.client import DynamoDb

type Call = Callable[[], Mapping[str, object]]


class _Wrapped:
    """Passes each request through `_through`."""

    def __init__(self, inner: DynamoDb) -> None:
        self._inner = inner

    def _through(self, call: Call, *, writes: bool) -> Mapping[str, object]:
        raise NotImplementedError

    def get_item(self, **kwargs: Unpack[GetItemInputTypeDef]) -> Mapping[str, object]:
        return self._through(lambda: self._inner.get_item(**kwargs), writes=False)

    def query(self, **kwargs: Unpack[QueryInputTypeDef]) -> Mapping[str, object]:
        return self._through(lambda: self._inner.query(**kwargs), writes=False)

    def put_item(self, **kwargs: Unpack[PutItemInputTypeDef]) -> Mapping[str, object]:
        return self._through(lambda: self._inner.put_item(**kwargs), writes=True)

    def update_item(self, **kwargs: Unpack[UpdateItemInputTypeDef]) -> Mapping[str, object]:
        return self._through(lambda: self._inner.update_item(**kwargs), writes=True)

    def transact_write_items(self, **kwargs: Unpack[TransactWriteItemsInputTypeDef]) -> Mapping[str, object]:
        return self._through(lambda: self._inner.transact_write_items(**kwargs), writes=True)


class SerialDynamoDb(_Wrapped):
    """Makes each request atomic, which the service is and moto under threads is not."""

    def __init__(self, inner: DynamoDb) -> None:
        super().__init__(inner)
        self._lock = Lock()

    def _through(self, call: Call, *, writes: bool) -> Mapping[str, object]:  # noqa: ARG002 - one signature for all
        with self._lock:
            return call()


class ResendingDynamoDb(_Wrapped):
    """The reply of each write is lost, and the SDK sends the same request again: what it says then is the answer."""

    def _through(self, call: Call, *, writes: bool) -> Mapping[str, object]:
        if writes:
            call()
        return call()


class FaultyDynamoDb(_Wrapped):
    """Raises what was planned, in order, before the request or after it took effect; then works again."""

    def __init__(self, inner: DynamoDb) -> None:
        super().__init__(inner)
        self._plan: deque[tuple[bool, Exception]] = deque()
        self.calls = 0
        self.spares_reads = False

    def refuse(self, code: str, times: int = 1, **more: object) -> None:
        """Plan an error answer without any effect."""
        for _ in range(times):
            self._plan.append((False, _client_error(code, **more)))

    def drop_request(self) -> None:
        """Plan a request that never arrives."""
        self._plan.append((False, ReadTimeoutError(endpoint_url="https://dynamodb.test")))

    def drop_reply(self) -> None:
        """Plan a request that takes effect but whose reply is lost for good."""
        self._plan.append((True, ReadTimeoutError(endpoint_url="https://dynamodb.test")))

    def _through(self, call: Call, *, writes: bool) -> Mapping[str, object]:
        self.calls += 1
        if not self._plan or (self.spares_reads and not writes):
            return call()
        takes_effect, error = self._plan.popleft()
        if takes_effect:
            call()
        raise error


def _client_error(code: str, **more: object) -> ClientError:
    response = {"Error": {"Code": code, "Message": "planned"}, **more}
    return ClientError(response, "Planned")  # type: ignore[arg-type]  # the stubs know no CancellationReasons
