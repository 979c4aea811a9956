from tools.diagrams import PAGE, draw


def test_the_page_agrees_with_the_transition_tables() -> None:
    assert PAGE.read_text() == draw(), "docs/states.md is out of date: run `make diagrams`"
