"""Each operator makes the changes that it promises, and takes them back."""

import ast
import textwrap

import pytest

from tests.mutation.operators import find_changes


def changes(source: str, operator: str) -> list[tuple[str, str]]:
    tree = ast.parse(textwrap.dedent(source))
    return [(one.before, one.after) for one in find_changes(tree) if one.operator == operator]


@pytest.mark.parametrize(
    ("operator", "expression", "expected"),
    [
        ("compare", "a == b", ["a != b"]),
        ("compare", "a < b", ["a <= b"]),
        ("compare", "a >= b", ["a > b"]),
        ("compare", "a is None", ["a is not None"]),
        ("compare", "a not in b", ["a in b"]),
        ("compare", "a < b == c", ["a <= b == c", "a < b != c"]),
        ("boolean", "a and b and c", ["a or b or c"]),
        ("boolean", "a or b", ["a and b"]),
        ("negate", "b if f(a) else c", ["not f(a)"]),
        ("negate", "[a for a in b if not a.open]", ["a.open"]),
        ("negate", "a < 1 and f(a)", ["not a < 1", "not f(a)"]),
        ("negate", "b if a is None else c", []),  # its comparison is turned round already
        ("negate", "f(a) + b", []),
        ("constant", "f(True)", ["False"]),
        ("constant", "f(3)", ["4", "2"]),
        ("constant", "f(-1)", ["0", "-2"]),
        ("constant", "f(60)", ["120", "30"]),
        ("constant", "f(0.5)", ["1.0"]),
        ("constant", "f(0.0)", ["1.0"]),
        ("constant", "f('text', None)", []),
        ("constant", "f'{a + 1}'", []),
        ("replace", "replace(a, b=1, c=2)", ["replace(a, c=2)", "replace(a, b=1)"]),
        ("replace", "text.replace('a', 'b')", []),
    ],
)
def test_an_expression(operator: str, expression: str, expected: list[str]) -> None:
    source = f"def act(a, b, c):\n    keep({expression})"
    assert [after for _, after in changes(source, operator)] == expected


@pytest.mark.parametrize(
    ("statement", "gone"),
    [
        ("save(a)", True),
        ("raise Conflict(a)", True),
        ("a += 1", True),
        ("a = change(a)", True),
        ("a.b = 1", True),
        ("return a", True),
        ("return None", False),
        ("new = make()", False),  # without it nothing would run at all
        ("'''A docstring.'''", False),
        ("...", False),
        ("pass", False),
        ("import a", False),
    ],
)
def test_a_statement_is_left_out_where_the_rest_can_run(statement: str, gone: bool) -> None:
    found = changes(f"def act(a):\n    {statement}", "delete")
    assert bool(found) is gone
    assert all(after == "pass" for _, after in found)


def test_a_truth_value_that_is_returned() -> None:
    assert changes("def act():\n    return True", "return") == [("True", "False")]
    assert changes("def act():\n    return True", "constant") == []
    assert changes("def act() -> bool:\n    return f()", "negate") == [("f()", "not f()")]


def test_annotations_decorators_and_types_stay() -> None:
    source = """
        type Text = Literal[1]
        if TYPE_CHECKING:
            LIMIT = 1

        @cached(1)
        def act(a: Literal[1]) -> Literal[2]:
            b: Literal[3]
    """
    assert list(find_changes(ast.parse(textwrap.dedent(source)))) == []


def test_a_change_is_made_and_taken_back() -> None:
    source = "def act(a):\n    if a > 1 and a:\n        raise E(2)\n    return replace(a, b=True)"
    tree = ast.parse(source)
    seen = set()
    for change in find_changes(tree):
        with change.made():
            changed = ast.unparse(tree)
            compile(tree, "x", "exec")
        assert changed != source
        seen.add(changed)
        assert ast.unparse(tree) == source
    assert len(seen) == len(list(find_changes(tree))) == 12


def test_a_place_knows_its_function_and_the_lines_of_its_statement() -> None:
    source = """
        LIMIT = 5

        class Owner:
            size: int = 3

            def act(self, a=1):
                if a > 2 or (
                    a == 4
                ):
                    keep(a)

                def inner():
                    return a < 6
                return inner
    """
    tree = ast.parse(textwrap.dedent(source))
    found = [(one.place.function, one.place.host_name, one.before, [*one.place.lines]) for one in find_changes(tree)]
    assert ("<module>", "", "5", [2]) in found
    assert ("Owner", "", "3", [5]) in found
    assert next(one[:3] for one in found if one[2] == "1") == ("Owner.act", "", "1")
    assert ("Owner.act", "Owner.act", "a == 4", [8, 9, 10]) in found
    assert ("Owner.act", "Owner.act", "keep(a)", [11]) in found
    assert ("Owner.act.<locals>.inner", "Owner.act", "a < 6", [14]) in found
