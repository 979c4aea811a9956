"""A customer's browser without a browser: walks the bank's HTML pages by their forms."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

from tools.local_cloud.failure import LocalCloudError

_TIMEOUT_SECONDS = 35
# Phone, OTP, PIN, and a few for confirmations.
_MOST_PAGES = 8


@dataclass(slots=True)
class _Form:
    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    submits: list[tuple[str, str]] = field(default_factory=list)


class _FormReader(HTMLParser):
    """Collects the forms of a page with their inputs; a nameless submit button counts for nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[_Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note forms, inputs and named buttons."""
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(_Form(attributes.get("action", ""), attributes.get("method", "get").upper()))
        elif self.forms and tag in {"input", "button"} and (name := attributes.get("name")):
            kind = attributes.get("type", "submit" if tag == "button" else "text")
            if kind == "submit":
                self.forms[-1].submits.append((name, attributes.get("value", "")))
            else:
                self.forms[-1].fields[name] = attributes.get("value", "")


def walk(url: str, answers: Mapping[str, str], leaves_to: str) -> str:
    """Follow the pages from `url`, filling each form's fields by name, until a redirect leads below `leaves_to`.

    Returns that address without visiting it. Raises LocalCloudError when a page has no form or the pages do not end.
    """
    with requests.Session() as browser:
        browser.trust_env = False
        method, fields = "GET", dict[str, str]()
        for _ in range(_MOST_PAGES):
            answer = browser.request(method, url, data=fields or None, timeout=_TIMEOUT_SECONDS, allow_redirects=False)
            location = answer.headers.get("Location")
            if location is not None:
                url = urljoin(url, location)
                if url.startswith(leaves_to):
                    return url
                method, fields = "GET", {}
                continue
            form = _first_form(answer)
            url, method = urljoin(url, form.action), form.method
            fields = {name: answers.get(name, value) for name, value in form.fields.items()}
            fields |= dict(form.submits[:1])
    raise LocalCloudError(f"the bank's pages did not end; the last one was {url}")


def _first_form(answer: requests.Response) -> _Form:
    reader = _FormReader()
    reader.feed(answer.text)
    if not reader.forms:
        raise LocalCloudError(f"a page of the bank without a form (HTTP {answer.status_code}) at {answer.url}")
    return reader.forms[0]
