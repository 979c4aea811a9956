"""Where the browser goes afterwards: the request's pages, else the deployment's; a link and a payment alike."""

from dataclasses import replace

import pytest

from direct_debit.application.bindings.bind_account import BindAccount, bind_account, open_pages
from direct_debit.application.errors import InvalidRequest
from direct_debit.application.return_pages import ReturnPages, choose_pages
from tests.fakes.journey import PHONE, Merchant
from tests.fakes.world import World

SETTINGS = World().settings
BARE = replace(SETTINGS, default_success_url=None, default_failed_url=None)


@pytest.mark.parametrize(
    ("success", "failed", "pages"),
    [
        ("https://a", "https://b", ReturnPages("https://a", "https://b")),
        (None, "https://b", ReturnPages("https://shop.example/ok", "https://b")),
        ("https://a", None, ReturnPages("https://a", "https://shop.example/no")),
        (None, None, ReturnPages("https://shop.example/ok", "https://shop.example/no")),
    ],
)
def test_the_request_comes_before_the_deployment(success: str | None, failed: str | None, pages: ReturnPages) -> None:
    assert choose_pages(success, failed, SETTINGS) == pages


@pytest.mark.parametrize(
    ("success", "failed", "field"),
    [(None, None, "successUrl"), (None, "https://b", "successUrl"), ("https://a", None, "failedUrl")],
)
def test_without_a_default_the_page_that_is_missing_is_named(
    success: str | None, failed: str | None, field: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        choose_pages(success, failed, BARE)
    assert refused.value.field == field
    assert f"{field} is missing: give the page" in refused.value.detail
    assert f"the operator's parameter Default{field[0].upper()}{field[1:]}" in refused.value.detail
    assert refused.value.faults[0].pointer == f"/{field}"
    assert len(refused.value.faults) == (success is None) + (failed is None)


def test_a_link_without_pages_has_the_deployments() -> None:
    world = World()
    bind_account(BindAccount(customer_id="CUST-1", phone=PHONE), world.process(), world.deadline())
    pages = open_pages(Merchant(world).binding(), world.process())
    assert pages == ReturnPages("https://shop.example/ok", "https://shop.example/no")


def test_a_link_without_pages_and_default_asks_nobody() -> None:
    world = World(settings=BARE)
    with pytest.raises(InvalidRequest):
        bind_account(BindAccount(customer_id="CUST-1", phone=PHONE), world.process(), world.deadline())
    assert not list(world.simulator.requests)
