"""CIMB's binding pages in a real browser: keyboard, labels, errors, languages, small screens."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from tests.integration.doku_simulator.running import HttpMerchant, running_simulator
from tests.patience import PATIENCE_SECONDS
from tests.unit.doku_simulator.merchant import BIND, Clock, binding_body

pytestmark = pytest.mark.browser

CHROMIUM = "/usr/bin/chromium"
# No sandbox, since tests may run as root; and nothing that Chromium would do of its own accord.
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--no-first-run", "--disable-sync", "--disable-quic"),
    *("--disable-background-networking", "--disable-component-update"),
]
PATIENCE = PATIENCE_SECONDS * 1_000  # Playwright counts milliseconds
PHONE_SCREEN: ViewportSize = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpMerchant]:
    with running_simulator(tmp_path_factory.mktemp("simulator")) as merchant:
        yield merchant


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS, timeout=PATIENCE)
        yield opened
        opened.close()


@pytest.fixture
def merchant(server: HttpMerchant) -> HttpMerchant:
    server.control("reset", {})
    fresh = HttpMerchant(Clock(datetime.now(UTC)), url=server.url)
    fresh.login()
    return fresh


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport=PHONE_SCREEN, locale="id-ID", color_scheme="light")
    context.set_default_timeout(PATIENCE)
    made = context.new_page()
    foreign: list[str] = []
    made.on("request", lambda request: foreign.append(request.url) if "127.0.0.1" not in request.url else None)
    yield made
    context.close()
    assert foreign == [], "the pages load nothing from elsewhere"


def _link(merchant: HttpMerchant) -> str:
    """Start a binding whose browser return leads back to this simulator."""
    body = binding_body()
    for name, outcome in (("successRegistrationUrl", "ok"), ("failedRegistrationUrl", "failed")):
        body["additionalInfo"][name] = f"{merchant.url}/?returned={outcome}"
    return str(json.loads(merchant.send(BIND, body).body)["redirectUrl"])


def test_a_customer_links_the_account_with_the_keyboard(merchant: HttpMerchant, page: Page) -> None:
    page.goto(_link(merchant))
    expect(page.get_by_role("heading", name="Hubungkan rekening CIMB Anda")).to_be_visible()
    phone = page.get_by_label("Nomor ponsel yang terdaftar di CIMB")
    expect(phone).to_be_focused()
    expect(phone).to_have_value("••••761")
    page.keyboard.press("Enter")

    otp = page.get_by_label("Kode OTP", exact=True)
    expect(otp).to_be_focused()
    expect(otp).to_have_attribute("autocomplete", "one-time-code")
    page.keyboard.type("123456")
    page.keyboard.press("Enter")

    pin = page.get_by_label("PIN CIMB")
    expect(pin).to_be_focused()
    expect(pin).to_have_attribute("type", "password")
    page.keyboard.type("135790")
    page.keyboard.press("Enter")

    page.wait_for_url("**/?returned=ok")
    assert merchant.control("state")["bindings"][0]["state"] == "ACTIVE"


def test_a_wrong_otp_is_explained_at_its_field(merchant: HttpMerchant, page: Page) -> None:
    page.goto(f"{_link(merchant)}?lang=en")
    page.get_by_role("button", name="Send OTP code").click()
    page.get_by_label("OTP code", exact=True).fill("000000")
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_role("alert")).to_contain_text("The OTP code is wrong")
    field = page.get_by_label("OTP code", exact=True)
    expect(field).to_be_focused()
    expect(field).to_have_value("")
    expect(field).to_have_accessible_description(
        "Please check. The OTP code is wrong. Check it and try again. 6 digits, valid for 5 minutes"
    )
    expect(page).to_have_title("Please check: Enter the OTP code")


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_the_customer_may_cancel_anywhere(merchant: HttpMerchant, page: Page, steps: int) -> None:
    page.goto(f"{_link(merchant)}?lang=en")
    # Every step has a button to cancel: the next page is waited for, or the one of the page before would be pressed.
    if steps > 0:
        page.get_by_role("button", name="Send OTP code").click()
        expect(page.get_by_label("OTP code", exact=True)).to_be_focused()
    if steps > 1:
        page.get_by_label("OTP code", exact=True).fill("123456")
        page.get_by_role("button", name="Verify").click()
        expect(page.get_by_label("CIMB PIN")).to_be_focused()
    page.get_by_role("button", name="Cancel").click()
    page.wait_for_url("**/?returned=failed")
    assert merchant.control("state")["bindings"][0]["state"] == "FAILED"


def test_the_language_stays_through_the_steps(merchant: HttpMerchant, page: Page) -> None:
    page.goto(_link(merchant))
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", name="Link your CIMB account")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.get_by_role("button", name="Send OTP code").click()
    expect(page.get_by_role("heading", name="Enter the OTP code")).to_be_visible()
    expect(page.get_by_role("list", name="Steps").locator("[aria-current=step]")).to_have_text("OTP code")


def test_nothing_overflows_a_small_screen(merchant: HttpMerchant, page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 568})
    page.goto(_link(merchant))
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    for button in page.get_by_role("button").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_have_enough_contrast(merchant: HttpMerchant, page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(_link(merchant))
    page.get_by_role("button", name="Kirim kode OTP").click()
    page.get_by_label("Kode OTP", exact=True).fill("1")
    page.keyboard.press("Enter")
    # The page that is judged is the one with the error, not the one before.
    expect(page.get_by_role("alert")).to_be_visible()
    poor = page.evaluate(
        """() => {
          const curve = share => share <= .03928 ? share / 12.92 : ((share + .055) / 1.055) ** 2.4;
          const channel = value => curve(value / 255);
          const light = rgb => .2126 * channel(rgb[0]) + .7152 * channel(rgb[1]) + .0722 * channel(rgb[2]);
          const colour = text => text.match(/[\\d.]+/g).map(Number);
          const behind = node => {
            for (let at = node; at; at = at.parentElement) {
              const found = colour(getComputedStyle(at).backgroundColor);
              if (found.length < 4 || found[3] > 0) return found;
            }
            return [255, 255, 255];
          };
          const poor = [];
          for (const node of document.querySelectorAll('h1,p,label,span,dt,dd,li,a,button,strong,div.error')) {
            const pair = [light(colour(getComputedStyle(node).color)), light(behind(node))].sort((a, b) => b - a);
            const ratio = (pair[0] + .05) / (pair[1] + .05);
            if (ratio < 4.5) poor.push(`${node.tagName} ${node.textContent.slice(0, 30)} ${ratio.toFixed(2)}`);
          }
          return poor;
        }"""
    )
    assert poor == []


def test_the_overview_shows_what_happened(merchant: HttpMerchant, page: Page) -> None:
    token = merchant.link_account()
    merchant.pay(token)
    merchant.verify(token)
    merchant.refund(token)
    page.set_viewport_size({"width": 1200, "height": 900})
    page.goto(f"{merchant.url}/")
    ledger = page.get_by_role("table", name="Ledger")
    expect(ledger.get_by_role("row")).to_have_count(3)
    expect(ledger).to_contain_text("RF0000000001")
