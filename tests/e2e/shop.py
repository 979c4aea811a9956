"""A merchant with customers on a deployed stack, DOKU's hand for notifications of one's own making, and waiting."""

import contextlib
import json
import os
import secrets
import select
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.patience import PATIENCE_SECONDS
from tools.doku_simulator.signing import body_hash, load_private_key, token_signature, transaction_signature
from tools.local_cloud.caller import Answer, ApiCaller
from tools.local_cloud.executions import poll_until
from tools.local_cloud.journey import ledger
from tools.local_cloud.stack import LocalStack
from tools.ops.queues import read_depth

OTP = "123456"
PAYS_WITH_OTP = "10000.00"
DEBITED_SOON = "10202.00"  # 2025400, debited two seconds later
ANSWER_LOST = "10504.00"  # debited at once, answered 5045400


@dataclass(frozen=True, slots=True)
class Shop:
    """The merchant's own system."""

    stack: LocalStack

    def call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Answer:
        """Call the API once; each call has its own connection, so that threads may share the shop."""
        return self.stack.signed().call(method, path, body)

    def insist(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Answer:
        """Call the API as a good client does: no answer means asking again, which is safe here."""
        return insist(f"{method} {path}", partial(self.call, method, path, body))

    # --- customers ---------------------------------------------------------------------------------------------------

    def start_link(self, customer: str, phone: str) -> Answer:
        """Ask to link an account."""
        return self.insist(
            "POST",
            "/bindings",
            {
                "customerId": customer,
                "phone": phone,
                "successUrl": "https://merchant.example/linked",
                "failedUrl": "https://merchant.example/not-linked",
            },
        )

    def link(self) -> str:
        """Link a new customer's account to the end; returns the binding's id."""
        linked = self.start_link("CUST-" + secrets.token_hex(6).upper(), new_phone())
        assert linked.status == 201, linked.body
        self.finish(linked.body["redirectUrl"])
        binding: str = linked.body["bindingId"]
        wait_for("the link", lambda: self.insist("GET", f"/bindings/{binding}").body.get("state") == "ACTIVE")
        return binding

    def finish(self, page: str) -> None:
        """Walk through the bank's pages, and let the browser come back, with a link or without."""
        code = urlsplit(page).path.rsplit("/", 1)[1]
        url = self.stack.simulator.control(f"bindings/{code}/complete", {})["redirectUrl"]
        back = url.removeprefix(self.stack.api_url)
        returned = insist("the return", lambda: self.stack.unsigned().call("GET", back))
        assert returned.status == 302, returned.body

    # --- payments ----------------------------------------------------------------------------------------------------

    def pay(self, binding: str, ref: str, amount: str = PAYS_WITH_OTP) -> Answer:
        """Make a payment, or learn what became of it."""
        return self.insist("POST", "/payments", payment_body(binding, ref, amount))

    def verify(self, ref: str) -> None:
        """Give the right code, until it was taken."""

        def given() -> bool:
            with contextlib.suppress(requests.RequestException):
                self.call("POST", f"/payments/{ref}/otp", {"otp": OTP})
            return bool(self.payment(ref)["state"] != "OTP_PENDING")

        wait_for("the code to be taken", given)

    def payment(self, ref: str) -> Any:  # noqa: ANN401 - JSON
        """A payment as the API shows it."""
        answer = self.insist("GET", f"/payments/{ref}")
        assert answer.status == 200, answer.body
        return answer.body

    def wait_for_state(self, ref: str, *states: str, patience: float = PATIENCE_SECONDS) -> Any:  # noqa: ANN401 - JSON
        """Wait until a payment is in one of these states, and return it."""
        wait_for(f"{ref} to be {' or '.join(states)}", lambda: self.payment(ref)["state"] in states, patience)
        return self.payment(ref)

    def paid(self, binding: str, ref: str) -> None:
        """Make a payment and bring it to PAID."""
        assert self.pay(binding, ref, DEBITED_SOON).status in (200, 201, 202)
        self.wait_for_state(ref, "PAID")

    # --- the truth ---------------------------------------------------------------------------------------------------

    def entries(self, ref: str) -> list[str]:
        """What the bank really did with a reference: `debit` and `refund`, in order."""
        return [str(entry["kind"]) for entry in ledger(self.stack) if entry["reference"] == ref]

    # --- the platform ------------------------------------------------------------------------------------------------

    def dial(self, operation: str, fault: str, **options: object) -> None:
        """Let the next call of an operation suffer."""
        self.stack.simulator.control("dials", {"operation": operation, "fault": fault, **options})

    def lose_notifications(self, count: int) -> None:
        """Let the next notifications about payments never be sent."""
        self.stack.simulator.control("notifications/drop", {"count": count, "kind": "payment"})

    def requests(self, operation: str) -> list[dict[str, Any]]:
        """What reached DOKU."""
        found: list[dict[str, Any]] = self.stack.simulator.control(f"requests?operation={operation}")["requests"]
        return found

    def sweep(self) -> dict[str, Any]:
        """What the schedule does each minute, now."""
        answer = self.stack.cloud.functions().invoke(
            FunctionName=self.stack.function_name("resolve_pending"), Payload=b"{}"
        )
        swept: dict[str, Any] = json.loads(answer["Payload"].read())
        assert "visited" in swept, swept
        return swept

    def depth(self, queue: str) -> int:
        """How many messages a queue holds, by its name in the template."""
        return read_depth(self.stack.cloud.sqs(), self.stack.queue_url(queue)).all

    @contextlib.contextmanager
    def redelivering(self, queue: str, *, after_seconds: int) -> Iterator[None]:
        """Let what a queue hands out, and what is not deleted, be handed out again so soon, for a while."""
        sqs, url = self.stack.cloud.sqs(), self.stack.queue_url(queue)
        usual = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(after_seconds)})
        try:
            yield
        finally:
            sqs.set_queue_attributes(QueueUrl=url, Attributes=usual)

    def warm_up(self, method: str, path: str, count: int) -> None:
        """Start as many processes of a function as are needed for so many requests at once, by ones that do nothing.

        Step by step: dozens of cold starts on two cores take longer than the gateway waits.
        """

        def asked(width: int) -> bool:
            try:
                return all(
                    answer.status < 500 for answer in all_at_once([partial(self.call, method, path, {})] * width)
                )
            except requests.RequestException:
                return False

        width = 4
        while width < count:
            width = min(width * 2, count)
            wait_for(f"{width} answers at once", partial(asked, width))

    def kill_workers(self, operation: str) -> int:
        """Kill the running processes of one function of this stack, as a crash of their machine would.

        They have ended when it returns: one that is still ending would be given the next call, which dies with it.
        """
        found = self.workers(operation)
        for process in found:
            with contextlib.suppress(ProcessLookupError):
                _end(process)
        return len(found)

    def workers(self, operation: str) -> frozenset[int]:
        """The ids of the processes that run one function of this stack, busy or idle."""
        name = f"AWS_LAMBDA_FUNCTION_NAME={self.stack.name}-{operation.replace('_', '-')}"
        found = set()
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                variables = (entry / "environ").read_text(errors="replace").split("\0")
            except OSError:
                continue  # another user's, or gone
            if name in variables and any(str(self.stack.folder) in value for value in variables):
                found.add(int(entry.name))
        return frozenset(found)


def _end(process: int) -> None:
    watched = os.pidfd_open(process)
    try:
        signal.pidfd_send_signal(watched, signal.SIGKILL)
        if not select.select([watched], [], [], 60)[0]:  # readable once the process has ended
            raise TimeoutError(f"process {process} does not end")
    finally:
        os.close(watched)


@dataclass(frozen=True, slots=True)
class Doku:
    """DOKU's sender: signs notifications with the keys that the merchant knows."""

    stack: LocalStack

    def token(self) -> str:
        """Ask the merchant for a token."""
        timestamp = stamp(datetime.now(UTC))
        key = load_private_key(self.stack.credentials.doku_private_key)
        client = self.stack.credentials.client_id
        headers = {
            "X-CLIENT-KEY": client,
            "X-TIMESTAMP": timestamp,
            "X-SIGNATURE": token_signature(key, client_id=client, timestamp=timestamp),
        }
        path, body = "/doku/authorization/v1/access-token/b2b", b'{"grantType":"client_credentials"}'
        answer = insist("a token", lambda: self._api().call("POST", path, body, headers))
        assert answer.status == 200, answer.body
        token: str = answer.body["accessToken"]
        return token

    def notify(
        self,
        token: str,
        ref: str,
        *,
        customer: str,
        amount: str,
        status: str = "00",
        age: timedelta = timedelta(0),
        secret: str | None = None,
    ) -> Answer:
        """Send a payment notification, signed with DOKU's secret or with another one."""
        body = json.dumps(
            {
                "originalPartnerReferenceNo": ref,
                "originalReferenceNo": "DOKU-" + ref,
                "originalExternalId": "1",
                "latestTransactionStatus": status,
                "transactionStatusDesc": "Success",
                "amount": {"value": amount, "currency": "IDR"},
                "additionalInfo": {
                    "channelId": "DIRECT_DEBIT_CIMB_SNAP",
                    "acquirerId": "CIMB",
                    "custIdMerchant": customer,
                    "accountType": "DIRECT_DEBIT",
                    "lineItems": [],
                },
            },
            separators=(",", ":"),
        ).encode()
        path = "/doku/v1.0/debit/notify"
        timestamp = stamp(datetime.now(UTC) - age)
        signature = transaction_signature(
            (secret or self.stack.credentials.secret_key).encode(),
            method="POST",
            path=urlsplit(self.stack.api_url).path + path,
            token=token,
            hashed_body=body_hash(body),
            timestamp=timestamp,
        )
        headers = {
            "Authorization": f"Bearer {token}",
            "X-TIMESTAMP": timestamp,
            "X-SIGNATURE": signature,
            "X-PARTNER-ID": self.stack.credentials.client_id,
            "X-EXTERNAL-ID": str(secrets.randbelow(10**20)),
        }
        return insist("the notification", lambda: self._api().call("POST", path, body, headers))

    def _api(self) -> ApiCaller:
        return self.stack.unsigned()


def payment_body(binding: str, ref: str, amount: str) -> dict[str, object]:
    """A request to pay."""
    return {
        "bindingId": binding,
        "partnerReferenceNo": ref,
        "amount": {"value": amount, "currency": "IDR"},
        "remarks": "Money under failure",
    }


def new_ref() -> str:
    """A fresh payment reference."""
    return "F" + secrets.token_hex(6).upper()


def new_phone() -> str:
    """A fresh phone number that the simulated bank does not refuse."""
    return f"62812{secrets.randbelow(10**6):06d}77"


def stamp(moment: datetime) -> str:
    """A time as DOKU writes it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def wait_for(what: str, done: Callable[[], object], patience: float = PATIENCE_SECONDS) -> None:
    """Ask until it is so; fails after `patience` seconds."""
    poll_until(what, done, patience)


def insist(what: str, call: Callable[[], Answer]) -> Answer:
    """Call until there is an answer, other than "surely not done, repeat" and the gateway's own "took too long"."""
    answers: list[Answer] = []

    def answered() -> bool:
        with contextlib.suppress(requests.RequestException):
            answers.append(call())
        return bool(answers) and answers[-1].status < HTTPStatus.INTERNAL_SERVER_ERROR

    wait_for(f"an answer to {what}", answered)
    return answers[-1]


def all_at_once[T](work: Sequence[Callable[[], T]]) -> list[T]:
    """Do all of it at the same time."""
    with ThreadPoolExecutor(len(work)) as pool:
        return [future.result() for future in [pool.submit(step) for step in work]]
