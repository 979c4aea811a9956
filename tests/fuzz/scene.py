"""The application behind its doors, with a linked customer and some payments, and requests to try on it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field, replace
from io import StringIO
from random import Random
from typing import Any

from tests.fakes.invariants import check_always
from tests.fuzz.mutation import mutate
from tests.fuzz.target import CANARY, require
from tests.integration.handlers.conformity import check_conformity
from tests.integration.handlers.house import House, payment_body
from tools.make_events import AT, BINDING_NOTIFY_PATH, NOTIFY_PATH, TOKEN_PATH, vector_signer

OTP = "731946"
_LONGEST = 8192
_SIGNED = {"receive_payment_notification": NOTIFY_PATH, "receive_binding_notification": BINDING_NOTIFY_PATH}
_PERSONAL = ("customerName", "email", "idCard", "address", "dateOfBirth")
_HIDDEN = frozenset({*_PERSONAL, "phone", "otp", "authCode", "note"})
_OWN_FAULTS = re.compile(r"/problems/(?!not-done|circuit-open)")
_LEAST_FAULT = 500
_PHONE_SHOWS = "a phone is readable"  # as the invariant says it
_EVERY = 20  # requests, after which the workers and the schedule get their turn
_SIGNER = vector_signer()


@dataclass(frozen=True, slots=True)
class Request:
    """What API Gateway hands on, decoded: of `operation`, at a path of `resource`."""

    operation: str
    method: str
    resource: str
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None

    def to_event(self) -> dict[str, object]:
        """Return the proxy event (format 1.0)."""
        address = self.resource
        for name, value in self.path.items():
            address = address.replace(f"{{{name}}}", value)
        headers = {"content-type": "application/json", **self.headers}
        text = None if self.body is None else self.body.decode("utf-8", "replace")
        return {
            "resource": self.resource,
            "path": address,
            "httpMethod": self.method,
            "headers": headers,
            "multiValueHeaders": {name: [value] for name, value in headers.items()},
            "queryStringParameters": dict(self.query) or None,
            "multiValueQueryStringParameters": {name: [value] for name, value in self.query.items()} or None,
            "pathParameters": dict(self.path) or None,
            "requestContext": {"requestId": "request-1", "path": f"/v1{address}"},
            "body": text,
            "isBase64Encoded": False,
        }


@dataclass
class Scene:
    """A house in which something was done before."""

    house: House
    binding: str = ""
    references: tuple[str, ...] = ("INV000000001", "INV000000002", "INV000000003")
    _asked: int = 0
    _heard: int = 0
    _is_phone_told: bool = False  # by the caller, as a customer's id for example: api.md forbids it, nothing refuses it

    @classmethod
    @contextmanager
    def open(cls) -> Iterator[Scene]:
        """Return a scene: one customer, a payment that waits for its code, one that is paid, one that is refunded."""
        with redirect_stdout(StringIO()), House().open() as house:  # metrics go to stdout
            scene = cls(house)
            scene._prepare()
            yield scene

    def _prepare(self) -> None:
        self.house.world.clock.set(AT)
        self.binding = self.house.link()
        for reference in self.references:
            self.house.call("make_payment", payment_body(self.binding, partnerReferenceNo=reference))
        for reference in self.references[1:]:
            self.house.call("verify_payment_otp", {"otp": "123456"}, path={"ref": reference})
        self.house.call("refund_payment", {}, path={"ref": self.references[2]})
        self.house.world.run_for(60)

    def try_request(self, request: Request) -> int:
        """Send a request and return the status. Raises what goes wrong: Broken, or what came out of the handler."""
        self._asked += 1
        self._is_phone_told = self._is_phone_told or _tells_phone(request)
        log = self.house.log
        answer = self.house.invoke(request.operation, request.to_event())
        status, text = int(answer["statusCode"]), str(answer["body"])
        if status >= _LEAST_FAULT:
            kind = str(json.loads(text).get("type", "")) if text.startswith("{") else ""
            require(kind != "" and not _OWN_FAULTS.search(kind), f"no fault of our own: {status} {kind}")
        check_conformity(request.operation, status, answer["headers"], text)
        log.seek(self._heard)
        said = log.read()
        self._heard = log.tell()
        if _is_hidden(request):
            for canary in (CANARY, OTP):
                require(canary not in said, "no log line holds what is secret or personal")
                require(canary not in json.dumps(answer), "no answer holds what is secret or personal")
        if self._asked % _EVERY == 0:
            self.house.world.pump()
            self.house.world.tick()
            self._heard = log.tell()
            told = {_PHONE_SHOWS} if self._is_phone_told else set()
            violations = [one for one in check_always(self.house.world) if one not in told]
            require(violations == [], f"the records agree with the bank's ledger: {violations}")
        return status

    # --- making requests of requests ---------------------------------------------------------------------------------

    def revive(self, request: Request, chance: Random) -> Request:
        """Let most requests speak of what is there, and carry what must stay hidden."""
        path = dict(request.path)
        if "id" in path and chance.random() < 0.7:
            path["id"] = self.binding
        if "ref" in path and chance.random() < 0.7:
            path["ref"] = chance.choice(self.references)
        query = request.query
        if request.operation in ("list_bindings", "list_payments") and chance.random() < 0.7:
            # One way to find, which the document can not say; schemathesis names several.
            kept = {name: value for name, value in query.items() if name in ("limit", "after", "state")}
            ways = [{"customerId": "CUST-1"}, {"day": f"{AT:%Y-%m-%d}"}, {"unresolved": "true"}, {"state": "FAILED"}]
            query = {**(kept if chance.random() < 0.5 else {}), **chance.choice(ways)}
        body = request.body
        members = _read(body)
        if members is not None and chance.random() < 0.8:
            if request.operation == "bind_account":
                members |= {"customerName": f"Siti {CANARY}", "email": f"{CANARY}@secret.example", "address": CANARY}
            elif "otp" in members:
                members["otp"] = OTP
            elif request.operation == "make_payment":
                members["bindingId"] = self.binding
            elif request.operation == "receive_payment_notification":
                members |= {"originalPartnerReferenceNo": chance.choice(self.references), "note": CANARY}
            body = json.dumps(members).encode()
        return replace(request, path=path, query=query, body=body)

    def sign(self, request: Request, chance: Random) -> Request:
        """Sign a call of DOKU, as it would; one of ten stays as it is. API Gateway itself checks all others."""
        if chance.random() < 0.1:
            return request
        signer = replace(_SIGNER, at=self.house.world.clock.now())
        if request.resource == TOKEN_PATH:
            return replace(request, headers={**request.headers, **signer.token_headers()})
        path = _SIGNED.get(request.operation)
        if path is None:
            return request
        body = (request.body or b"").decode("utf-8", "replace").encode()
        return replace(
            request,
            query={},
            headers={**request.headers, **signer.notification_headers(path, body, str(chance.randrange(10**20)))},
        )


def change(request: Request, chance: Random) -> Request:
    """Return the request with something in it changed."""
    body, path, query, headers = request.body, dict(request.path), dict(request.query), dict(request.headers)
    place = chance.random()
    if body is not None and place < 0.7:
        body = mutate(body, chance, _LONGEST)
    elif path and place < 0.8:
        _change_member(path, chance)
    elif query and place < 0.95:
        _change_member(query, chance)
    elif headers:
        _change_member(headers, chance)
    else:
        query[chance.choice(["refresh", "limit", "after", "x", "day", ""])] = chance.choice(
            ["", "1", "true", "\x00", "é"]
        )
    return replace(request, body=body, path=path, query=query, headers=headers)


def _change_member(members: dict[str, str], chance: Random) -> None:
    name = chance.choice(list(members))
    members[name] = mutate(members[name].encode("utf-8", "replace"), chance, 600).decode("utf-8", "replace")


def _read(body: bytes | None) -> dict[str, Any] | None:
    try:
        members = json.loads(body or b"")
    except (ValueError, RecursionError):
        return None
    return members if isinstance(members, dict) else None


def _tells_phone(request: Request) -> bool:
    """Whether the text of the phone stands in another field too."""
    members = _read(request.body) or {}
    phone = members.get("phone")
    others = json.dumps({name: value for name, value in members.items() if name != "phone"})
    return isinstance(phone, str) and phone in others


def _is_hidden(request: Request) -> bool:
    """Whether the canaries stand only where what is hidden stands: what is said openly may be repeated."""
    open_texts = [*request.path.values(), *request.query.values(), *request.query]
    members = _read(request.body)
    if members is None:  # a body that is no object is not repeated at all
        members = {}
    open_texts += [*members, *(json.dumps(value) for name, value in members.items() if name not in _HIDDEN)]
    return not any(canary in text for text in open_texts for canary in (CANARY, OTP))
