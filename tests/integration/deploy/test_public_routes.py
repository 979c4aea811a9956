"""Who answers at DOKU's routes: we, somebody else, or nobody."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tools.deploy.public_routes import ACCESS_DENIED, ROUTES, ask_routes
from tools.gateway_answers import read_gateway_answers


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
        answers = ask_routes(address)
        assert [(one.ready, one.problem) for one in answers] == [(False, None)] * 3
        assert all(one.describe().endswith("fill the secret") for one in answers)


@pytest.mark.parametrize(
    ("status", "body"),
    [(403, '{"message": "Missing Authentication Token"}'), (200, "<html>parked</html>"), (200, "[]"), (404, "")],
)
def test_somebody_else_answers(status: int, body: str) -> None:
    with answering(status, body) as (address, _):
        assert all(f"answered {status} without a responseCode" in str(one.problem) for one in ask_routes(address))


DENIED = json.dumps({"type": ACCESS_DENIED, "title": "Not allowed", "status": 403})


def test_where_only_doku_may_call_it_is_right_that_this_machine_may_not() -> None:
    with answering(403, DENIED) as (address, _):
        answers = ask_routes(address, only_sources=True)
        assert [(one.shut, one.problem) for one in answers] == [(True, None)] * 3
        assert all(one.describe().startswith(f"{one.path} refuses this machine, as DokuSourceCidrs") for one in answers)
        assert all(one.problem and not one.shut for one in ask_routes(address))


@pytest.mark.parametrize(
    ("status", "body"),
    [(403, '{"message": "Forbidden"}'), (403, '{"type": "/problems/no-such-route"}'), (503, DENIED), (403, "[]")],
)
def test_another_refusal_is_not_the_policys(status: int, body: str) -> None:
    with answering(status, body) as (address, _):
        assert all(one.problem for one in ask_routes(address, only_sources=True))


def test_a_machine_that_may_call_sees_who_answers() -> None:
    with answering(401, json.dumps({"responseCode": "4015601"})) as (address, _):
        answers = ask_routes(address, only_sources=True)
        assert [(one.ready, one.shut) for one in answers] == [(True, False)] * 3
        assert [one.describe() for one in answers] == [f"{path} answers" for path in ROUTES]


def test_the_policys_refusal_is_the_gateways_answer_of_the_template() -> None:
    denied = {answer.kind: answer.type for answer in read_gateway_answers()}
    assert denied["ACCESS_DENIED"] == ACCESS_DENIED


def test_nobody_answers() -> None:
    with answering(200, "") as (address, _):
        pass
    assert all("does not answer at" in str(one.problem) for one in ask_routes(address))
