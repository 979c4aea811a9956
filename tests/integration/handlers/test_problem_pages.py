"""A problem's `type` is an address, and what answers there explains the problem."""

import re

import pytest

from direct_debit.application.settings import Settings
from direct_debit.entrypoint.errors import PROBLEMS
from direct_debit.entrypoint.settings import ConfigurationError, read_environment
from tests.fakes.environment import COMPLETE
from tests.fakes.world import PUBLIC_URL, World
from tests.integration.handlers.house import House, Response
from tools.gateway_answers import read_gateway_answers

OWN = Settings(public_base_url=PUBLIC_URL)


def ask(house: House, slug: str) -> Response:
    return house.call("explain_problem", path={"slug": slug})


@pytest.mark.parametrize("slug", PROBLEMS)
def test_each_has_a_page_that_says_what_to_do(house: House, slug: str) -> None:
    page = ask(house, slug)
    kind = PROBLEMS[slug]
    text = re.sub(r"<[^>]+>", "", page.text).replace("&#x27;", "'").replace("&quot;", '"')
    assert page.status == 200
    for told in (kind.title, kind.when, kind.remedy):
        assert told.replace("`", "") in text
    assert f'"type": "https://pay.example/v1/problems/{slug}"' in text  # the example answer


@pytest.mark.parametrize("slug", ["no-such-thing", "", "../handler", "<script>"])
def test_any_other_name_gets_the_list_of_all(house: House, slug: str) -> None:
    page = ask(house, slug)
    assert page.status == 404
    gateway = [answer.slug for answer in read_gateway_answers() if answer.slug not in PROBLEMS]
    assert re.findall(r'<a href="([a-z-]+)"', page.text) == [*PROBLEMS, *gateway]
    assert slug == "" or slug not in page.text


@pytest.mark.parametrize("slug", ["index", *PROBLEMS, *(answer.slug for answer in read_gateway_answers())])
def test_every_link_of_a_page_opens(house: House, slug: str) -> None:
    page = ask(house, slug)
    assert page.status == 200
    for link in re.findall(r'<a href="([^"]+)"', page.text):
        assert ask(house, link).status == 200


def test_a_page_loads_and_runs_nothing(house: House) -> None:
    page = ask(house, "otp-wrong")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert re.search(r"<script|<img|stylesheet|@import|url\(|\bsrc=", page.text) is None


def test_type_opens_it_at_the_api_s_own_address() -> None:
    with House(World(settings=OWN)).open() as house:
        problem = house.call("get_payment", path={"ref": "NONE"}).json
        base, _, slug = problem["type"].rpartition("/")
        assert base == f"{PUBLIC_URL}/problems"
        assert ask(house, slug).status == 200


def test_an_operator_may_publish_the_pages_elsewhere() -> None:
    elsewhere = {"PROBLEM_TYPE_BASE": "https://docs.example/errors/"}
    settings = read_environment({**COMPLETE, **elsewhere}).settings
    with House(World(settings=settings)).open() as house:
        assert house.call("get_payment", path={"ref": "NONE"}).json["type"] == "https://docs.example/errors/not-found"
    assert read_environment(COMPLETE).settings.problem_base == "https://pay.example/v1/problems"
    with pytest.raises(ConfigurationError, match="PROBLEM_TYPE_BASE"):
        read_environment({**COMPLETE, "PROBLEM_TYPE_BASE": "/problems"})
