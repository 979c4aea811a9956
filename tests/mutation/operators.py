"""Small changes of a syntax tree, each of which a test should notice.

compare     a comparison becomes its neighbour or its opposite
boolean     `and` becomes `or`
negate      a condition becomes its opposite
constant    a number becomes one more or one less, a large one twice and half as much, a truth value the other one
return      a truth value that is returned becomes the other one
delete      a statement is left out
replace     an argument of `replace(...)` is left out
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_BOUNDS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
# From here on a number is an amount, of seconds mostly, where one more or less says nothing.
_MANY = 30
MODULE = "<module>"

type Slot = tuple[ast.AST, str, int | None]  # an owner, its field, and the place in it where it is a list


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a module a change is.

    `function` names it for people. `host` is the outermost function around it, whose code contains it: None where it is
    only worked on when the module is imported. `statement` is the innermost one, `top` the module's own statement.
    """

    function: str
    host: ast.FunctionDef | ast.AsyncFunctionDef | None
    host_name: str
    statement: ast.stmt | None
    top: ast.stmt | None

    @property
    def lines(self) -> range:
        """The lines of the innermost statement; of a compound one, of its head."""
        if self.statement is None:
            return range(0)
        body: list[ast.stmt] = getattr(self.statement, "body", [])
        last = body[0].lineno - 1 if body else self.statement.end_lineno or self.statement.lineno
        return range(self.statement.lineno, max(last, self.statement.lineno) + 1)

    @property
    def head(self) -> str:
        """The innermost statement as text; of a compound one, its head."""
        if self.statement is None:
            return ""
        text = ast.unparse(self.statement)
        return text.splitlines()[0] if hasattr(self.statement, "body") else " ".join(text.split())


@dataclass(frozen=True, slots=True)
class Change:
    """One change: what stands in a slot of the tree is exchanged (with None: taken out of its list)."""

    operator: str
    place: Place
    line: int
    before: str
    after: str
    slot: Slot
    new: ast.AST | None

    @contextmanager
    def made(self) -> Iterator[None]:
        """Let the tree be changed while this is open."""
        owner, field, position = self.slot
        if position is None:
            old = getattr(owner, field)
            setattr(owner, field, self.new)
            try:
                yield
            finally:
                setattr(owner, field, old)
            return
        items: list[ast.AST] = getattr(owner, field)
        as_it_was = list(items)
        items[position : position + 1] = [] if self.new is None else [self.new]
        try:
            yield
        finally:
            items[:] = as_it_was


def find_changes(tree: ast.Module) -> Iterator[Change]:
    """Yield every change of a module, in the order of its source."""
    for position, statement in enumerate(tree.body):
        place = Place(MODULE, None, "", statement, statement)
        yield from _of_statement(statement, (tree, "body", position), place)


# --- statements ------------------------------------------------------------------------------------------------------


def _of_statement(node: ast.stmt, slot: Slot, around: Place) -> Iterator[Change]:
    place = Place(around.function, around.host, around.host_name, node, around.top)
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield from _of_function(node, place)
        case ast.ClassDef():
            name = node.name if around.function == MODULE else f"{around.function}.{node.name}"
            yield from _of_body(node, "body", Place(name, around.host, around.host_name, node, around.top))
        case ast.Import() | ast.ImportFrom() | ast.TypeAlias():
            return
        case _ if _is_typing(node) or _is_docstring(node):
            return
        case _:
            if around.host is not None and _may_go(node, around.host):
                yield Change("delete", place, node.lineno, _text(node), "pass", slot, _never(node))
            yield from _of_parts(node, place)


def _of_function(node: ast.FunctionDef | ast.AsyncFunctionDef, place: Place) -> Iterator[Change]:
    separator = ".<locals>." if place.host is not None else "."
    name = node.name if place.function == MODULE else f"{place.function}{separator}{node.name}"
    # Defaults are worked on where the function is defined, which is around it.
    for field in ("defaults", "kw_defaults"):
        values: list[ast.expr | None] = getattr(node.args, field)
        for position, value in enumerate(values):
            if value is not None:
                defined = Place(name, place.host, place.host_name, node, place.top)
                yield from _of_expression(value, (node.args, field, position), defined)
    host, host_name = (node, name) if place.host is None else (place.host, place.host_name)
    yield from _of_body(node, "body", Place(name, host, host_name, node, place.top))


def _of_body(owner: ast.AST, field: str, place: Place) -> Iterator[Change]:
    for position, statement in enumerate(getattr(owner, field)):
        yield from _of_statement(statement, (owner, field, position), place)


def _of_parts(node: ast.AST, place: Place) -> Iterator[Change]:
    """Yield the changes of what a statement or expression consists of."""
    for field, value in ast.iter_fields(node):
        if field in {"annotation", "returns", "decorator_list"}:
            continue
        parts = value if isinstance(value, list) else [value]
        for position, part in enumerate(parts):
            slot: Slot = (node, field, position if isinstance(value, list) else None)
            if isinstance(part, ast.stmt):
                yield from _of_statement(part, slot, place)
            elif isinstance(part, ast.expr):
                yield from _of_expression(part, slot, place)
            elif isinstance(part, ast.AST):
                yield from _of_parts(part, place)


def _never(node: ast.stmt) -> ast.stmt:
    """Leave a statement out so that the function still has its variables, and is a generator if it was one."""
    return ast.fix_missing_locations(_at(ast.If(ast.Constant(value=False), [node], []), node))


def _may_go(node: ast.stmt, host: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Tell whether leaving a statement out is a change worth trying, and no mere missing name."""
    match node:
        case ast.Expr(value=ast.Constant()):
            return False
        case ast.Return(value=value):
            return value is not None and not (isinstance(value, ast.Constant) and value.value is None)
        case ast.Expr() | ast.AugAssign() | ast.Raise() | ast.Continue() | ast.Break() | ast.Delete():
            return True
        case ast.Assign(targets=targets):
            return all(not isinstance(target, ast.Name) or _bound_before(target, host) for target in targets)
    return False


def _bound_before(name: ast.Name, host: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    arguments = {one.arg for one in ast.walk(host.args) if isinstance(one, ast.arg)}
    stores = [one for one in ast.walk(host) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)]
    return name.id in arguments or any(one.id == name.id and one.lineno < name.lineno for one in stores)


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_typing(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


# --- expressions -----------------------------------------------------------------------------------------------------


def _of_expression(node: ast.expr, slot: Slot, place: Place) -> Iterator[Change]:
    if isinstance(node, ast.JoinedStr):
        return  # what is told to people is another subject

    def change(operator: str, new: ast.expr) -> Change:
        fresh = ast.fix_missing_locations(_at(new, node))
        return Change(operator, place, node.lineno, _text(node), _text(fresh), slot, fresh)

    yield from (change("compare", new) for new in _compared(node))
    if isinstance(node, ast.BoolOp):
        yield change("boolean", ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values))
    if _is_condition(node, slot, place):
        yield change("negate", _opposite(node))
    for value in _other_constants(node):
        operator = "return" if isinstance(slot[0], ast.Return) and isinstance(value, bool) else "constant"
        yield change(operator, ast.Constant(value))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        return  # a negative number is one constant
    if isinstance(node, ast.Call) and _called(node) in {"replace", "_replace"}:
        for keyword in node.keywords:
            if keyword.arg is not None:
                rest = [one for one in node.keywords if one is not keyword]
                yield change("replace", ast.Call(node.func, node.args, rest))
    yield from _of_parts(node, place)


def _compared(node: ast.expr) -> Iterator[ast.expr]:
    if not isinstance(node, ast.Compare):
        return
    for position, operator in enumerate(node.ops):
        operators: list[ast.cmpop] = list(node.ops)
        operators[position] = _COMPARISONS[type(operator)]()
        yield ast.Compare(node.left, operators, node.comparators)


def _is_condition(node: ast.expr, slot: Slot, place: Place) -> bool:
    """Tell whether an expression is a condition that no other operator turns round already."""
    owner, field, _ = slot
    if isinstance(node, (ast.BoolOp, ast.Constant)) or (
        isinstance(node, ast.Compare) and not any(isinstance(one, _BOUNDS) for one in node.ops)
    ):
        return False
    if isinstance(owner, ast.Return):
        returns = _returns(place)
        return isinstance(returns, ast.Name) and returns.id == "bool"
    inside = isinstance(owner, (ast.If, ast.While, ast.IfExp)) and field == "test"
    return inside or isinstance(owner, ast.BoolOp) or (isinstance(owner, ast.comprehension) and field == "ifs")


def _returns(place: Place) -> ast.expr | None:
    # Of the host: a function inside it is rarely a question.
    return place.host.returns if place.host is not None else None


def _opposite(node: ast.expr) -> ast.expr:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return node.operand
    return ast.UnaryOp(ast.Not(), node)


def _other_constants(node: ast.expr) -> list[bool | int | float]:
    value = node.value if isinstance(node, ast.Constant) else None
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        value = -node.operand.value if isinstance(node.operand.value, (int, float)) else None
    match value:
        case bool():
            return [not value]
        case int() if abs(value) < _MANY:
            return [value + 1, value - 1]
        case int() if value % 2 == 0:
            return [value * 2, value // 2]
        case int() | float():
            return [value * 2 or 1.0]
    return []


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _text(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())


def _at[T: (ast.expr, ast.stmt)](new: T, old: ast.expr | ast.stmt) -> T:
    """Let a new node stand where an old one stood, so that lines mean the same."""
    return ast.copy_location(new, old)
