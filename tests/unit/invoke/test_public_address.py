import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from tools.invoke.public_address import published
from tools.invoke.running_stack import RunningStack
from tools.local_cloud.failure import LocalCloudError
from tools.local_cloud.processes import free_port

DEPLOYED, HERE = "http://127.0.0.1:4566/_aws/execute-api/a/v1", "http://127.0.0.1:3000"


class Control(BaseHTTPRequestHandler):
    registered: list[str]

    def do_POST(self) -> None:
        document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.registered.append(f"{self.path} {document['notifyUrl']}")
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def simulator() -> Iterator[tuple[HTTPServer, list[str]]]:
    registered: list[str] = []
    with HTTPServer(("127.0.0.1", 0), type("Named", (Control,), {"registered": registered})) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server, registered
        server.shutdown()
        thread.join()


def stack_at(port: int) -> RunningStack:
    url = f"http://127.0.0.1:{port}"
    return RunningStack({"DOKU_BASE_URL": url, "PUBLIC_BASE_URL": DEPLOYED, "AWS_ENDPOINT_URL": "x"})


def test_doku_finds_the_merchant_there_and_afterwards_where_it_was(simulator: tuple[HTTPServer, list[str]]) -> None:
    server, registered = simulator
    notify = "/_control/merchant {}/doku/v1.0/debit/notify"
    with published(stack_at(server.server_port), HERE):
        assert registered == [notify.format(HERE)]
    assert registered == [notify.format(HERE), notify.format(DEPLOYED)]


def test_without_its_simulator_nothing_begins() -> None:
    with pytest.raises(LocalCloudError, match="make run"), published(stack_at(free_port()), HERE):
        pytest.fail("it began")


def test_a_stack_that_ends_before_us_is_no_failure(simulator: tuple[HTTPServer, list[str]]) -> None:
    server, registered = simulator
    with published(stack_at(server.server_port), HERE):
        server.shutdown()
        server.server_close()
    assert len(registered) == 1
