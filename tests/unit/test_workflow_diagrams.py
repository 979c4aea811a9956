import pytest

from tools.workflow_diagrams import PAGE, draw, fill_page, read


def test_the_page_agrees_with_the_definitions() -> None:
    page = PAGE.read_text()
    assert page == fill_page(page), "docs/workflows.md is out of date: run `make diagrams`"


@pytest.mark.parametrize("name", ["link_account", "collect_payment"])
def test_every_state_is_drawn_and_explained(name: str) -> None:
    picture, _, table = draw(name).partition("| State |")
    for state, body in read(name)["States"].items():
        assert f"    {state}" in picture
        assert f"| `{state}` | {body['Comment']} |" in table


def test_arrows_name_what_leads_there() -> None:
    picture = draw("collect_payment")
    assert 'DecideByPaymentState -- "failed" --> NotPaid' in picture
    assert 'PayAndWait -. "Timeout, any other error" .-> ReadPayment' in picture


def test_a_changed_picture_and_a_lost_place_are_noticed() -> None:
    page = PAGE.read_text()
    assert fill_page(page.replace('-- "failed" -->', "-->")) == page
    with pytest.raises(ValueError, match="one place for link_account"):
        fill_page(page.replace("<!-- link_account: end -->", ""))
