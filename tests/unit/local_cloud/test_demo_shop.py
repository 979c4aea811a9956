import pytest
import requests

from tests.patience import PATIENCE_SECONDS
from tools.local_cloud.demo_shop import PAGES, demo_shop
from tools.local_cloud.failure import LocalCloudError


def test_every_page_says_what_happened_and_what_came_with_the_browser() -> None:
    with demo_shop() as url:
        for path, outcome in PAGES.items():
            page = requests.get(f"{url}{path}?bindingId=6f1d&state=%3Cb%3E", timeout=PATIENCE_SECONDS)
            assert page.status_code == 200
            assert f"<h1>{outcome.title}</h1>" in page.text
            assert "<dd>6f1d</dd>" in page.text
            assert "<dd>&lt;b&gt;</dd>" in page.text
        assert requests.get(url, timeout=PATIENCE_SECONDS).status_code == 200
        assert requests.get(f"{url}/elsewhere", timeout=PATIENCE_SECONDS).status_code == 404


def test_a_taken_port_is_told() -> None:
    with demo_shop() as url, pytest.raises(LocalCloudError, match="can not listen on port"), demo_shop(port_of(url)):
        raise AssertionError("two shops at one port")


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])
