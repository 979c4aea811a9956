"""The API's documentation in a browser, as `make run` serves it: docs/openapi.json by RapiDoc, and the problems' pages.

It loads nothing from elsewhere, and its Content-Security-Policy says so to the browser.
"""

import contextlib
import json
import subprocess
import threading
from collections.abc import Iterator, Mapping
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tools.docs_bundle import NAME, fetch_bundle
from tools.local_cloud.checkout import ROOT
from tools.local_cloud.processes import LOOPBACK

USUAL_PORT = 8706
_DOCUMENT = ROOT / "docs" / "openapi.json"
_PROBLEMS = ROOT / "functions" / "explain_problem" / "pages"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'"
)
# Nothing is sent from the page: requests are signed, which it can not do. Clients and Bruno can.
_PAGE = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>CIMB direct debit: API</title><link rel="icon" href="data:,"><script type="module" src="{NAME}"></script>
<style>
 body {{ margin: 0 }}
 nav {{ padding: .5rem 1rem; font: 1rem system-ui, sans-serif }}
 nav a {{ margin-right: 1rem; color: #ddd }}
</style></head>
<body><rapi-doc spec-url="openapi.json" render-style="read" load-fonts="false" show-header="false" allow-try="false"
 allow-authentication="false" allow-server-selection="true" allow-spec-url-load="false" allow-spec-file-load="false"
 regular-font="system-ui, sans-serif" mono-font="ui-monospace, monospace" schema-description-expanded="true"
 default-schema-tab="example" show-components="true" sort-endpoints-by="none">
<nav slot="nav-logo"><a href="problems/index">What each error means</a><a href="openapi.json">openapi.json</a></nav>
</rapi-doc></body></html>
"""


@contextlib.contextmanager
def docs_page(api_url: str, port: int = USUAL_PORT) -> Iterator[str]:
    """Serve the documentation of a running API on this port of the loopback, or any where it is taken.

    Yields its address, or why there is none: what it needs comes from npm, and a stack runs without it too.
    """
    try:
        files = _gather(api_url)
    except (subprocess.CalledProcessError, OSError, ValueError) as error:
        yield f"none: {error}"
        return
    server = _listen(files, port)
    thread = threading.Thread(target=server.serve_forever, name="documentation", daemon=True)
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _gather(api_url: str) -> Mapping[str, tuple[str, bytes]]:
    """All that is served: media type and content by path."""
    document = json.loads(_DOCUMENT.read_text("utf-8"))
    document["servers"] = [{"url": api_url, "description": "This stack."}]
    pages = {
        f"/problems/{page.stem}": ("text/html; charset=utf-8", page.read_bytes()) for page in _PROBLEMS.glob("*.html")
    }
    return {
        "/": ("text/html; charset=utf-8", _PAGE.encode()),
        f"/{NAME}": ("text/javascript; charset=utf-8", fetch_bundle().read_bytes()),
        "/openapi.json": ("application/json", json.dumps(document).encode()),
        **pages,
    }


def _listen(files: Mapping[str, tuple[str, bytes]], port: int) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Send a file."""
            path = urlsplit(self.path).path
            missing = f"<!doctype html><title>Not here</title><p>Nothing is at {escape(path)}.".encode()
            media, content = files.get(path, ("text/html; charset=utf-8", missing))
            self.send_response(HTTPStatus.OK if path in files else HTTPStatus.NOT_FOUND)
            for name, value in (
                ("Content-Type", media),
                ("Content-Length", str(len(content))),
                ("Content-Security-Policy", _POLICY),
                ("X-Content-Type-Options", "nosniff"),
                ("Cache-Control", "no-cache"),
            ):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the base class's name
            """Keep quiet."""

    try:
        return ThreadingHTTPServer((LOOPBACK, port), Handler)
    except OSError:
        return ThreadingHTTPServer((LOOPBACK, 0), Handler)
