"""The shapes in which AWS calls us, read without trust: a missing or odd part is absent, never an exception."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from direct_debit.entrypoint.errors import BodyTooLarge, MalformedRequest

_LONGEST_CALLER = 256
_ADDRESS = re.compile(r"[0-9A-Fa-f.:]{2,45}")
# What every answer of every door says to a browser, whoever it is meant for: no guessing what it is besides its
# Content-Type, and no address of ours in a Referer, since a path has ids in it.
BROWSER_SAFETY: Final = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
MAX_BODY = 64 * 1024  # bytes; a payment with full metadata has about 12 KiB


class Context(Protocol):
    """What we use of Lambda's context."""

    @property
    def aws_request_id(self) -> str:
        """The id of this invocation."""
        ...

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends this invocation."""
        ...


type Handler = Callable[[object, Context], Mapping[str, object]]
"""What Lambda calls."""


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A REST API proxy event. Header names are lower case; `body` are the bytes that the caller signed.

    `path` begins with the route: stage and base path of the domain, where the event has them, are taken off.
    `query` has the last value of each name, `query_pairs` all of them, decoded, in the order of the event.
    API Gateway gives the last value of a header or query parameter that came several times; where the values differ,
    its name is in `ambiguous_headers` or `ambiguous_query`. `caller` is who it is by API Gateway's word: the ARN of a
    user or a role's session, or the subject of a token; None on a public route. `source_address` is the caller's, as
    API Gateway saw it.
    """

    request_id: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    path_parameters: Mapping[str, str] = field(repr=False)
    query: Mapping[str, str] = field(repr=False)
    raw_body: str | None = field(repr=False)
    is_base64: bool = False
    query_pairs: Sequence[tuple[str, str]] = field(default=(), repr=False)
    ambiguous_headers: frozenset[str] = frozenset()
    ambiguous_query: frozenset[str] = frozenset()
    caller: str | None = field(default=None, repr=False)
    source_address: str | None = field(default=None, repr=False)

    def read_body(self) -> bytes:
        """Return the bytes of the body, empty when there is none.

        Raises BodyTooLarge, MalformedRequest (announced as base64 but is none, or no UTF-8 text).
        """
        if self.raw_body is None:
            return b""
        if len(self.raw_body) > MAX_BODY * 4 // 3 + 4:  # the longest base64 of an allowed body
            raise BodyTooLarge("", "send a body of at most 64 KiB")
        try:
            encoded = self.raw_body.encode()
            body = base64.b64decode(encoded, validate=True) if self.is_base64 else encoded
        except (binascii.Error, UnicodeEncodeError):
            raise MalformedRequest("", "the body is announced as base64 but can not be decoded") from None
        if len(body) > MAX_BODY:
            raise BodyTooLarge("", "send a body of at most 64 KiB")
        return body


def is_api_event(event: object) -> bool:
    """Tell an API Gateway (REST) event from a plain command: the one place where the callers are told apart."""
    return isinstance(event, dict) and "httpMethod" in event and "requestContext" in event


def read_api_event(event: object, context: Context) -> ApiRequest:
    """Read a REST API proxy event."""
    members = as_mapping(event)
    request_context = as_mapping(members.get("requestContext"))
    request_id = request_context.get("requestId")
    body = members.get("body")
    return ApiRequest(
        request_id=request_id if isinstance(request_id, str) and request_id else context.aws_request_id,
        path=_own_path(members.get("resource"), members.get("path")),
        headers={
            name.lower(): value for name, value in as_mapping(members.get("headers")).items() if isinstance(value, str)
        },
        path_parameters=_texts(members.get("pathParameters")),
        query=_texts(members.get("queryStringParameters")),
        raw_body=body if isinstance(body, str) else None,
        is_base64=members.get("isBase64Encoded") is True,
        query_pairs=_pairs(members),
        ambiguous_headers=frozenset([name.lower() for name in _ambiguous(members.get("multiValueHeaders"))]),
        ambiguous_query=frozenset(_ambiguous(members.get("multiValueQueryStringParameters"))),
        caller=_read_caller(request_context),
        source_address=_read_source(request_context),
    )


def _read_caller(request_context: Mapping[str, object]) -> str | None:
    """Return the caller as a log or a record may have it: printable, of bounded length.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
    """
    arn = as_mapping(request_context.get("identity")).get("userArn")
    principal = as_mapping(request_context.get("authorizer")).get("principalId")
    found = arn or principal
    if not isinstance(found, str) or not found:
        return None
    printable = found if found.isprintable() else "".join([one for one in found if one.isprintable()])
    return printable[:_LONGEST_CALLER]


def _read_source(request_context: Mapping[str, object]) -> str | None:
    """Return the caller's address, of IPv4 or IPv6."""
    found = as_mapping(request_context.get("identity")).get("sourceIp")
    return found if isinstance(found, str) and _ADDRESS.fullmatch(found) else None


def as_mapping(value: object) -> Mapping[str, object]:
    """Return the value if it is an object with text keys, else an empty one."""
    if not isinstance(value, dict):  # as JSON is read, in Lambda and anywhere
        return {}
    if set(map(type, value)) <= {str}:  # as JSON is written
        return value
    return {key: member for key, member in value.items() if isinstance(key, str)}


def _own_path(route: object, path: object) -> str:
    """Return a path from its route on.

    Behind a domain that is mapped with a base path, or to no stage, API Gateway's `path` begins with those; behind none
    it does not. A path that does not end like its route stays as it is.
    """
    if not isinstance(path, str):
        return ""
    if not isinstance(route, str):
        return path
    wanted = route.strip("/").split("/")
    found = path.rstrip("/").split("/")[-len(wanted) :]
    fits = len(found) == len(wanted) and all(
        one == other or one.startswith("{") for one, other in zip(wanted, found, strict=True)
    )
    if not fits:
        return path
    return "/" + "/".join(found) + path[len(path.rstrip("/")) :]


def _texts(value: object) -> dict[str, str]:
    return {key: member for key, member in as_mapping(value).items() if isinstance(member, str)}


def _pairs(event: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """The names and values of the query; the event of a test tool may have the single ones only."""
    all_of_them = event.get("multiValueQueryStringParameters")
    if not isinstance(all_of_them, dict):
        return tuple(_texts(event.get("queryStringParameters")).items())
    return tuple(
        [
            (name, value)
            for name, values in as_mapping(all_of_them).items()
            for value in _list(values)
            if isinstance(value, str)
        ]
    )


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _ambiguous(value: object) -> list[str]:
    return [
        name
        for name, values in as_mapping(value).items()
        if isinstance(values, list) and len(values) > 1 and any(one != values[0] for one in values)
    ]
