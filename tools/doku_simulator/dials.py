"""Faults one can ask for: each dial bites a number of times, then it is gone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

from tools.doku_simulator.codes import message, split_code
from tools.doku_simulator.records import SimulatedResponse

type Fault = Literal["drop", "hang", "late", "delay", "status", "code", "garbage"]
type Garbage = Literal[
    "empty",
    "html",
    "truncated",
    "half",
    "wrong_type",
    "wrong_reference",
    "missing_fields",
    "unknown_fields",
    "duplicate_keys",
    "large",
]

_LARGE = 10 * 1024 * 1024

FAULTS: tuple[str, ...] = get_args(Fault.__value__)
GARBAGE: tuple[str, ...] = get_args(Garbage.__value__)
OPERATIONS = ("b2b_token", "b2b2c_token", "binding", "otp", "balance", "payment", "status", "refund", "unbinding")


@dataclass(slots=True)
class Dial:
    """Let `fault` happen to the next `count` requests of `operation` (`*` = any), after letting `skip` of them pass.

    `when`: before the effect (nothing happens at DOKU) or after it (only the answer suffers).
    drop: no answer, the connection is closed; hang: no answer, the connection stays open;
    late: no answer, and the effect comes `delay_seconds` later; delay: the answer comes `delay_seconds` later;
    status: HTTP `status` (5xx, 429 with `retry_after` seconds) without a SNAP body; code: response code `code` (seven
    digits, or five without the service); garbage: a body as `garbage` says.
    """

    operation: str
    fault: Fault
    when: Literal["before", "after"] = "after"
    count: int = 1
    skip: int = 0
    delay_seconds: float = 0.0
    status: int = 500
    code: str = "50000"
    garbage: Garbage = "html"
    retry_after: int | None = None

    def __post_init__(self) -> None:
        if self.operation != "*" and self.operation not in OPERATIONS:
            raise ValueError(f"operation must be * or one of {', '.join(OPERATIONS)}")
        if self.fault not in FAULTS:
            raise ValueError(f"fault must be one of {', '.join(FAULTS)}")
        if self.garbage not in GARBAGE:
            raise ValueError(f"garbage must be one of {', '.join(GARBAGE)}")
        if self.when not in ("before", "after") or self.count < 1 or self.skip < 0 or self.delay_seconds < 0:
            raise ValueError("when is before or after, count at least 1, skip and delay_seconds at least 0")
        split_code(self.code, "00")


class Dials:
    """The dials that are still set, in the order in which they were set."""

    def __init__(self) -> None:
        self.active: list[Dial] = []

    def add(self, dial: Dial) -> None:
        """Set one more dial."""
        self.active.append(dial)

    def clear(self) -> None:
        """Forget all dials."""
        self.active.clear()

    def take(self, operation: str) -> Dial | None:
        """Return the fault for this request and use it up once; None if no dial bites."""
        for dial in self.active:
            if dial.operation not in ("*", operation):
                continue
            if dial.skip:
                dial.skip -= 1
                continue
            dial.count -= 1
            if dial.count == 0:
                self.active.remove(dial)
            return dial
        return None


def read_dial(document: Mapping[str, object]) -> Dial:
    """Read a dial from its JSON form (camelCase names); ValueError says what is wrong."""
    values: dict[str, object] = {}
    for key, value in document.items():
        name = {"delaySeconds": "delay_seconds", "retryAfter": "retry_after"}.get(key, key)
        kinds = _KINDS.get(name)
        if kinds is None:
            raise ValueError(f"unknown field {key}")
        if isinstance(value, bool) or not isinstance(value, kinds):
            raise ValueError(f"{key} has the wrong type")  # noqa: TRY004 - one error for every bad document
        values[name] = value
    if "operation" not in values or "fault" not in values:
        raise ValueError("operation and fault are required")
    return Dial(**values)  # type: ignore[arg-type]  # names and types were checked above, values in __post_init__


_KINDS: dict[str, type | tuple[type, ...]] = {
    "operation": str,
    "fault": str,
    "when": str,
    "count": int,
    "skip": int,
    "delay_seconds": (int, float),
    "status": int,
    "code": str,
    "garbage": str,
    "retry_after": int,
}


def spoil(dial: Dial, response: SimulatedResponse, service: str) -> SimulatedResponse:
    """Return `response` as the dial lets it arrive."""
    match dial.fault:
        case "drop" | "late":
            return replace(response, dropped=True)
        case "hang":
            return replace(response, dropped=True, hang=True)
        case "delay":
            return replace(response, delay_seconds=dial.delay_seconds)
        case "status":
            return _plain_status(dial, response)
        case "code":
            case, code = split_code(dial.code, service)
            text = f'{{"responseCode":"{code}","responseMessage":"{message(case)}"}}'
            return _retry_after(dial, replace(response, status=int(code[:3]), code=code, body=text.encode()))
        case "garbage":
            return _garbage(dial.garbage, response)


def _plain_status(dial: Dial, response: SimulatedResponse) -> SimulatedResponse:
    body = f"<html><body><h1>{dial.status}</h1></body></html>".encode()
    headers = {"Content-Type": "text/html"}
    return _retry_after(dial, replace(response, status=dial.status, headers=headers, body=body, code=""))


def _retry_after(dial: Dial, response: SimulatedResponse) -> SimulatedResponse:
    if dial.retry_after is None:
        return response
    return replace(response, headers={**response.headers, "Retry-After": str(dial.retry_after)})


def _garbage(kind: Garbage, response: SimulatedResponse) -> SimulatedResponse:
    body = response.body
    if kind == "half":
        return replace(response, cut_after=len(body) // 2)
    inner = body[1:-1]
    wrong_reference = b'"partnerReferenceNo":"OTHER0000001","originalPartnerReferenceNo":"OTHER0000001"'
    bodies: dict[str, Callable[[], bytes]] = {
        "empty": lambda: b"",
        "html": lambda: b"<html><body>upstream</body></html>",
        "truncated": lambda: body[: len(body) // 2],
        "wrong_type": lambda: b'{"responseCode":[],"responseMessage":{}}',
        "wrong_reference": lambda: b"{" + inner + b"," + wrong_reference + b"}",
        "missing_fields": lambda: b'{"responseCode":"' + response.code.encode() + b'"}',
        "unknown_fields": lambda: b'{"unknown":{"deep":[1,2,{"x":null}]},' + inner + b',"another":1.5}',
        "duplicate_keys": lambda: b'{"responseCode":"5000000",' + inner + b"}",
        "large": lambda: b'{"padding":"' + b"x" * _LARGE + b'",' + inner + b"}",
    }
    return replace(response, body=bodies[kind]())
