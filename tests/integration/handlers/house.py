"""Every handler of the application over one world: real adapters, fake AWS, the simulator's bank."""

import base64
import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

from direct_debit.adapters.doku_inbound import InboundDokuAdapter, InboundKeys
from direct_debit.application.errors import StoreUnavailable
from direct_debit.application.ports.ports import Ports
from direct_debit.application.ports.time_and_chance import Clock
from direct_debit.entrypoint import container
from direct_debit.entrypoint.container import Services
from direct_debit.entrypoint.observability import Observability
from tests.fakes.world import PUBLIC_URL, World
from tests.integration.handlers.conformity import check_conformity
from tools.make_events import ISSUED_TOKEN_KEY

REPOSITORY = Path(__file__).parents[3]
KEYS: dict[str, str] = json.loads((REPOSITORY / "tests/vectors/signature-vectors.json").read_text("utf-8"))["keys"]

_NUMBERS = count()


@dataclass
class Context:
    """What Lambda hands in."""

    aws_request_id: str = "6d1f3c7e-0000-4000-8000-000000000001"
    seconds: float = 28.0

    def get_remaining_time_in_millis(self) -> int:
        """So much time is left; it does not pass."""
        return int(self.seconds * 1000)


@dataclass
class RecordingFailures:
    """The failure queue of the streams."""

    sent: list[Mapping[str, str]] = field(default_factory=list)
    broken: bool = False

    def send(self, failure: Mapping[str, str]) -> None:
        """Remember, or fail."""
        if self.broken:
            raise StoreUnavailable("the queue does not answer")
        self.sent.append(failure)


IN_USE = InboundKeys(
    client_id=KEYS["clientId"],
    client_key=KEYS["clientId"],
    secret_keys=[KEYS["secretKey"]],
    doku_public_keys=[KEYS["dokuPublicKeyPem"]],
    issued_token_keys=[ISSUED_TOKEN_KEY],
    are_in_use=True,
)
REPLACED = replace(
    IN_USE,
    secret_keys=["the-secret-before"],
    doku_public_keys=[KEYS["merchantPublicKeyPem"]],
    issued_token_keys=[b"a" * 32],
    are_in_use=False,
)


def read_keys(previous: bool) -> InboundKeys:
    """Return the keys in use, and those before them where they are asked for too."""
    if not previous:
        return IN_USE
    return replace(
        IN_USE,
        secret_keys=[*IN_USE.secret_keys, *REPLACED.secret_keys],
        doku_public_keys=[*IN_USE.doku_public_keys, *REPLACED.doku_public_keys],
        issued_token_keys=[*IN_USE.issued_token_keys, *REPLACED.issued_token_keys],
        are_in_use=False,
    )


def verify_with(
    keys: Callable[[bool], InboundKeys],
    clock: Clock,
    *,
    public_url: str = PUBLIC_URL,
    doubt_keys: Callable[[], bool] = lambda: False,
) -> InboundDokuAdapter:
    """Return DOKU's door with these keys; it issues its tokens with the vectors' key."""
    return InboundDokuAdapter(
        keys,
        clock,
        issuer=public_url,
        window_seconds=300,
        issuing_key=lambda: ISSUED_TOKEN_KEY,
        doubt_keys=doubt_keys,
    )


@dataclass
class House:
    """The application behind its doors."""

    world: World = field(default_factory=World)
    failures: RecordingFailures = field(default_factory=RecordingFailures)
    log: io.StringIO = field(default_factory=io.StringIO)
    ports: Ports = field(init=False)
    services: Services = field(init=False)

    def __post_init__(self) -> None:
        self.ports = self.world.process()
        inbound = verify_with(read_keys, self.world.clock)
        # Loggers live as long as the process, by name: a name of its own gives each house its own stream.
        observability = Observability(
            service=f"test-{next(_NUMBERS)}", level="DEBUG", namespace="Test", stream=self.log
        )
        self.ports = replace(self.ports, telemetry=observability)
        self.services = Services(self.ports, inbound, self.failures, observability)

    @contextmanager
    def open(self) -> Iterator["House"]:
        """Let the handlers work in this house."""
        with container.install(self.services):
            yield self

    def invoke(self, name: str, event: object, *, seconds: float = 28.0) -> dict[str, Any]:
        """Call a function's handler as Lambda does."""
        handler: Callable[[object, Context], Mapping[str, Any]] = import_module(f"functions.{name}.handler").handler
        result: dict[str, Any] = json.loads(json.dumps(handler(event, Context(seconds=seconds))))
        return result

    def call(
        self,
        name: str,
        body: object = None,
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        repeated_headers: Mapping[str, list[str]] | None = None,
        repeated_query: Mapping[str, list[str]] | None = None,
        raw: str | None = None,
        is_base64: bool = False,
        identity: Mapping[str, object] | None = None,
    ) -> "Response":
        """Call an operation as API Gateway does."""
        event = {
            "httpMethod": "POST",
            "path": "/",
            "headers": {"content-type": "application/json", **(headers or {})},
            "multiValueHeaders": repeated_headers,
            "pathParameters": path,
            "queryStringParameters": query,
            "multiValueQueryStringParameters": repeated_query,
            "requestContext": {"requestId": "request-1", "path": "/v1/", **(identity or {})},
            "body": raw if raw is not None else None if body is None else json.dumps(body),
            "isBase64Encoded": is_base64,
        }
        response = Response(self.invoke(name, event))
        check_conformity(name, response.status, response.headers, response.text)
        return response

    # --- shortcuts ---------------------------------------------------------------------------------------------------

    def link(self, customer: str = "CUST-1", phone: str = "6281100000077") -> str:
        """Link an account to the end; return the binding's id."""
        linked = self.call("bind_account", binding_body(customerId=customer, phone=phone))
        assert linked.status == 201, linked.text
        code = linked.json["redirectUrl"].rsplit("/", 1)[1]
        assert self.world.simulator.customer.complete(code).linked
        binding_id: str = linked.json["bindingId"]
        self.world.pump()
        self.world.run_for(60)
        assert self.call("get_binding", path={"id": binding_id}).json["state"] == "ACTIVE"
        return binding_id

    @property
    def written(self) -> int:
        """How many items the tables hold."""
        return sum(len(self.world.store.stream(table)) for table in ("Bindings", "Transactions"))

    @property
    def sent(self) -> int:
        """How many requests reached DOKU."""
        return len(self.world.simulator.requests)


@dataclass(frozen=True)
class Response:
    """What API Gateway gets."""

    raw: Mapping[str, Any]

    @property
    def status(self) -> int:
        """HTTP status."""
        status: int = self.raw["statusCode"]
        return status

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers."""
        headers: Mapping[str, str] = self.raw["headers"]
        return headers

    @property
    def text(self) -> str:
        """The body."""
        text: str = self.raw["body"]
        return text

    @property
    def json(self) -> dict[str, Any]:
        """The body, parsed."""
        parsed: dict[str, Any] = json.loads(self.text)
        return parsed


def binding_body(**changes: object) -> dict[str, object]:
    """A good request to link; None removes a field."""
    body: dict[str, object] = {
        "customerId": "CUST-1",
        "phone": "6281100000077",
        "successUrl": "https://shop.example/linked",
        "failedUrl": "https://shop.example/not-linked",
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


def payment_body(binding_id: str, **changes: object) -> dict[str, object]:
    """A good request to pay; None removes a field."""
    body: dict[str, object] = {
        "bindingId": binding_id,
        "partnerReferenceNo": "INV000000001",
        "amount": {"value": "10000.00", "currency": "IDR"},
        "remarks": "Order 4711",
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


def encode(text: str) -> str:
    """Base64."""
    return base64.b64encode(text.encode()).decode()
