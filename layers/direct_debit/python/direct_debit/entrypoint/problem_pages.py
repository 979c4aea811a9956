"""The door of the pages that problems' `type` opens: the same for everybody, without a setting or a port."""

from collections.abc import Mapping
from pathlib import Path

from direct_debit.application.errors import InvalidRequest
from direct_debit.entrypoint.events import BROWSER_SAFETY, Context, is_api_event, read_api_event
from direct_debit.starting.start import end_start

# Not `no-store` as elsewhere: there is nothing of anybody in them.
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "public, max-age=300",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'",
    **BROWSER_SAFETY,
}


class ProblemPages:
    """The handler of GET /problems/{slug}. `pages`, beside the front door's file, has one for each, and an `index`."""

    def __init__(self, front_door: str) -> None:
        pages = Path(front_door).with_name("pages").iterdir()
        self._pages = {page.stem: page.read_text("utf-8") for page in pages if page.suffix == ".html"}
        end_start()

    def __call__(self, event: object, context: Context) -> Mapping[str, object]:
        """Return the page of the path's slug; for any other name, 404 with the list of all."""
        if not is_api_event(event):
            raise InvalidRequest("", "this function answers HTTP calls only; it takes no plain command")
        request = read_api_event(event, context)
        page = self._pages.get(request.path_parameters.get("slug", ""))
        headers = {**_HEADERS, "X-Request-Id": request.request_id}
        return {"statusCode": 200 if page else 404, "headers": headers, "body": page or self._pages["index"]}
