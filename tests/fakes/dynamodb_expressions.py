"""DynamoDB's expressions, parsed once into closures.

The grammar is that of the developer guide as far as this repository uses it: conditions (comparisons, BETWEEN, IN, AND,
OR, NOT, parentheses, attribute_exists, attribute_not_exists, size, contains, begins_with), updates of top-level
attributes (SET with + and -, if_not_exists, list_append; REMOVE; ADD; DELETE), projections. What is beyond it raises
NotImplementedError.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

type Value = Mapping[str, Any]
type Item = Mapping[str, Value]
type Names = Mapping[str, str]
type Values = Mapping[str, Value]
type Operand = Callable[[Item, Names, Values], Value | None]
type Test = Callable[[Item, Names, Values], bool]

_TOKEN = re.compile(r"\s*(?:(<=|>=|<>|[=<>(),.+\-])|([#:]?[A-Za-z_][A-Za-z0-9_]*)|(\S))")
_COMPARISONS = frozenset({"=", "<>", "<", "<=", ">", ">="})


class ExpressionError(Exception):
    """What DynamoDB answers with a ValidationException."""


# --- values ----------------------------------------------------------------------------------------------------------


def type_of(value: Value) -> str:
    """Return the one type letter of an attribute value."""
    (kind,) = value
    return kind


def equal(left: Value, right: Value) -> bool:
    """Compare as `=` does: numbers by value, sets without order; maps and lists here only as they are written."""
    if left == right:
        return True
    kind = type_of(left)
    if kind != type_of(right):
        return False
    if kind == "N":
        return Decimal(left["N"]) == Decimal(right["N"])
    if kind == "SS":
        return set(left["SS"]) == set(right["SS"])
    if kind == "NS":
        return {Decimal(member) for member in left["NS"]} == {Decimal(member) for member in right["NS"]}
    return False


def sort_value(value: Value) -> str | Decimal | None:
    """Return what an ordered comparison compares; None for types without an order."""
    if "S" in value:
        return str(value["S"])
    if "N" in value:
        return Decimal(value["N"])
    return None


def _ordered(left: Value, right: Value, operator: str) -> bool:
    if type_of(left) != type_of(right):
        return False
    first, second = sort_value(left), sort_value(right)
    if isinstance(first, str) and isinstance(second, str):
        return _holds(operator, first < second, first == second)
    if isinstance(first, Decimal) and isinstance(second, Decimal):
        return _holds(operator, first < second, first == second)
    return False


def _holds(operator: str, less: bool, same: bool) -> bool:
    if operator == "<":
        return less
    if operator == "<=":
        return less or same
    if operator == ">":
        return not less and not same
    return not less


def size_of(value: Value) -> int | None:
    """Return what `size()` counts; None for types without a size."""
    kind = type_of(value)
    if kind == "S":
        return len(value["S"].encode())
    if kind in ("SS", "NS", "BS", "L", "M", "B"):
        return len(value[kind])
    return None


# --- parsing ---------------------------------------------------------------------------------------------------------


def _tokens(text: str) -> list[str]:
    found: list[str] = []
    position = 0
    text = text.strip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match[3]:
            raise ExpressionError(f"syntax error near {text[position : position + 10]!r}")
        found.append(match[1] or match[2])
        position = match.end()
    return found


class _Parser:
    """A recursive descent over the tokens of one expression; notes which placeholders it uses."""

    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.at = 0
        self.used: set[str] = set()
        if not self.tokens:
            raise ExpressionError("the expression can not be empty")

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def word(self) -> str:
        return self.peek().upper()

    def take(self, *expected: str) -> str:
        token = self.peek()
        if not token or (expected and token.upper() not in expected):
            raise ExpressionError(f"syntax error: token {token!r}")
        self.at += 1
        return token

    def accept(self, expected: str) -> bool:
        if self.word() == expected:
            self.at += 1
            return True
        return False

    def end(self) -> None:
        if self.at < len(self.tokens):
            raise ExpressionError(f"syntax error: token {self.peek()!r}")

    # conditions

    def condition(self) -> Test:
        test = self.conjunction()
        while self.accept("OR"):
            test = _either(test, self.conjunction())
        return test

    def conjunction(self) -> Test:
        test = self.negation()
        while self.accept("AND"):
            test = _both(test, self.negation())
        return test

    def negation(self) -> Test:
        if self.accept("NOT"):
            return _not(self.negation())
        if self.peek() == "(":
            self.take("(")
            test = self.condition()
            self.take(")")
            return test
        function = self.peek()
        if function in ("attribute_exists", "attribute_not_exists"):
            self.take()
            self.take("(")
            operand = self.path()
            self.take(")")
            return _exists(operand) if function == "attribute_exists" else _not(_exists(operand))
        if function in ("contains", "begins_with"):
            self.take()
            self.take("(")
            left = self.operand()
            self.take(",")
            right = self.operand()
            self.take(")")
            return _contains(left, right) if function == "contains" else _begins_with(left, right)
        return self.comparison()

    def comparison(self) -> Test:
        left = self.operand()
        if self.accept("BETWEEN"):
            low = self.operand()
            self.take("AND")
            high = self.operand()
            return _both(_compare(left, ">=", low), _compare(left, "<=", high))
        if self.accept("IN"):
            self.take("(")
            choices = [self.operand()]
            while self.accept(","):
                choices.append(self.operand())
            self.take(")")
            return _one_of(left, choices)
        operator = self.take(*_COMPARISONS)
        return _compare(left, operator, self.operand())

    def operand(self) -> Operand:
        token = self.peek()
        if token.startswith(":"):
            return self.value()
        if token == "size" and self.tokens[self.at + 1 : self.at + 2] == ["("]:
            self.take()
            self.take("(")
            measured = self.path()
            self.take(")")
            return _size(measured)
        return self.path()

    def value(self) -> Operand:
        token = self.take()
        self.used.add(token)

        def read(_item: Item, _names: Names, values: Values) -> Value:
            return values[token]

        return read

    def path(self) -> Operand:
        first = self.name()
        if self.peek() == ".":
            parts = [first]
            while self.accept("."):
                parts.append(self.name())
            return _nested(parts)
        if first.startswith("#"):
            return lambda item, names, _values: item.get(names[first])
        return lambda item, _names, _values: item.get(first)

    def name(self) -> str:
        token = self.take()
        if token.startswith("#"):
            self.used.add(token)
        elif not token[0].isalpha() and token[0] != "_":
            raise ExpressionError(f"syntax error: token {token!r}")
        return token

    # updates

    def update(self) -> list[_Action]:
        actions: list[_Action] = []
        seen: set[str] = set()
        while self.at < len(self.tokens):
            clause = self.take("SET", "REMOVE", "ADD", "DELETE").upper()
            if clause in seen:
                raise ExpressionError(f"the clause {clause} may stand only once")
            seen.add(clause)
            actions.append(self.action(clause))
            while self.accept(","):
                actions.append(self.action(clause))
        return actions

    def action(self, clause: str) -> _Action:
        name = self.name()
        if self.peek() == ".":
            raise NotImplementedError("updates below the top level")
        if clause == "REMOVE":
            return _Action(clause, name, None)
        if clause in ("ADD", "DELETE"):
            return _Action(clause, name, self.value())
        self.take("=")
        source = self.set_operand()
        if self.peek() in ("+", "-"):
            operator = self.take()
            source = _sum(source, operator, self.set_operand())
        return _Action(clause, name, source)

    def set_operand(self) -> Operand:
        function = self.peek()
        if function in ("if_not_exists", "list_append"):
            self.take()
            self.take("(")
            left = self.path() if function == "if_not_exists" else self.set_operand()
            self.take(",")
            right = self.set_operand()
            self.take(")")
            return _first(left, right) if function == "if_not_exists" else _append(left, right)
        return self.operand()


# --- closures --------------------------------------------------------------------------------------------------------


def _both(left: Test, right: Test) -> Test:
    return lambda item, names, values: left(item, names, values) and right(item, names, values)


def _either(left: Test, right: Test) -> Test:
    return lambda item, names, values: left(item, names, values) or right(item, names, values)


def _not(test: Test) -> Test:
    return lambda item, names, values: not test(item, names, values)


def _exists(operand: Operand) -> Test:
    return lambda item, names, values: operand(item, names, values) is not None


def _compare(left: Operand, operator: str, right: Operand) -> Test:
    def test(item: Item, names: Names, values: Values) -> bool:
        first, second = left(item, names, values), right(item, names, values)
        if first is None or second is None:
            return operator == "<>" and first is not second
        if operator == "=":
            return equal(first, second)
        if operator == "<>":
            return not equal(first, second)
        return _ordered(first, second, operator)

    return test


def _one_of(left: Operand, choices: Sequence[Operand]) -> Test:
    tests = [_compare(left, "=", choice) for choice in choices]
    return lambda item, names, values: any(test(item, names, values) for test in tests)


def _contains(left: Operand, right: Operand) -> Test:
    def test(item: Item, names: Names, values: Values) -> bool:
        whole, part = left(item, names, values), right(item, names, values)
        if whole is None or part is None:
            return False
        if "S" in whole and "S" in part:
            return part["S"] in whole["S"]
        if "SS" in whole and "S" in part:
            return part["S"] in whole["SS"]
        if "NS" in whole and "N" in part:
            return any(Decimal(member) == Decimal(part["N"]) for member in whole["NS"])
        return "L" in whole and any(equal(member, part) for member in whole["L"])

    return test


def _begins_with(left: Operand, right: Operand) -> Test:
    def test(item: Item, names: Names, values: Values) -> bool:
        whole, start = left(item, names, values), right(item, names, values)
        if whole is None or start is None or "S" not in whole or "S" not in start:
            return False
        return bool(whole["S"].startswith(start["S"]))

    return test


def _size(measured: Operand) -> Operand:
    def read(item: Item, names: Names, values: Values) -> Value | None:
        value = measured(item, names, values)
        count = None if value is None else size_of(value)
        return None if count is None else {"N": str(count)}

    return read


def _nested(parts: Sequence[str]) -> Operand:
    def read(item: Item, names: Names, _values: Values) -> Value | None:
        found: Value | None = None
        members: Item = item
        for part in parts:
            found = members.get(names[part] if part.startswith("#") else part)
            if found is None:
                return None
            members = found.get("M", {})
        return found

    return read


def _sum(left: Operand, operator: str, right: Operand) -> Operand:
    def read(item: Item, names: Names, values: Values) -> Value:
        first, second = left(item, names, values), right(item, names, values)
        if first is None or second is None:
            raise ExpressionError(_MISSING)
        if "N" not in first or "N" not in second:
            raise ExpressionError("an operand in the update expression has an incorrect data type")
        return add_numbers(first, second, -1 if operator == "-" else 1)

    return read


def add_numbers(first: Value, second: Value, sign: int = 1) -> Value:
    """Return the sum of two numbers, in plain notation."""
    return {"N": f"{Decimal(first['N']) + sign * Decimal(second['N']):f}"}


def _first(left: Operand, right: Operand) -> Operand:
    def read(item: Item, names: Names, values: Values) -> Value | None:
        found = left(item, names, values)
        return right(item, names, values) if found is None else found

    return read


def _append(left: Operand, right: Operand) -> Operand:
    def read(item: Item, names: Names, values: Values) -> Value:
        first, second = left(item, names, values), right(item, names, values)
        if first is None or second is None:
            raise ExpressionError(_MISSING)
        if "L" not in first or "L" not in second:
            raise ExpressionError("an operand in the update expression has an incorrect data type")
        return {"L": [*first["L"], *second["L"]]}

    return read


_MISSING = "The provided expression refers to an attribute that does not exist in the item"


# --- what the store uses ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Action:
    clause: str
    name: str
    source: Operand | None


@dataclass(frozen=True, slots=True)
class ParsedCondition:
    """A condition and the placeholders that it uses."""

    test: Test
    used: frozenset[str]


@dataclass(frozen=True, slots=True)
class ParsedUpdate:
    """An update and the placeholders that it uses."""

    actions: tuple[_Action, ...]
    used: frozenset[str]

    def apply(self, item: Item, names: Names, values: Values) -> dict[str, Value]:
        """Return the item after the update; every right side sees the item as it was."""
        after = dict(item)
        touched: set[str] = set()
        for action in self.actions:
            name = names[action.name] if action.name.startswith("#") else action.name
            if name in touched:
                raise ExpressionError("Two document paths overlap with each other")
            touched.add(name)
            if action.source is None:
                after.pop(name, None)
                continue
            value = action.source(item, names, values)
            if value is None:
                raise ExpressionError(_MISSING)
            if action.clause == "SET":
                after[name] = value
            elif action.clause == "ADD":
                after[name] = _added(item.get(name), value)
            else:
                _delete_members(after, name, value)
        return after


def _added(old: Value | None, value: Value) -> Value:
    kind = type_of(value)
    if kind not in ("N", "SS", "NS"):
        raise ExpressionError("Incorrect operand type for operator or function; operator: ADD")
    if old is None:
        return value
    if kind not in old:
        raise ExpressionError("An operand in the update expression has an incorrect data type")
    if kind == "N":
        return add_numbers(old, value)
    return {kind: sorted({*old[kind], *value[kind]})}


def _delete_members(item: dict[str, Value], name: str, value: Value) -> None:
    kind = type_of(value)
    if kind not in ("SS", "NS"):
        raise ExpressionError("Incorrect operand type for operator or function; operator: DELETE")
    old = item.get(name)
    if old is None:
        return
    if kind not in old:
        raise ExpressionError("An operand in the update expression has an incorrect data type")
    left = sorted(set(old[kind]) - set(value[kind]))
    if left:
        item[name] = {kind: left}
    else:
        del item[name]


@lru_cache(maxsize=4096)
def parse_condition(text: str) -> ParsedCondition:
    """Parse a condition, filter or key condition expression."""
    parser = _Parser(text)
    test = parser.condition()
    parser.end()
    return ParsedCondition(test, frozenset(parser.used))


@lru_cache(maxsize=16384)
def parse_update(text: str) -> ParsedUpdate:
    """Parse an update expression."""
    parser = _Parser(text)
    actions = parser.update()
    return ParsedUpdate(tuple(actions), frozenset(parser.used))


@lru_cache(maxsize=1024)
def parse_projection(text: str) -> tuple[tuple[str, ...], frozenset[str]]:
    """Parse a projection of top-level attributes: the names or placeholders, and the placeholders used."""
    parser = _Parser(text)
    names = [parser.name()]
    while parser.accept(","):
        names.append(parser.name())
    parser.end()
    return tuple(names), frozenset(parser.used)


@dataclass(frozen=True, slots=True)
class ParsedKeyCondition:
    """Equality on the partition key, and at most one test of the sort key. All are names or placeholders."""

    partition: tuple[str, str]
    sort: tuple[str, str, tuple[str, ...]] | None  # name, operator, values
    used: frozenset[str]


@lru_cache(maxsize=1024)
def parse_key_condition(text: str) -> ParsedKeyCondition:
    """Parse a key condition expression."""
    parser = _Parser(text)
    parts = [_key_part(parser)]
    while parser.accept("AND"):
        parts.append(_key_part(parser))
    parser.end()
    equalities = [part for part in parts if part[1] == "="]
    if not equalities or len(parts) > 2:
        raise ExpressionError("Query key condition not supported")
    first = equalities[0]
    rest = [part for part in parts if part is not first]
    return ParsedKeyCondition((first[0], first[2][0]), rest[0] if rest else None, frozenset(parser.used))


def _key_part(parser: _Parser) -> tuple[str, str, tuple[str, ...]]:
    if parser.peek() == "(":
        parser.take("(")
        part = _key_part(parser)
        parser.take(")")
        return part
    if parser.peek() == "begins_with":
        parser.take()
        parser.take("(")
        name = parser.name()
        parser.take(",")
        value = _key_value(parser)
        parser.take(")")
        return name, "begins_with", (value,)
    name = parser.name()
    if parser.accept("BETWEEN"):
        low = _key_value(parser)
        parser.take("AND")
        return name, "BETWEEN", (low, _key_value(parser))
    operator = parser.take("=", "<", "<=", ">", ">=")
    return name, operator, (_key_value(parser),)


def _key_value(parser: _Parser) -> str:
    token = parser.take()
    if not token.startswith(":"):
        raise ExpressionError(f"syntax error: token {token!r}")
    parser.used.add(token)
    return token
