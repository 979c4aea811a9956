"""What every request passes before an operation sees it, in the order of contract section 8."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tools.doku_simulator.operations import CHANNEL, TOKEN_OPERATIONS, Json, Operation, Route, read_fields
from tools.doku_simulator.records import Binding, Refused, SimulatedResponse
from tools.doku_simulator.signing import body_hash, equal, token_signature_holds, transaction_signature
from tools.doku_simulator.world import WIB, SeenRequest, World

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-](?!00:00)\d\d:\d\d|\+00:00)", re.ASCII)
_JSON_TYPE = re.compile(r"application/json(?:\s*;.*)?", re.IGNORECASE)
_LARGEST_BODY = 65_536
_HEADER_FORMATS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("X-PARTNER-ID", re.compile(r".{1,36}")),
    ("CHANNEL-ID", re.compile(r".{1,5}")),
    ("X-IP-ADDRESS", re.compile(r"[0-9A-Fa-f:.]{7,45}")),
    ("X-DEVICE-ID", re.compile(r"[A-Za-z0-9]{1,400}")),
)
_EXTERNAL_ID = re.compile(r"[0-9]{1,36}")
_STRICT_EXTERNAL_ID = re.compile(r"[0-9]{1,32}")
_CUSTOMER_OPERATIONS = frozenset({Operation.BALANCE, Operation.PAYMENT, Operation.REFUND})


class Repeated(Exception):
    """The same request came before; `response` is its first answer, to be sent under HTTP 409."""

    def __init__(self, response: SimulatedResponse) -> None:
        super().__init__(response.code)
        self.response = response


@dataclass(slots=True)
class Incoming:
    """A request as it arrives: `target` is path and query, `headers` have lower-case names."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Admitted:
    """A request whose sender is proven."""

    route: Route
    at: datetime
    external_id: str
    headers: dict[str, str]
    raw_body: bytes
    seen: SeenRequest | None = None


@dataclass(slots=True)
class Checked:
    """A request that may reach its operation: `values` are its checked text fields by dotted name."""

    route: Route
    at: datetime
    external_id: str
    values: dict[str, str]
    binding: Binding | None
    """The customer's binding, for operations that need a customer token."""


class Gate:
    """Checks headers, time, tokens, signature, replay, body and customer token."""

    def __init__(self, world: World) -> None:
        self._world = world

    def admit(self, route: Route, incoming: Incoming) -> Admitted:
        """Prove the sender; Refused or Repeated otherwise."""
        target, headers, body = incoming.target, incoming.headers, incoming.body
        if incoming.method != "POST":
            raise Refused("40500")
        if route.operation in TOKEN_OPERATIONS:
            return self._admit_token_request(route, headers, body)
        world = self._world
        given = _mandatory(headers, "Content-Type", "X-TIMESTAMP", "X-SIGNATURE", "X-PARTNER-ID", "X-EXTERNAL-ID")
        now = self._check_formats(headers, given["X-TIMESTAMP"])
        token = _bearer(headers.get("authorization"))
        if token is None:
            raise Refused("40103")
        expires = world.b2b_tokens.get(token)
        if expires is None or expires <= now:
            raise Refused("40101")
        if given["X-PARTNER-ID"] != world.config.client_id:
            raise Refused("40100", "Unknown Client")
        hashed = body_hash(body)
        self._check_signature(target, token, hashed, given["X-TIMESTAMP"], given["X-SIGNATURE"])
        if world.variant.body_rule == "both":
            self._check_signature(target, token, _reserialised_hash(body), given["X-TIMESTAMP"], given["X-SIGNATURE"])
        external_id = given["X-EXTERNAL-ID"]
        seen = self._check_external_id(external_id, f"{target} {hashed}", now)
        return Admitted(route, now, external_id, headers, body, seen)

    def check(self, request: Admitted) -> Checked:
        """Check the body and the customer token; Refused names what is wrong."""
        world, route = self._world, request.route
        document = _parse(request.raw_body)
        values = read_fields(route, document, strict=world.config.strict_lengths)
        if values.get("additionalInfo.channel", CHANNEL) != CHANNEL:
            raise Refused("40301", "channel")
        return Checked(route, request.at, request.external_id, values, self._customer(request, values))

    def _admit_token_request(self, route: Route, headers: dict[str, str], body: bytes) -> Admitted:
        config = self._world.config
        given = _mandatory(headers, "Content-Type", "X-CLIENT-KEY", "X-TIMESTAMP", "X-SIGNATURE")
        now = self._check_formats(headers, given["X-TIMESTAMP"])
        if given["X-CLIENT-KEY"] != config.client_id:
            raise Refused("40100", "Unknown Client")
        key = config.merchant_public_key
        if (
            config.verify_asymmetric
            and key is not None
            and not token_signature_holds(
                key, client_id=config.client_id, timestamp=given["X-TIMESTAMP"], signature=given["X-SIGNATURE"]
            )
        ):
            raise Refused("40100", "Invalid Signature")
        return Admitted(route, now, "", headers, body)

    def _check_formats(self, headers: Mapping[str, str], timestamp: str) -> datetime:
        """Return now if the formats are right and the time stamp is inside the window."""
        if _JSON_TYPE.fullmatch(headers["content-type"]) is None:
            raise Refused("40001", "Content-Type")
        if _TIMESTAMP.fullmatch(timestamp) is None:
            raise Refused("40001", "X-TIMESTAMP")
        try:
            sent_at = datetime.fromisoformat(timestamp)
        except ValueError:
            raise Refused("40001", "X-TIMESTAMP") from None
        for name, pattern in _HEADER_FORMATS:
            value = headers.get(name.lower())
            if value is not None and pattern.fullmatch(value) is None:
                raise Refused("40001", name)
        now = self._world.now()
        if abs((now - sent_at).total_seconds()) > self._world.config.timestamp_window:
            raise Refused("40100", "Timestamp outside the window")
        return now

    def _check_signature(self, target: str, token: str, hashed: str, timestamp: str, given: str) -> None:
        expected = transaction_signature(
            self._world.config.secret_key.encode(),
            method="POST",
            path=target,
            token=token,
            hashed_body=hashed,
            timestamp=timestamp,
        )
        if not equal(expected, given):
            raise Refused("40100", "Invalid Signature")

    def _check_external_id(self, external_id: str, fingerprint: str, now: datetime) -> SeenRequest | None:
        world = self._world
        pattern = _STRICT_EXTERNAL_ID if world.config.strict_lengths else _EXTERNAL_ID
        if pattern.fullmatch(external_id) is None:
            raise Refused("40001", "X-EXTERNAL-ID")
        if world.variant.duplicate_refused_by not in ("external_id", "both"):
            return None
        key = (now.astimezone(WIB).toordinal(), external_id)
        first = world.seen.get(key)
        if first is None:
            seen = world.seen[key] = SeenRequest(fingerprint)
            return seen
        if first.fingerprint == fingerprint and first.response is not None:
            raise Repeated(first.response)
        raise Refused("40900")

    def _customer(self, request: Admitted, values: dict[str, str]) -> Binding | None:
        world, operation = self._world, request.route.operation
        header = request.headers.get("authorization-customer")
        token = None if header is None else header.removeprefix("Bearer ").strip()
        if token is None and request.route.legacy:
            token = values.get("bankCardToken") or values.get("additionalInfo.bankCardToken")
        needed = operation in _CUSTOMER_OPERATIONS
        if operation is Operation.REFUND and not world.config.refund_needs_customer_token:
            return None
        if not token:
            if needed:
                raise Refused("40104")
            return None
        if not needed and operation is not Operation.OTP:
            return None
        return customer_of(world, token, request.at)


def customer_of(world: World, token: str, now: datetime) -> Binding:
    """Return the binding of a living customer token; Refused with 401xx02 otherwise."""
    known = world.access_tokens.get(token)
    if known is None or known.expires_at <= now or not known.binding.linked:
        raise Refused("40102")
    return known.binding


def _mandatory(headers: Mapping[str, str], *names: str) -> dict[str, str]:
    given: dict[str, str] = {}
    for name in names:
        value = headers.get(name.lower())
        if not value:
            raise Refused("40002", name)
        given[name] = value
    return given


def _bearer(header: str | None) -> str | None:
    if header is None or header[:7].lower() != "bearer " or not header[7:].strip():
        return None
    return header[7:].strip()


def _parse(body: bytes) -> Json:
    if len(body) > _LARGEST_BODY:
        raise Refused("40000")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused("40000") from None
    if not isinstance(document, dict):
        raise Refused("40000")
    return document


def _reserialised_hash(body: bytes) -> str:
    """Return the hash of the body after parsing and writing it again, as a server that re-serialises would."""
    try:
        text = json.dumps(json.loads(body), separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()
    except (ValueError, RecursionError):
        return body_hash(body)
