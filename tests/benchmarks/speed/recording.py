"""What a function asked of AWS, DOKU and the merchant: each call with its answer, in order."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

type Side = Literal["aws", "doku", "merchant"]

_LETTERS = {
    "GetItem": "r",
    "Query": "q",
    "PutItem": "w",
    "UpdateItem": "w",
    "TransactWriteItems": "w",
    "SendMessage": "Q",
    "GetSecretValue": "S",
    "PutEvents": "E",
    "SendTaskSuccess": "F",
}
_OTHERS = {"doku": "D", "merchant": "M"}
_KEPT_HEADERS = frozenset(
    {"authorization", "authorization-customer", "channel-id", "x-device-id", "x-ip-address", "webhook-id"}
)


@dataclass(frozen=True, slots=True)
class Call:
    """One request and its answer. `target` is AWS's service and operation, of others the path.

    `headers` are those of a request to others that no signing makes. `at` is when the answer was ready, in seconds of
    the system's monotonic clock, which is the same in every process.
    """

    side: Side
    target: str
    headers: Mapping[str, str]
    body: str
    status: int
    answer_headers: Mapping[str, str]
    answer: str
    at: float

    @property
    def letter(self) -> str:
        """One letter: D DOKU, M merchant, r read, q query, w write, Q queue, S secret, E event bus, F workflow."""
        return _OTHERS.get(self.side) or _LETTERS[self.target.partition(".")[2]]


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return what a recording keeps of a request's headers, names in lower case."""
    return {name.lower(): value for name, value in headers.items() if name.lower() in _KEPT_HEADERS}


def write_calls(calls: Sequence[Call]) -> list[dict[str, Any]]:
    """Return calls as JSON has them."""
    return [asdict(one) for one in calls]


def read_calls(document: Sequence[Mapping[str, Any]]) -> list[Call]:
    """Read what `write_calls` wrote."""
    return [Call(**one) for one in document]


def count_letters(calls: Sequence[Call]) -> str:
    """Return how often each kind of call was made, as in the tables of the issue: `1D 1r 2w`."""
    letters = [one.letter for one in calls]
    return " ".join(f"{letters.count(letter)}{letter}" for letter in "DMrqwQSEF" if letter in letters)
