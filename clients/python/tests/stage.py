"""An API of the tests' own making, for the blocking and for the asynchronous client alike; no network, no clock."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import anyio
import httpx

from direct_debit_client import AsyncClient, Bearer, Client

DOCUMENT = Path(__file__).parents[3] / "docs" / "openapi.json"
BASE_URL = "https://pay.example/v1"
PAYMENT: dict[str, object] = {
    "partnerReferenceNo": "INV1",
    "bindingId": "b1",
    "customerId": "CUST-1",
    "amount": {"value": "10000.00", "currency": "IDR"},
    "remarks": "Order 1",
    "state": "OTP_PENDING",
    "metadata": {},
    "createdAt": "2026-08-01T07:15:00.000Z",
    "updatedAt": "2026-08-01T07:15:00.000Z",
    "links": {"self": "/payments/INV1"},
}
BINDING: dict[str, object] = {
    "bindingId": "b1",
    "customerId": "CUST-1",
    "state": "PENDING",
    "phoneHint": "761",
    "metadata": {},
    "createdAt": "2026-08-01T07:15:00.000Z",
    "updatedAt": "2026-08-01T07:15:00.000Z",
    "links": {"self": "/bindings/b1"},
}


def payment(state: str = "PROCESSING", status: int = 200, **members: object) -> httpx.Response:
    """An answer with a payment."""
    return httpx.Response(status, json=PAYMENT | {"state": state} | members)


def binding(state: str, status: int = 200) -> httpx.Response:
    """An answer with a link."""
    return httpx.Response(status, json=BINDING | {"state": state})


def problem(status: int, slug: str, *, retry_after: int | None = None, **members: object) -> httpx.Response:
    """An answer with a problem."""
    headers = {"content-type": "application/problem+json"}
    if retry_after is not None:
        headers["retry-after"] = str(retry_after)
    body = {"type": f"/problems/{slug}", "title": slug, "status": status, "detail": "what is wrong", "requestId": "r1"}
    return httpx.Response(status, headers=headers, content=json.dumps(body | members))


Played: TypeAlias = httpx.Response | Exception
LOST = httpx.ReadTimeout("no answer")
REFUSED = httpx.ConnectError("nobody listens")


@dataclass
class Stage:
    """Plays answers in order (an exception: none came); notes requests and pauses. Its clock moves by pauses alone."""

    is_async: bool
    answers: list[Played] = field(default_factory=list)
    requests: list[httpx.Request] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    seconds: float = 0.0
    keys: Iterator[str] = field(default_factory=lambda: iter(("key-1", "key-2")))

    def call(
        self,
        answers: Sequence[Played],
        use: Callable[[Any], Any],
        **options: Any,  # noqa: ANN401 - the client's own
    ) -> Any:  # noqa: ANN401 - what the client answers
        """Let a client do something, with these answers; each has to be asked for."""
        self.answers = list(answers)
        auth = Bearer("token")
        usual: dict[str, Any] = {"now": lambda: self.seconds, "chance": lambda: 0.0, "new_key": self.keys.__next__}
        if self.is_async:

            async def run() -> object:
                transport = httpx.MockTransport(self._answer)
                async with AsyncClient(
                    BASE_URL, auth, transport=transport, sleep=self._sleep_async, **usual, **options
                ) as client:
                    return await use(client)

            result: object = anyio.run(run)
        else:
            transport = httpx.MockTransport(self._answer)
            with Client(BASE_URL, auth, transport=transport, sleep=self._sleep, **usual, **options) as client:
                result = use(client)
        assert self.answers == []
        return result

    def _answer(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)  # read anew

    def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.seconds += seconds

    async def _sleep_async(self, seconds: float) -> None:
        self._sleep(seconds)
