"""`ClientRequestToken` of TransactWriteItems: one token stands for one request, for ten minutes.

"If you submit a request with the same client token but a change in other parameters within the 10-minute idempotency
window, DynamoDB returns an IdempotentParameterMismatch exception." The same request again has no further effect and
succeeds. What the same request gets after it was cancelled, AWS does not say; here it gets the same cancellation, which
is the least that a caller may count on.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING, Unpack

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from mypy_boto3_dynamodb.type_defs import (
        GetItemInputTypeDef,
        PutItemInputTypeDef,
        QueryInputTypeDef,
        TransactWriteItemsInputTypeDef,
        UpdateItemInputTypeDef,
    )

    from direct_debit.adapters.dynamodb.client import DynamoDb

WINDOW = timedelta(minutes=10)
LONGEST_TOKEN = 36


@dataclass(frozen=True, slots=True)
class _Done:
    at: datetime
    content: object
    cancelled: ClientError | None


class RememberingTokens:
    """A DynamoDB that keeps the rule, around one that does not."""

    def __init__(self, inner: DynamoDb, now: Callable[[], datetime]) -> None:
        self._inner = inner
        self._now = now
        self._lock = Lock()
        self._done: dict[str, _Done] = {}

    def get_item(self, **kwargs: Unpack[GetItemInputTypeDef]) -> Mapping[str, object]:
        """Read one item."""
        return self._inner.get_item(**kwargs)

    def query(self, **kwargs: Unpack[QueryInputTypeDef]) -> Mapping[str, object]:
        """Read a page of one partition."""
        return self._inner.query(**kwargs)

    def put_item(self, **kwargs: Unpack[PutItemInputTypeDef]) -> Mapping[str, object]:
        """Write one item."""
        return self._inner.put_item(**kwargs)

    def update_item(self, **kwargs: Unpack[UpdateItemInputTypeDef]) -> Mapping[str, object]:
        """Change one item."""
        return self._inner.update_item(**kwargs)

    def transact_write_items(self, **kwargs: Unpack[TransactWriteItemsInputTypeDef]) -> Mapping[str, object]:
        """Write several items, all or nothing, once per token."""
        token = kwargs.get("ClientRequestToken")
        if token is None:
            return self._inner.transact_write_items(**kwargs)
        if not 1 <= len(token) <= LONGEST_TOKEN:
            raise _refusal("ValidationException", f"a ClientRequestToken has 1 to {LONGEST_TOKEN} characters")
        with self._lock:
            now = self._now()
            done = self._done.get(token)
            if done is not None and now < done.at + WINDOW:
                if done.content != kwargs["TransactItems"]:
                    raise _refusal("IdempotentParameterMismatchException", "another request has this token")
                if done.cancelled is not None:
                    raise done.cancelled
                return {}
            try:
                answer = self._inner.transact_write_items(**kwargs)
            except ClientError as error:
                if error.response["Error"]["Code"] == "TransactionCanceledException":
                    self._remember(token, _Done(now, kwargs["TransactItems"], error))
                raise
            self._remember(token, _Done(now, kwargs["TransactItems"], None))
            return answer

    def _remember(self, token: str, done: _Done) -> None:
        while self._done:
            oldest = next(iter(self._done))
            if self._done[oldest].at + WINDOW > done.at:
                break
            del self._done[oldest]
        self._done.pop(token, None)
        self._done[token] = done


def _refusal(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "TransactWriteItems")
