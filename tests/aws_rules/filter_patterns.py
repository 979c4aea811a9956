"""Which JSON lines of a log a metric filter counts.

Read here: `{ $.name = "text" && $.other != "text*" }` over lines of texts. `*` is any characters. Anything else of the
syntax is refused, and so is a line without a text where one is asked for.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

_TERM = re.compile(r'\$\.(?P<name>\w+)\s*(?P<operator>!?=)\s*"(?P<text>[^"]*)"')


class InvalidPattern(Exception):
    """A pattern that is none, or of a kind that is not known here."""


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison of a pattern."""

    name: str
    is_equal: bool
    text: str

    def holds(self, line: dict[str, object]) -> bool:
        """Return whether a line has what is asked for. Raises InvalidPattern where it has no text there."""
        value = line.get(self.name)
        if not isinstance(value, str):
            raise InvalidPattern(f"a line has no text at {self.name}")
        expression = ".*".join(re.escape(part) for part in self.text.split("*"))
        return (re.fullmatch(expression, value, re.DOTALL) is not None) == self.is_equal


def read_pattern(pattern: str) -> Sequence[Term]:
    """Return the comparisons, all of which have to hold. Raises InvalidPattern."""
    body = re.fullmatch(r"\{\s*(.+?)\s*\}", pattern)
    if body is None:
        raise InvalidPattern(pattern)
    found = [_TERM.fullmatch(part.strip()) for part in body[1].split("&&")]
    terms = [Term(one["name"], one["operator"] == "=", one["text"]) for one in found if one is not None]
    if len(terms) != len(found):
        raise InvalidPattern(pattern)
    return terms


def counts(pattern: str, line: str) -> bool:
    """Return whether a filter counts a line."""
    return all(term.holds(json.loads(line)) for term in read_pattern(pattern))
