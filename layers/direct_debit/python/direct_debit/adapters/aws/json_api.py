"""A call to one of AWS's services that speak JSON: written, signed, sent over a kept connection, repeated once, read.

What botocore does for any operation of any service from its model, this does for the few that are used, whose requests
and answers are JSON as they stand (decision 0056). It raises what botocore raises, so that nobody has to know which of
the two made the call.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import ssl
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, NoReturn, cast
from urllib.parse import urlsplit

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
    SSLError,
)
from urllib3 import exceptions

from direct_debit.adapters.aws.signature_v4 import Signer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from direct_debit.adapters.aws.connections import Connections, HttpAnswer
    from direct_debit.adapters.aws.endpoints import AwsPlace
    from direct_debit.application.ports.time_and_chance import Clock, Ids

CONNECT_SECONDS = 1
READ_SECONDS = 2
ATTEMPTS = 2
"""Two attempts of at most three seconds each: far below every function's timeout; a lost reply is met by write ids."""

MOST_PAUSE = 1.0  # seconds, before the second attempt

# What botocore's standard mode repeats (botocore.retries.standard; the tests compare).
PASSING_STATUSES = frozenset({500, 502, 503, 504})
PASSING_CODES = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)

_FIRST_FAILURE = 300  # of the HTTP statuses: nothing is redirected
_TRACE = "_X_AMZN_TRACE_ID"
_CODE = re.compile(r"[A-Za-z0-9._-]{1,100}")


class JsonService(NamedTuple):
    """How one service is spoken to, by its model.

    `prefix` is in its host name and in signatures, `target` stands before an operation's name in `X-Amz-Target`,
    `version` is the JSON protocol's.
    """

    prefix: str
    target: str
    version: str


class JsonApi:
    """One service in one place, for as many threads as want it.

    The environment's trace id goes along, as AWS ends recursive loops by it.
    """

    def __init__(self, service: JsonService, place: AwsPlace, connections: Connections, clock: Clock, ids: Ids) -> None:
        self._service = service
        self._endpoint = place.find(service.prefix)
        parts = urlsplit(self._endpoint)
        self._path = parts.path or "/"
        self._pool = connections.find_pool(self._endpoint)
        self._signer = Signer(place, service.prefix, parts.netloc, self._path)
        self._clock = clock
        self._ids = ids

    def call(self, operation: str, parameters: Mapping[str, object]) -> dict[str, object]:
        """Make a call; return its answer. Times (datetimes) are written as whole seconds since 1970.

        Raises ClientError for what the service refused, and another BotoCoreError where it did not answer, each after a
        second attempt where that makes sense.
        """
        body = _ENCODER.encode(parameters).encode()
        headers = {
            "content-type": f"application/x-amz-json-{self._service.version}",
            "x-amz-target": f"{self._service.target}.{operation}",
        }
        for _ in range(ATTEMPTS - 1):
            try:
                return self._attempt(operation, headers, body)
            except ClientError as error:
                if not _passes(error):
                    raise
            except BotoCoreError:
                pass
            self._clock.sleep(self._ids.jitter() * MOST_PAUSE)
        return self._attempt(operation, headers, body)

    def _attempt(self, operation: str, headers: Mapping[str, str], body: bytes) -> dict[str, object]:
        sent = self._signer.sign(headers, body, self._clock.now())
        sent["user-agent"] = "direct-debit"
        trace = os.environ.get(_TRACE)
        if trace is not None:
            sent["x-amzn-trace-id"] = trace
        try:
            response = self._pool.post(self._path, sent, body)
        except (exceptions.HTTPError, http.client.HTTPException, OSError, ValueError) as error:
            self._raise_silence(error)
        answer = _read_answer(response.body)
        if response.status >= _FIRST_FAILURE:
            self._raise_refusal(operation, response, answer)
        if not isinstance(answer, dict):
            raise HTTPClientError(error="the answer is no JSON object")
        return cast("dict[str, object]", answer)

    def _raise_silence(self, error: Exception) -> NoReturn:
        match error:
            case exceptions.NewConnectionError():
                raise EndpointConnectionError(endpoint_url=self._endpoint, error=error) from error
            case exceptions.ConnectTimeoutError():
                raise ConnectTimeoutError(endpoint_url=self._endpoint, error=error) from error
            case TimeoutError():
                raise ReadTimeoutError(endpoint_url=self._endpoint, error=error) from error
            case ssl.SSLError():
                raise SSLError(endpoint_url=self._endpoint, error=error) from error
            case OSError() | http.client.HTTPException():
                raise ConnectionClosedError(endpoint_url=self._endpoint, error=error) from error
            case _:
                raise HTTPClientError(error=error) from error

    def _raise_refusal(self, operation: str, response: HttpAnswer, answer: object) -> NoReturn:
        told: Mapping[str, object] = answer if isinstance(answer, dict) else {}
        metadata = {
            "HTTPStatusCode": response.status,
            "RequestId": response.headers.get("x-amzn-requestid", ""),
        }
        error = {
            "Code": _read_code(told, response),
            "Message": str(told.get("message") or told.get("Message") or ""),
        }
        refusal = {**told, "Error": error, "ResponseMetadata": metadata}
        raise ClientError(refusal, operation)  # type: ignore[arg-type]  # its type is private to the stubs


def _read_answer(data: bytes) -> object:
    """Return what an answer says; None where it is no JSON, or has a text or number that can not be written again."""
    if not data:
        return {}
    try:
        answer = _DECODER.decode(data.decode())
        if b"\\u" in data:  # halves of characters can be written so
            _ENCODER_OF_TEXT.encode(answer).encode()
    except (ValueError, RecursionError):
        return None
    return cast("object", answer)


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError("no number of JSON's")


def _read_code(told: Mapping[str, object], response: HttpAnswer) -> str:
    """Return a refusal's code: of "com.amazonaws.dynamodb.v20120810#LimitExceededException" the end; SQS's old name.

    It is the status where what came is no name.
    """
    old, separator, _ = response.headers.get("x-amzn-query-error", "").partition(";")
    code = old if separator and old else str(told.get("__type", "")).partition(":")[0].rpartition("#")[2]
    return code if _CODE.fullmatch(code) else str(response.status)


def _passes(error: ClientError) -> bool:
    """Whether a refusal is a passing one, and asking again soon makes sense."""
    response = error.response
    return (
        response["Error"]["Code"] in PASSING_CODES or response["ResponseMetadata"]["HTTPStatusCode"] in PASSING_STATUSES
    )


def _write_time(value: object) -> int:
    if isinstance(value, datetime):
        return int(value.timestamp())
    raise TypeError(f"{type(value).__name__} is not written as JSON")


_ENCODER = json.JSONEncoder(separators=(",", ":"), default=_write_time)
_ENCODER_OF_TEXT = json.JSONEncoder(ensure_ascii=False)
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
