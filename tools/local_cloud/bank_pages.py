"""A customer's browser without a browser: walks the bank's HTML pages by their forms."""

from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

from tools.local_cloud.failure import LocalCloudError

_TIMEOUT_SECONDS = 300
# Phone, OTP, PIN with a redirect after each, and some to spare.
_MOST_PAGES = 12


@dataclass(slots=True)
class _Form:
    """A page's first form: where it goes, its one input, and its first button, which names the step."""

    action: str = ""
    field: str = ""
    button: str = ""
    step: str = ""


class _FormReader(HTMLParser):
    """Reads the first form of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.form: _Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the form, its first named input and its first named button."""
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form" and self.form is None:
            self.form = _Form(action=attributes.get("action", ""))
        elif self.form is not None and tag == "input" and not self.form.field:
            self.form.field = attributes.get("name", "")
        elif self.form is not None and tag == "button" and not self.form.button:
            self.form.button, self.form.step = attributes.get("name", ""), attributes.get("value", "")


def walk(url: str, answers: Mapping[str, str], leaves_to: str) -> str:
    """Follow the pages from `url`, answering each step ("phone", "otp", "pin"), until one leads below `leaves_to`.

    Returns that address without visiting it. Raises LocalCloudError on a page without a form that it can answer, and
    when the pages do not end.
    """
    with requests.Session() as browser:
        browser.trust_env = False
        data: dict[str, str] | None = None
        for _ in range(_MOST_PAGES):
            method = "GET" if data is None else "POST"
            answer = browser.request(method, url, data=data, timeout=_TIMEOUT_SECONDS, allow_redirects=False)
            location = answer.headers.get("Location")
            if location is not None:
                url, data = urljoin(url, location), None
                if url.startswith(leaves_to):
                    return url
            else:
                form = _form(answer, answers)
                url = urljoin(url, form.action)
                data = {form.field: answers[form.step], form.button: form.step}
    raise LocalCloudError("the bank's pages did not end")


def _form(answer: requests.Response, answers: Mapping[str, str]) -> _Form:
    reader = _FormReader()
    reader.feed(answer.text)
    if reader.form is None or reader.form.step not in answers:
        raise LocalCloudError(f"a page of the bank that asks for nothing known (HTTP {answer.status_code})")
    return reader.form
