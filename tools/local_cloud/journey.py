"""One customer's whole life, over HTTP only: link, balance, pay, OTP, notification, refund, unlink."""

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from tools.local_cloud.bank_pages import walk
from tools.local_cloud.caller import Answer, ApiCaller
from tools.local_cloud.failure import LocalCloudError
from tools.local_cloud.simulator import Simulator

AMOUNT = {"value": "10000.00", "currency": "IDR"}
OTP = "123456"
# What the simulated bank takes on its pages (contract section 8).
_PAGE_ANSWERS = {"otp": OTP, "pin": "123456"}
_PATIENCE_SECONDS = 600.0
_POLL_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Step:
    """What one step showed. `doku_code` is DOKU's response code where the answer names one."""

    name: str
    status: int
    state: str
    milliseconds: float
    doku_code: str
    failure: str | None = None


class Reachable(Protocol):
    """A stack that a merchant, a customer's browser and the simulated DOKU can reach."""

    @property
    def api_url(self) -> str:
        """Where the API is, without a slash at the end."""
        ...

    @property
    def simulator(self) -> Simulator:
        """The simulated DOKU."""
        ...

    def signed(self) -> ApiCaller:
        """The API as the merchant's system calls it."""
        ...

    def unsigned(self) -> ApiCaller:
        """The API as a stranger calls it."""
        ...


class Journey:
    """Walks the steps; each is reported as soon as it is done, and a failed one is the last."""

    def __init__(self, stack: Reachable, report: Callable[[Step], None]) -> None:
        self._stack = stack
        self._api = stack.signed()
        self._report = report
        self.customer = "CUST-" + secrets.token_hex(4).upper()
        # 62 8xx, never ending in 0015 or 0018 (the simulator's refusals).
        self.phone = f"62811{secrets.randbelow(10**5):05d}77"
        self.reference = "J" + secrets.token_hex(5).upper()
        self.refund_reference = "R" + secrets.token_hex(5).upper()

    def walk(self) -> list[Step]:
        """Walk to the end or to the first failure; the last step of the list tells which."""
        steps = []
        for step in self._steps():
            steps.append(step)
            self._report(step)
            if step.failure is not None:
                break
        return steps

    def _steps(self) -> Iterator[Step]:
        pages = f"{self._stack.api_url}/bindings/return/"
        linked = self._api.call(
            "POST",
            "/bindings",
            {
                "customerId": self.customer,
                "phone": self.phone,
                "customerName": "Journey Customer",
                "successUrl": "https://merchant.example/linked",
                "failedUrl": "https://merchant.example/not-linked",
                "metadata": {"journey": "local"},
            },
        )
        yield _checked("link account", linked, (201,), "PENDING")
        binding = linked.body["bindingId"]

        yield self._finish_pages(linked.body["redirectUrl"], pages)
        yield self._wait("binding active", f"/bindings/{binding}", "ACTIVE")
        balance = self._api.call("GET", f"/bindings/{binding}/balance")
        yield _checked("balance", balance, (200,), None)

        payment = {
            "bindingId": binding,
            "partnerReferenceNo": self.reference,
            "amount": AMOUNT,
            "remarks": "Local journey",
            "successUrl": "https://merchant.example/paid",
            "failedUrl": "https://merchant.example/not-paid",
        }
        paid = self._api.call("POST", "/payments", payment)
        yield _checked("pay", paid, (201,), "OTP_PENDING")
        verified = self._api.call("POST", f"/payments/{self.reference}/otp", {"otp": OTP})
        yield _checked("verify OTP", verified, (200, 202), None)
        yield self._wait("notification", f"/payments/{self.reference}", "PAID")

        refund = {"partnerRefundNo": self.refund_reference, "reason": "Local journey"}
        refunded = self._api.call("POST", f"/payments/{self.reference}/refund", refund)
        yield _checked("refund", refunded, (202,), None)
        yield self._wait("refund done", f"/payments/{self.reference}/refund", "REFUNDED")

        unlinked = self._api.call("DELETE", f"/bindings/{binding}")
        yield _checked("unlink", unlinked, (202,), "UNBIND_OTP_PENDING")
        confirmed = self._api.call("POST", f"/bindings/{binding}/otp", {"otp": OTP})
        yield _checked("unlink OTP", confirmed, (200,), "UNBOUND")
        yield self._ledger()

    def _finish_pages(self, redirect_url: str, pages: str) -> Step:
        """The customer's browser: the bank's pages, then our return address, then the merchant's page."""
        started = time.monotonic()
        try:
            address = walk(redirect_url, _PAGE_ANSWERS | {"phone": self.phone}, pages)
        except LocalCloudError as error:
            return Step("bank's pages", 0, "", _since(started), "", str(error))
        answer = self._stack.unsigned().call("GET", address.removeprefix(self._stack.api_url))
        goal = answer.headers.get("location", "")
        fine = answer.status == 302 and goal.startswith("https://merchant.example/linked")  # noqa: PLR2004 - HTTP
        failure = None if fine else f"expected 302 to the success page, got {answer.status} {goal} {answer.body}"
        return Step("bank's pages", answer.status, "", _since(started), "", failure)

    def _wait(self, name: str, path: str, state: str) -> Step:
        """Read a resource until it is in a state; the milliseconds are those of the whole wait."""
        started = time.monotonic()
        answer = self._api.call("GET", path)
        while answer.status == 200 and answer.body.get("state") != state:  # noqa: PLR2004 - HTTP
            if time.monotonic() - started > _PATIENCE_SECONDS:
                break
            time.sleep(_POLL_SECONDS)
            answer = self._api.call("GET", path)
        step = _checked(name, answer, (200,), state)
        return Step(name, step.status, step.state, _since(started), step.doku_code, step.failure)

    def _ledger(self) -> Step:
        """The bank's own book is the judge: one debit, one refund, this payment, this amount."""
        started = time.monotonic()
        entries = [entry for entry in ledger(self._stack) if entry["reference"] == self.reference]
        kinds = sorted(str(entry["kind"]) for entry in entries)
        failure = None if kinds == ["debit", "refund"] else f"the ledger holds {kinds or 'nothing'}"
        return Step("ledger", 200, ", ".join(kinds), _since(started), "", failure)


def ledger(stack: Reachable) -> list[dict[str, object]]:
    """All movements of money that the simulated bank made, oldest first."""
    document = stack.simulator.control("ledger")
    entries: list[dict[str, object]] = document["entries"] if isinstance(document, dict) else document
    return entries


def _checked(name: str, answer: Answer, statuses: tuple[int, ...], state: str | None) -> Step:
    """A step from an answer, failed unless status and state are as expected."""
    body = answer.body if isinstance(answer.body, dict) else {}
    seen = str(body.get("state", ""))
    failure = None
    if answer.status not in statuses or (state is not None and seen != state):
        wanted = "/".join(map(str, statuses)) + (f" {state}" if state else "")
        failure = f"expected {wanted}, got {answer.status} {body}"
    return Step(name, answer.status, seen, answer.milliseconds, str(body.get("responseCode") or ""), failure)


def _since(started: float) -> float:
    return (time.monotonic() - started) * 1000
