"""What both clients share of HTTP."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import httpx

from direct_debit_client.calls import Call, NoReply, Reply
from direct_debit_client.models import View

TIMEOUT = httpx.Timeout(35.0, connect=5.0)
"""API Gateway gives up after 29 s: whoever waits less long gives answers away."""

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.ProxyError)


def build_request(client: httpx.Client | httpx.AsyncClient, base_url: str, call: Call[View]) -> httpx.Request:
    """Return one try of a call."""
    headers = {"Accept": "application/json, application/problem+json"}
    if call.body is not None:
        headers["Content-Type"] = "application/json"
    if call.idempotency_key is not None:
        headers["Idempotency-Key"] = call.idempotency_key
    # Not by httpx, which writes a blank as +: that is another character in what AWS signs.
    query = "?" + urlencode(call.query, quote_via=quote, safe="") if call.query else ""
    return client.build_request(call.method, base_url + call.path + query, content=call.content, headers=headers)


def read_response(response: httpx.Response) -> Reply:
    """Return what came."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(response.status_code, headers, response.content)


def read_failure(error: httpx.TransportError) -> NoReply:
    """Return that nothing came."""
    return NoReply(sent=not isinstance(error, _NEVER_SENT), cause=error)
