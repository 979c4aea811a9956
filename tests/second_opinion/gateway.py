"""API Gateway's part: a request becomes a proxy event (format 1.0), the function's answer a response.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

import re
import uuid
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    type Invoke = Callable[[str, Mapping[str, object]], Mapping[str, object]]

_STAGE = "v1"


@contextmanager
def gateway(routes: Mapping[tuple[str, str], str], invoke: Invoke, port: int) -> Iterator[str]:
    """Serve the routes, `(method, path template)` to function, until the block ends; yields the base URL."""
    methods = dict.fromkeys(("do_GET", "do_POST", "do_DELETE"), _Gateway.serve)
    handler = type("Gateway", (_Gateway,), {"routes": routes, "invoke": staticmethod(invoke), **methods})
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.shutdown()
            thread.join()


class _Gateway(BaseHTTPRequestHandler):
    routes: Mapping[tuple[str, str], str]
    invoke: Invoke

    def serve(self) -> None:
        """Answer a request of any method."""
        address = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        for (method, template), function in self.routes.items():
            found = re.fullmatch(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", template), address.path)
            if method == self.command and found is not None:
                answer = self.invoke(function, self._event(template, address.path, found.groupdict(), body))
                self._answer(answer)
                return
        self._answer({"statusCode": 403, "headers": {}, "body": '{"message":"Missing Authentication Token"}'})

    def _event(self, template: str, path: str, parameters: Mapping[str, str], body: bytes) -> Mapping[str, object]:
        headers = dict(self.headers.items())
        query = dict(parse_qsl(urlsplit(self.path).query))
        return {
            "resource": template,
            "path": path,
            "httpMethod": self.command,
            "headers": headers,
            "multiValueHeaders": {name: [value] for name, value in headers.items()},
            "queryStringParameters": query or None,
            "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} or None,
            "pathParameters": dict(parameters) or None,
            "stageVariables": None,
            "requestContext": {
                "httpMethod": self.command,
                "path": f"/{_STAGE}{path}",
                "requestId": str(uuid.uuid4()),
                "resourcePath": template,
                "stage": _STAGE,
                "identity": {"sourceIp": self.client_address[0]},
            },
            "body": body.decode() if body else None,
            "isBase64Encoded": False,
        }

    def _answer(self, answer: Mapping[str, object]) -> None:
        content = str(answer.get("body") or "").encode()
        headers = answer.get("headers")
        assert isinstance(headers, dict)
        self.send_response(int(str(answer["statusCode"])))
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""
