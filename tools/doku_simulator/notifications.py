"""DOKU's calls to the merchant as data: what is due, the signed requests, the retry schedule (contract 3.5, 3.10)."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, get_args
from urllib.parse import urlsplit

from tools.doku_simulator.bank import wire_amount
from tools.doku_simulator.codes import STATUS_TEXTS
from tools.doku_simulator.operations import CHANNEL, Json
from tools.doku_simulator.records import Binding, Payment, PaymentState
from tools.doku_simulator.signing import body_hash, token_signature, transaction_signature
from tools.doku_simulator.world import World, utc_text

type Forgery = Literal["signature", "token", "amount", "reference", "status", "stale", "unsigned", "old_status"]
type NoticeFault = Literal["fail", "drop", "duplicate", "delay", "forge"]

FORGERIES: tuple[str, ...] = get_args(Forgery.__value__)
NOTICE_FAULTS: tuple[str, ...] = get_args(NoticeFault.__value__)

_STATUS = {PaymentState.PAID: "00", PaymentState.FAILED: "06", PaymentState.REFUNDED: "04"}


class MerchantUnknownError(Exception):
    """No merchant URLs are configured, so no request can be built."""


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request to send to the merchant. `url` is absolute; `path` is what was signed."""

    method: str
    url: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Delivery:
    """One notification with its attempts. `due` is the time of the next attempt; `state` tells whether there is one."""

    id: int
    kind: Literal["payment", "binding"]
    reference: str
    body: Json
    customer_token: str | None = field(repr=False)
    external_id: str
    due: datetime
    attempt: int = 1
    first_attempt_at: datetime | None = None
    first_timestamp: str | None = None
    state: Literal["waiting", "delivered", "given_up", "lost"] = "waiting"
    results: list[int | None] = field(default_factory=list)
    forgery: Forgery | None = None
    dialled: int = 0
    """The attempt for which a dial was already looked up: one dial per attempt, however often it is asked for."""


@dataclass(slots=True)
class NoticeDial:
    """Let `fault` happen to the next `count` notifications of `kind` (None = both) when they fall due.

    fail: not sent, counts as a failed attempt; drop: never sent; duplicate: sent twice; delay: comes `seconds` later,
    so that others overtake it; forge: a forged copy (`forgery`) is sent before it.
    """

    fault: NoticeFault
    count: int = 1
    seconds: float = 0.0
    forgery: Forgery = "signature"
    kind: Literal["payment", "binding"] | None = None

    def __post_init__(self) -> None:
        if self.fault not in NOTICE_FAULTS:
            raise ValueError(f"fault must be one of {', '.join(NOTICE_FAULTS)}")
        if self.forgery not in FORGERIES:
            raise ValueError(f"forgery must be one of {', '.join(FORGERIES)}")
        if self.kind not in (None, "payment", "binding") or self.count < 1 or self.seconds < 0:
            raise ValueError("kind is payment or binding, count at least 1, seconds at least 0")


class Notifications:
    """The deliveries of one simulated DOKU."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.deliveries: list[Delivery] = []
        self.dials: list[NoticeDial] = []
        self._waiting: dict[int, Delivery] = {}

    def memory(self) -> tuple[list[Delivery], dict[int, Delivery]]:
        """Return all deliveries, and those that wait."""
        return self.deliveries, self._waiting

    def recall(self, memory: tuple[list[Delivery], dict[int, Delivery]]) -> None:
        """Take over the deliveries of an earlier DOKU."""
        self.deliveries, self._waiting = memory

    # -- what becomes due ------------------------------------------------------------------------------------------

    def payment_is_final(self, payment: Payment, at: datetime) -> Delivery:
        """Schedule the notification of a payment's present state."""
        status = _STATUS.get(payment.state, "03")
        body: Json = {
            "originalPartnerReferenceNo": payment.reference,
            "originalExternalId": payment.external_ids[0],
            "latestTransactionStatus": status,
            "transactionStatusDesc": STATUS_TEXTS[status],
            "amount": {"value": wire_amount(payment.amount), "currency": payment.currency},
            "additionalInfo": {
                "channelId": CHANNEL,
                "acquirerId": "CIMB",
                "custIdMerchant": payment.binding.customer,
                "accountType": "DIRECT_DEBIT",
                "lineItems": [],
            },
        }
        if status != "06":
            body["originalReferenceNo"] = payment.reference_no
        return self._schedule("payment", payment.reference, body, payment.binding, at)

    def binding_is_final(self, binding: Binding, status: str, at: datetime) -> None:
        """Schedule the notification of a finished or failed binding, unless they are switched off."""
        if not self._world.config.notify_bindings:
            return
        body: Json = {
            "originalExternalId": binding.external_id,
            "additionalInfo": {"status": status, "authCode": binding.code, "custIdMerchant": binding.customer},
        }
        self._schedule("binding", binding.reference_no, body, binding, at)

    def resend(self, reference: str) -> Delivery:
        """Send the newest notification of a reference once more, now, as from DOKU's back office; KeyError if none."""
        return self._copy(self._newest(reference), self._world.now())

    def forge(self, reference: str, forgery: Forgery) -> Delivery:
        """Schedule a forged copy of the newest notification of a reference; it is never retried. KeyError if none."""
        return self._copy(self._newest(reference), self._world.now(), forgery)

    # -- what is due -----------------------------------------------------------------------------------------------

    def due_deliveries(self) -> list[Delivery]:
        """Return what is to be sent now, oldest first; each stays due until `record_result` is called for it."""
        now = self._world.tick()
        if self._world.merchant is None:
            return []
        ready: list[Delivery] = []
        for delivery in sorted((item for item in self._waiting.values() if item.due <= now), key=_due_order):
            ready.extend(self._dialled(delivery, now))
        for delivery in ready:
            delivery.first_attempt_at = delivery.first_attempt_at or now
        return ready

    def next_due_at(self) -> datetime | None:
        """Return when the next delivery is due."""
        return min((delivery.due for delivery in self._waiting.values()), default=None)

    def record_result(self, delivery: Delivery, status: int | None) -> None:
        """Note the merchant's HTTP status (None: no answer); anything but 2xx is tried again on the schedule."""
        world = self._world
        if delivery.state != "waiting":
            return
        delivery.results.append(status)
        if delivery.first_attempt_at is None:
            delivery.first_attempt_at = world.now()
        retries = () if delivery.forgery else world.config.notification_retries
        if status is not None and 200 <= status < 300:  # noqa: PLR2004 - the class of success
            self._end(delivery, "delivered")
        elif delivery.attempt > len(retries):
            self._end(delivery, "given_up")
        else:
            delivery.due = delivery.first_attempt_at + timedelta(seconds=retries[delivery.attempt - 1])
            delivery.attempt += 1

    # -- requests --------------------------------------------------------------------------------------------------

    def build_token_request(self) -> SignedRequest:
        """Return the signed token request of step 1 of contract 3.10."""
        world = self._world
        if world.merchant is None:
            raise MerchantUnknownError
        config, url = world.config, world.merchant.token_url
        client, timestamp = config.doku_client_key or config.client_id, utc_text(world.now())
        signature = "not-signed"
        if config.sign_asymmetric and config.doku_private_key is not None:
            signature = token_signature(config.doku_private_key, client_id=client, timestamp=timestamp)
        headers = {
            "Content-Type": "application/json",
            "X-CLIENT-KEY": client,
            "X-TIMESTAMP": timestamp,
            "X-SIGNATURE": signature,
        }
        return SignedRequest("POST", url, _path(url), headers, b'{"grantType":"client_credentials"}')

    def build_notification(self, delivery: Delivery, token: str) -> SignedRequest:
        """Return the signed notification of step 2; `token` is the merchant's answer to the token request."""
        world = self._world
        merchant, config = world.merchant, world.config
        if merchant is None:
            raise MerchantUnknownError
        url = merchant.notify_url
        if delivery.kind == "binding" and merchant.binding_notify_url:
            url = merchant.binding_notify_url
        timestamp = utc_text(world.now())
        if delivery.first_timestamp is None:
            delivery.first_timestamp = timestamp
        elif not config.notification_resigned:
            timestamp = delivery.first_timestamp
        if delivery.attempt > 1 and config.notification_new_external_id:
            delivery.external_id = self._external_id(world.now())
        path, content = _path(url), delivery.body
        if delivery.forgery:
            content, token, timestamp = _forged(delivery.forgery, content, token, timestamp, world.now())
        body = json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
        secret = "somebody-else" if delivery.forgery == "signature" else config.secret_key
        signature = transaction_signature(
            secret.encode(), method="POST", path=path, token=token, hashed_body=body_hash(body), timestamp=timestamp
        )
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {token}",
            "X-TIMESTAMP": timestamp,
            "X-SIGNATURE": signature,
            "X-PARTNER-ID": config.client_id,
            "X-EXTERNAL-ID": delivery.external_id,
        }
        if delivery.customer_token and config.notification_customer_token:
            headers["Authorization-Customer"] = f"Bearer {delivery.customer_token}"
        if delivery.forgery == "unsigned":
            del headers["X-SIGNATURE"]
        return SignedRequest("POST", url, path, headers, body)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _schedule(
        self, kind: Literal["payment", "binding"], reference: str, body: Json, binding: Binding, at: datetime
    ) -> Delivery:
        world = self._world
        delay = 0.0 if world.variant.notification_before_answer else world.config.notification_delay
        token = binding.customer_token if kind == "payment" else None
        due = at + timedelta(seconds=delay)
        delivery = Delivery(len(self.deliveries) + 1, kind, reference, body, token, self._external_id(at), due)
        return self._add(delivery)

    def _add(self, delivery: Delivery) -> Delivery:
        self.deliveries.append(delivery)
        self._waiting[delivery.id] = delivery
        return delivery

    def _copy(self, delivery: Delivery, due: datetime, forgery: Forgery | None = None) -> Delivery:
        external_id = delivery.external_id
        if self._world.config.notification_new_external_id or forgery:
            external_id = self._external_id(due)
        return self._add(
            Delivery(
                len(self.deliveries) + 1,
                delivery.kind,
                delivery.reference,
                delivery.body,
                delivery.customer_token,
                external_id,
                due,
                forgery=forgery,
            )
        )

    def _dialled(self, delivery: Delivery, now: datetime) -> list[Delivery]:
        if delivery.forgery or delivery.dialled == delivery.attempt:
            return [delivery]
        delivery.dialled = delivery.attempt
        dial = self._take(delivery)
        if dial is None:
            return [delivery]
        actions: dict[str, Callable[[], list[Delivery]]] = {
            "fail": lambda: self._lose(delivery, for_ever=False),
            "drop": lambda: self._lose(delivery, for_ever=True),
            "duplicate": lambda: [delivery, self._twin(delivery, now)],
            "delay": lambda: _postpone(delivery, now, dial.seconds),
            "forge": lambda: [self._copy(delivery, now, dial.forgery), delivery],
        }
        return actions[dial.fault]()

    def _twin(self, delivery: Delivery, now: datetime) -> Delivery:
        twin = self._copy(delivery, now)
        twin.dialled = twin.attempt
        return twin

    def _take(self, delivery: Delivery) -> NoticeDial | None:
        for dial in self.dials:
            if dial.kind in (None, delivery.kind):
                dial.count -= 1
                if dial.count == 0:
                    self.dials.remove(dial)
                return dial
        return None

    def _lose(self, delivery: Delivery, *, for_ever: bool) -> list[Delivery]:
        if for_ever:
            self._end(delivery, "lost")
        else:
            self.record_result(delivery, None)
        return []

    def _end(self, delivery: Delivery, state: Literal["delivered", "given_up", "lost"]) -> None:
        delivery.state = state
        self._waiting.pop(delivery.id, None)

    def _newest(self, reference: str) -> Delivery:
        for delivery in reversed(self.deliveries):
            if delivery.reference == reference and delivery.forgery is None:
                return delivery
        raise KeyError(reference)

    def _external_id(self, at: datetime) -> str:
        return f"{at:%Y%m%d%H%M%S}{self._world.digits(12)}"


def read_token(body: bytes) -> str | None:
    """Return the access token of the merchant's answer to a token request, None if there is none."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    token = document.get("accessToken") if isinstance(document, dict) else None
    return token if isinstance(token, str) and token else None


def _due_order(delivery: Delivery) -> tuple[datetime, int]:
    return delivery.due, delivery.id


def _postpone(delivery: Delivery, now: datetime, seconds: float) -> list[Delivery]:
    delivery.due = now + timedelta(seconds=seconds)
    return []


def _path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path or "/"


def _hour_before(now: datetime) -> str:
    return utc_text(now - timedelta(hours=1))


def _forged(forgery: Forgery, body: Json, token: str, timestamp: str, now: datetime) -> tuple[Json, str, str]:
    """Return body, token and time stamp of a forgery; what is not named here is forged elsewhere or stays as it is."""
    match forgery:
        case "amount" if "amount" in body:
            return {**body, "amount": {"value": "1.00", "currency": "IDR"}}, token, timestamp
        case "reference":
            return {**body, "originalPartnerReferenceNo": "FORGED000001"}, token, timestamp
        case "status" | "old_status":  # the old one: what DOKU may have said an hour ago
            flipped = "06" if body.get("latestTransactionStatus") == "00" else "00"
            said_at = timestamp if forgery == "status" else _hour_before(now)
            return {**body, "latestTransactionStatus": flipped}, token, said_at
        case "token":
            return body, "forged-token", timestamp
        case "stale":
            return body, token, _hour_before(now)
        case _:
            return body, token, timestamp
