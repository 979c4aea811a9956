"""A demo shop: the pages to which a customer's browser comes back, where a merchant has none yet.

One page for each outcome, with what came in the address and what to ask the API now. No script, nothing from elsewhere.
"""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from tools.local_cloud.failure import LocalCloudError
from tools.local_cloud.processes import LOOPBACK


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a page says; `ask` is what the shop's backend does next."""

    title: str
    text: str
    ask: str


_HINT = "This page is a hint; what became of it the backend asks:"
_ASK_LINK = f"{_HINT} GET /bindings/{{id}}"
_ASK_PAYMENT = f"{_HINT} GET /payments/{{ref}}"
PAGES: Mapping[str, _Outcome] = {
    "/linked": _Outcome("Account linked", "The bank sent the customer back after linking the account.", _ASK_LINK),
    "/not-linked": _Outcome("Account not linked", "The customer gave up, or the bank refused.", _ASK_LINK),
    "/paid": _Outcome("Thank you", "The customer is back from the bank after paying.", _ASK_PAYMENT),
    "/not-paid": _Outcome("Not paid", "The customer gave up, or the bank refused.", _ASK_PAYMENT),
    "/success": _Outcome("It worked", "The customer is back from the bank (the default success page).", _ASK_LINK),
    "/failed": _Outcome("It did not work", "The customer is back from the bank (the default failed page).", _ASK_LINK),
}

_STYLE = """:root{color-scheme:light dark}body{font:1.05rem/1.6 system-ui,sans-serif;max-width:36rem;margin:3rem auto;
padding:0 1.25rem}dt{opacity:.7}dd{margin:0 0 .5rem;font-family:ui-monospace,monospace;overflow-wrap:anywhere}
small{opacity:.7}"""


@contextlib.contextmanager
def demo_shop(port: int = 0) -> Iterator[str]:
    """Serve the shop on this port of the loopback (0: any) until the block ends; yields its URL without a last slash.

    Raises LocalCloudError when the port is taken.
    """
    try:
        server = ThreadingHTTPServer((LOOPBACK, port), _Handler)
    except OSError as error:
        raise LocalCloudError(f"the demo shop can not listen on port {port}: {error.strerror}") from error
    thread = threading.Thread(target=server.serve_forever, name="demo shop", daemon=True)
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer a browser."""
        address = urlsplit(self.path)
        outcome = PAGES.get(address.path)
        if outcome is None:
            listed = "".join(f'<li><a href="{path}">{path}</a></li>' for path in PAGES)
            known = address.path == "/"
            body = f"<h1>Demo shop</h1><p>Pages to come back to:</p><ul>{listed}</ul>"
            self._send(HTTPStatus.OK if known else HTTPStatus.NOT_FOUND, "Demo shop", body)
            return
        came = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in parse_qsl(address.query))
        body = f"<h1>{outcome.title}</h1><p>{outcome.text}</p><dl>{came}</dl><p><small>{outcome.ask}</small></p>"
        self._send(HTTPStatus.OK, outcome.title, body)

    def _send(self, status: HTTPStatus, title: str, body: str) -> None:
        page = (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
            f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{_STYLE}</style></head>'
            f"<body>{body}</body></html>"
        ).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the base class's name
        """Keep quiet: an address holds a customer's link."""
