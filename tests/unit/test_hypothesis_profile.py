"""Property tests have one profile (tests/conftest.py), in which nothing depends on the machine's speed."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

TESTS = Path(__file__).resolve().parents[1]
PROFILE = TESTS / "conftest.py"
# Programs: one lets property tests fail without looking for the smallest example, the other only makes requests.
PROGRAMS = (TESTS / "mutation" / "run.py", TESTS / "fuzz" / "routes.py")
# How much is tried is a test's own business.
ALLOWED = {"max_examples", "stateful_step_count"}
# Ways around a test's own `@settings`: they change what other tests get too, or what the check of names would miss.
REFUSED = {"HealthCheck", "register_profile", "load_profile"}


def find_departures(source: str) -> list[str]:
    """Name what a test's source takes from Hypothesis that belongs into the profile, with its line."""
    tree = ast.parse(source)
    names = dict(_imported(tree))
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _meaning(node.func, names) == "settings":
            given = [keyword.arg or "**" for keyword in node.keywords] + ["*"] * len(node.args)
            found += [f"line {node.lineno}: settings({name})" for name in given if name not in ALLOWED]
        elif isinstance(node, (ast.Name, ast.Attribute)) and _meaning(node, names) in REFUSED:
            found.append(f"line {node.lineno}: {_meaning(node, names)}")
    return found


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield each name that stands for Hypothesis or one of its own, and which."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                if one.name.split(".")[0] == "hypothesis":
                    yield (one.asname or one.name.split(".")[0]), "hypothesis"
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "hypothesis":
            for one in node.names:
                yield (one.asname or one.name), one.name


def _meaning(node: ast.expr, names: dict[str, str]) -> str | None:
    """Return what an expression is in Hypothesis' own words; None when it is none of its."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute) and _meaning(node.value, names) is not None:
        return node.attr
    return None


def test_the_profile_is_the_one_that_tests_get() -> None:
    assert settings.default is not None
    assert settings.get_current_profile_name() == "house"
    assert settings.default.deadline is None
    assert settings.default.database is None
    assert settings.default.print_blob
    assert list(settings.default.suppress_health_check) == [HealthCheck.too_slow]


@pytest.mark.parametrize("place", ["CI", "here"])
def test_only_continuous_integration_repeats_its_examples(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if place == "CI":
        monkeypatch.setenv("CI", "true")
    else:
        monkeypatch.delenv("CI", raising=False)
    before = settings.get_profile("house")
    scope: dict[str, object] = {}
    try:
        exec(compile(PROFILE.read_text(), PROFILE, "exec"), scope)  # noqa: S102 - the house's own profile
        assert settings.get_profile("house").derandomize is (place == "CI")
    finally:
        settings.register_profile("house", before)
        settings.load_profile("house")


def test_no_test_departs_from_the_profile() -> None:
    sources = [path for path in TESTS.rglob("*.py") if path not in (PROFILE, *PROGRAMS, Path(__file__))]
    assert len(sources) > 100
    departures = {str(path.relative_to(TESTS)): find_departures(path.read_text()) for path in sources}
    assert {path: found for path, found in departures.items() if found} == {}


@pytest.mark.parametrize(
    ("source", "departures"),
    [
        ("from hypothesis import settings\n@settings(max_examples=3)\ndef test(): ...", []),
        ("from direct_debit import settings\nsettings(deadline=1)", []),
        ("from hypothesis import settings\n@settings(deadline=None)\ndef test(): ...", ["line 2: settings(deadline)"]),
        ("from hypothesis import settings as s\ns(derandomize=True)", ["line 2: settings(derandomize)"]),
        ("import hypothesis\nhypothesis.settings(database=None)", ["line 2: settings(database)"]),
        ("import hypothesis as h\nh.settings.load_profile('ci')", ["line 2: load_profile"]),
        ("from hypothesis import settings\nsettings(**more)", ["line 2: settings(**)"]),
        ("from hypothesis import settings\nsettings(other)", ["line 2: settings(*)"]),
        (
            "from hypothesis import HealthCheck, settings\nsettings(suppress_health_check=[HealthCheck.too_slow])",
            ["line 2: settings(suppress_health_check)", "line 2: HealthCheck"],
        ),
    ],
)
def test_the_check_sees(source: str, departures: list[str]) -> None:
    assert find_departures(source) == departures
