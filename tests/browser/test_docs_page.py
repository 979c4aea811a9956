"""The documentation in a real browser: it shows the document, asks nobody else, and its links open."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.test_binding_page import CHROMIUM, FLAGS, PATIENCE
from tools.local_cloud.docs_page import docs_page

pytestmark = pytest.mark.browser

API = "http://127.0.0.1:1/_aws/execute-api/a1b2c3d4/v1"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with docs_page(API, port=0) as served:
        assert served.startswith("http://127.0.0.1:"), served
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS, timeout=PATIENCE)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    made = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    made.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    made.on("pageerror", lambda error: said.append(str(error)))
    made.on("request", lambda request: asked.append(request.url))
    yield made
    context.close()
    assert said == []
    assert [url for url in asked if not url.startswith((address, "data:"))] == []


def test_the_document_is_shown_with_its_examples(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.locator("#api-title")).to_contain_text("CIMB direct debit")
    pay = page.locator('[id="post-/payments"]')
    expect(pay).to_contain_text("Charge a linked account")
    pay.scroll_into_view_if_needed()
    expect(pay.locator("textarea").first).to_have_value(re.compile("INV202603020"))  # an example
    expect(pay.get_by_role("button", name="504")).to_be_visible()


def test_the_running_stack_s_address_stands_there(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.get_by_text(API).first).to_be_visible()


def test_the_pages_of_problems_open(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("link", name="What each error means").click()
    page.get_by_role("link", name="The OTP is wrong").click()
    expect(page.get_by_role("heading", name="The OTP is wrong")).to_be_visible()
    expect(page.get_by_text("Ask the customer to read the code again")).to_be_visible()
