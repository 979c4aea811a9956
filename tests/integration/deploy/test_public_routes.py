"""Who answers at DOKU's routes: we, somebody else, or nobody."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tools.deploy.public_routes import ROUTES, ask_routes


@contextmanager
def answering(status: int, body: str) -> Iterator[tuple[str, list[str]]]:
    """A server that gives one answer to everything; yields its address and the paths that were called."""
    called: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            called.append(self.path)
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/v1", called
        finally:
            server.shutdown()
            thread.join()


def test_our_refusal_shows_that_we_answer() -> None:
    with answering(401, json.dumps({"responseCode": "4015601"})) as (address, called):
        assert [(one.ready, one.problem) for one in ask_routes(address)] == [(True, None)] * 3
    assert called == [f"/v1{path}" for path in ROUTES]


def test_without_a_secret_we_answer_and_can_check_nothing() -> None:
    with answering(503, json.dumps({"responseCode": "5035600"})) as (address, _):
        assert [(one.ready, one.problem) for one in ask_routes(address)] == [(False, None)] * 3


@pytest.mark.parametrize(
    ("status", "body"),
    [(403, '{"message": "Missing Authentication Token"}'), (200, "<html>parked</html>"), (200, "[]"), (404, "")],
)
def test_somebody_else_answers(status: int, body: str) -> None:
    with answering(status, body) as (address, _):
        assert all(f"answered {status} without a responseCode" in str(one.problem) for one in ask_routes(address))


def test_nobody_answers() -> None:
    with answering(200, "") as (address, _):
        pass
    assert all("does not answer at" in str(one.problem) for one in ask_routes(address))
