"""What the handlers really answer, for the examples of docs/openapi.json: one run of them, the same each time.

`python -m tests.integration.handlers.recordings` writes tools/openapi/recordings.json (`make openapi` does); a test
compares it.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field, replace
from io import StringIO
from pathlib import Path
from typing import Any

from direct_debit.application.errors import NotConfigured
from direct_debit.application.settings import Settings
from direct_debit.entrypoint import container
from direct_debit.entrypoint.route import BodyRule
from tests.fakes.weather import Fault
from tests.fakes.world import World
from tests.integration.handlers.house import House
from tests.integration.handlers.test_no_leaks import Unforeseen
from tests.unit.application.support import Strike
from tools.make_events import BINDING_ID, REFERENCE, make_events, vector_signer
from tools.operations import ROUTES

FILE = Path(__file__).parents[3] / "tools" / "openapi" / "recordings.json"
BASE = "https://pay.example/v1"
OTP = {"otp": "123456"}
WRONG_OTP = {"otp": "000000"}
REF = {"ref": REFERENCE}
REFUND = {"partnerRefundNo": "RFD202603020", "reason": "Customer complain"}
HEADERS = ("Location", "Retry-After", "Idempotency-Replayed")
TOO_LONG = '{"metadata": {"note": "' + "x" * 70_000 + '"}}'
# A token that we issued, as it is shown: no real one goes into a document.
TOKEN = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.c2lnbmF0dXJl"

type Json = dict[str, Any]


@dataclass
class Tape:
    """What was answered: by operation, then by name of the case; the first one of a name is kept."""

    taken: dict[str, dict[str, Json]] = field(default_factory=dict)
    events: dict[str, Json] = field(default_factory=lambda: dict(make_events(vector_signer())))

    @contextmanager
    def house(self) -> Iterator["Visit"]:
        """An empty house to ask."""
        settings = Settings(
            public_base_url=BASE,
            default_success_url="https://merchant.example/linked",
            default_failed_url="https://merchant.example/not-linked",
        )
        with House(World(settings=settings)).open() as house:
            yield Visit(house, self)

    def keep(self, operation: str, case: str, summary: str, answer: Json, names: Mapping[str, str]) -> None:
        """Keep an answer, with the names of the examples for what has another one in the run."""
        text = json.dumps(answer)
        for name, shown in names.items():
            text = text.replace(name, shown)
        shown_answer = json.loads(text)
        body = shown_answer["body"]
        is_page = shown_answer["headers"].get("Content-Type", "").startswith("text/html")
        entry: Json = {"status": shown_answer["statusCode"], "summary": summary}
        headers = {name: value for name, value in shown_answer["headers"].items() if name in HEADERS}
        if headers:
            entry["headers"] = headers
        if body and not is_page:
            entry["body"] = json.loads(body)
            if "accessToken" in entry["body"]:
                entry["body"]["accessToken"] = TOKEN
        self.taken.setdefault(operation, {}).setdefault(case, entry)


@dataclass
class Visit:
    """A house, and the tape that runs along."""

    house: House
    tape: Tape
    names: dict[str, str] = field(default_factory=dict)

    def ask(
        self,
        operation: str,
        case: str | None = None,
        summary: str = "",
        *,
        body: object = ...,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        raw: str | None = None,
    ) -> Json:
        """Send an operation's example request, changed; without a case, nothing is kept. Returns the body."""
        event = dict(self.tape.events[operation])
        changed = {name: real for real, name in self.names.items()}
        event["pathParameters"] = {
            name: changed.get(value, value) for name, value in (event["pathParameters"] or {}).items()
        } | dict(path or {})
        if query is not None:
            event["queryStringParameters"] = dict(query)
            event["multiValueQueryStringParameters"] = None
        if headers is not None:
            event["headers"] = {**event["headers"], **headers}
            event["multiValueHeaders"] = None
        if raw is not None:
            event["body"] = raw
        elif body is not ...:
            event["body"] = json.dumps(body)
        elif isinstance(event["body"], str):
            for name, real in changed.items():
                event["body"] = event["body"].replace(name, real)
        with redirect_stdout(StringIO()):  # metrics
            answer = self.house.invoke(operation, event)
        parsed: Json = json.loads(answer["body"]) if answer["body"].startswith("{") else {}
        if operation == "bind_account" and "bindingId" in parsed:
            self.names = {parsed["bindingId"]: BINDING_ID}
        if case is not None:
            self.tape.keep(operation, case, summary, answer, self.names)
        return parsed

    def example(self, operation: str, **changes: object) -> Json:
        """Return the body of an operation's example request, changed; None removes a field."""
        body = {**json.loads(self.tape.events[operation]["body"]), **changes}
        if "bindingId" in body and self.names:
            body["bindingId"] = next(iter(self.names))
        return {name: value for name, value in body.items() if value is not None}

    def start(self, case: str | None = None, summary: str = "") -> str:
        """Start a link; returns the part of the bank's page that names it."""
        linked = self.ask("bind_account", case, summary)
        return str(linked["redirectUrl"]).rsplit("/", 1)[1]

    def link(self) -> None:
        """Link an account to the end."""
        assert self.house.world.simulator.customer.complete(self.start()).linked
        self.house.world.pump()
        self.house.world.run_for(60)

    def pay(self) -> None:
        """Make the example's payment and let it be paid."""
        self.ask("make_payment")
        self.ask("verify_payment_otp")
        self.house.world.run_for(180)

    def amount(self, value: str) -> Json:
        """Return the example's payment with an amount that the simulated bank knows."""
        return self.example("make_payment", amount={"value": value, "currency": "IDR"})

    def doku_says(self, operation: str, code: str) -> None:
        """Let DOKU answer an operation (the last part of its path) with a response code."""

        def bend(path: str, answer: Json) -> Json:
            return {**answer, "responseCode": code, "responseMessage": "Refused"} if path == operation else answer

        self.house.world.bend = bend

    def weather(self, name: str, fault: Fault, count: int = 1) -> None:
        """Let a side effect fail, or its answer be lost."""
        self.house.world.weather = Strike(name, fault, count=count)


def record() -> dict[str, dict[str, Json]]:
    """Run it and return what was answered: operation, case, then status, summary, headers, body."""
    tape = Tape()
    for scene in (_link, _fail_to_link, _pay, _decline, _lose, _refund, _unlink, _list, _ask_doku, _outages, _doku):
        scene(tape)
    _mistakes(tape)
    return {name: tape.taken[name] for name in sorted(tape.taken)}


def _link(tape: Tape) -> None:
    with tape.house() as visit:
        code = visit.start("pending", "Send the customer's browser to `redirectUrl`")
        page = visit.house.world.simulator.customer.complete(code)
        assert page.redirect_url is not None
        state, outcome = page.redirect_url.rsplit("/", 2)[1:]
        visit.ask("return_from_binding", "linked", "Linked", path={"state": state, "outcome": outcome})
        visit.house.world.pump()
        visit.house.world.run_for(60)
        visit.ask("get_binding", "active", "Linked")
        visit.ask("bind_account", "repeat", "The same request again, after the account was linked")
        visit.ask("list_bindings", "bindings", "One link")
        visit.ask("get_balance", "balance", "The balances")
        taken = {**visit.example("bind_account"), "customerId": "CUST-1002"}
        visit.ask("bind_account", "conflict", "The account is another customer's", body=taken)


def _fail_to_link(tape: Tape) -> None:
    with tape.house() as visit:
        body = visit.example("bind_account", phone="62857957860018")
        visit.ask("bind_account", "refused", "The bank refused: the link exists, and failed", body=body)
        visit.ask("get_binding", "failed", "Refused by the bank")
    with tape.house() as visit:
        visit.weather("doku.registration-account-binding", Fault.LOSE)
        visit.ask("bind_account", "unknown", "DOKU's answer was lost: the same request goes on")


def _pay(tape: Tape) -> None:
    with tape.house() as visit:
        visit.link()
        visit.ask("make_payment", "otp_pending", "The bank sent the customer a code")
        visit.ask("get_payment", "otp_pending", "Waits for the customer's code", query={})
        other = visit.example("make_payment", remarks="Order 4712")
        visit.ask("make_payment", "conflict", "The same reference with another body", body=other)
        visit.ask("unbind_account", "conflict", "A payment is not settled")
        visit.ask("verify_payment_otp", "otp-wrong", "A wrong code", body=WRONG_OTP)
        visit.ask("verify_payment_otp", "processing", "The code was taken")
        visit.ask("refund_payment", "conflict", "Not paid yet")
        visit.house.world.run_for(180)
        visit.ask("get_payment", "paid", "Paid", query={"refresh": "true"})
        visit.ask("make_payment", "repeat", "The same request again, after it was paid")
        visit.ask("list_payments", "payments", "One payment")
    for case, code in (("otp-blocked", "4030411"), ("otp-expired", "4030412"), ("rejected", "4030401")):
        with tape.house() as visit:
            visit.link()
            visit.ask("make_payment")
            visit.doku_says("otp-verification", code)
            visit.ask("verify_payment_otp", case)


def _decline(tape: Tape) -> None:
    with tape.house() as visit:
        visit.link()
        body = visit.amount("10014.00")
        visit.ask("make_payment", "declined", "Declined: the payment exists, and failed", body=body)
        visit.ask("get_payment", "failed", "Declined by the bank", query={})
        visit.ask("verify_payment_otp", "conflict", "No code is awaited")


def _lose(tape: Tape) -> None:
    with tape.house() as visit:
        visit.link()
        body = visit.amount("10504.00")
        visit.ask("make_payment", "unknown", "DOKU's answer was lost: it is found out without you", body=body)
        visit.ask("get_payment", "unknown", "DOKU's answer was lost", query={})
    with tape.house() as visit:
        visit.link()
        visit.ask("make_payment")
        visit.weather("doku.otp-verification", Fault.LOSE)
        visit.ask("verify_payment_otp", "unknown", "DOKU's answer was lost: it is found out without you")


def _refund(tape: Tape) -> None:
    with tape.house() as visit:
        visit.link()
        visit.pay()
        visit.ask("get_refund", "not-found", "No refund was asked for")
        visit.ask("refund_payment", "accepted", "Accepted: a worker sends it")
        visit.ask("refund_payment", "conflict", "Another number", body={"partnerRefundNo": "RFD202603021"})
        visit.house.world.run_for(120)
        visit.ask("refund_payment", "repeat", "The same request again, after it was done")
        visit.ask("get_refund", "refunded", "Refunded")


def _unlink(tape: Tape) -> None:
    with tape.house() as visit:
        visit.link()
        visit.ask("confirm_unbinding", "conflict", "No unlinking is under way")
        visit.ask("unbind_account", "otp_pending", "The bank sent the customer a code")
        visit.ask("confirm_unbinding", "otp-wrong", "A wrong code", body=WRONG_OTP)
        visit.ask("confirm_unbinding", "unbound", "Unlinked")
        visit.ask("unbind_account", "unbound", "Unlinked before")
        visit.ask("get_balance", "conflict", "Not linked any more")
    with tape.house() as visit:
        visit.link()
        visit.ask("unbind_account")
        visit.weather("doku.otp-verification", Fault.LOSE)
        visit.ask("confirm_unbinding", "unknown", "DOKU's answer was lost: it is found out without you")
    for case, code in (
        ("otp-blocked", "4030411"),
        ("otp-expired", "4030412"),
        ("rejected", "4030401"),
    ):
        with tape.house() as visit:
            visit.link()
            visit.ask("unbind_account")
            visit.doku_says("otp-verification", code)
            visit.ask("confirm_unbinding", case)
    with tape.house() as visit:
        visit.link()
        visit.doku_says("registration-account-unbinding", "4030901")
        visit.ask("unbind_account", "rejected", "Refused for good")
    with tape.house() as visit:
        visit.link()
        visit.weather("doku.registration-account-unbinding", Fault.LOSE)
        visit.ask("unbind_account", "unknown", "DOKU's answer was lost: it is found out without you")
    with tape.house() as visit:
        visit.start()
        visit.ask("get_binding", "pending", "Waits for the customer at the bank")
        visit.ask("unbind_account", "given_up", "The bank had not confirmed the link: it was given up")


def _list(tape: Tape) -> None:
    with tape.house() as visit:
        nobody = {"customerId": "NOBODY"}
        visit.ask("list_bindings", "none", "An unknown customer has none", query=nobody)
        visit.ask("list_payments", "none", "An unknown customer has none", query=nobody)
        for name in ("list_bindings", "list_payments"):
            visit.ask(name, "invalid-field", "Nothing says which ones", query={"limit": "10"})
        visit.start()
        visit.ask(
            "list_bindings", "unresolved", "Unresolved: the customer is at the bank", query={"unresolved": "true"}
        )
    with tape.house() as visit:
        visit.link()
        visit.ask("make_payment")
        visit.house.world.run_for(60)
        lost = visit.example("make_payment", partnerReferenceNo="INV202603021")
        visit.weather("doku.payment-host-to-host", Fault.LOSE)
        visit.ask("make_payment", body=lost)
        visit.ask(
            "list_payments",
            "page",
            "The first page of two: send `next` as `after`",
            query={"customerId": "CUST-1001", "limit": "1"},
        )
        visit.ask(
            "list_payments",
            "unresolved",
            "Unresolved: DOKU's answer was lost",
            query={"unresolved": "true", "state": "UNKNOWN"},
        )
        visit.ask("list_payments", "state", "In a state, of all days", query={"state": "OTP_PENDING"})


def _ask_doku(tape: Tape) -> None:
    for case, code in (
        ("customer-action-required", "4031109"),
        ("rejected", "4031101"),
        ("relink-required", "4011102"),
        ("otp-not-awaited", "4041106"),
    ):
        with tape.house() as visit:
            visit.link()
            visit.doku_says("balance-inquiry", code)
            visit.ask("get_balance", case)


def _outages(tape: Tape) -> None:
    with tape.house() as visit:
        visit.link()
        visit.house.world.clock.tick(20_000)  # the B2B token is old
        visit.weather("doku.", Fault.FAIL, count=100)
        for number in range(8):
            body = visit.example("make_payment", partnerReferenceNo=f"INV20260302{number}")
            case = visit.ask("make_payment", body=body)["type"].rsplit("/", 1)[1]
            visit.ask("make_payment", case, body=body)
        visit.ask("get_balance", "not-done")
    with tape.house() as visit:
        visit.link()
        visit.pay()
        visit.house.world.weather = Strike("store.", Fault.FAIL, count=100)
        visit.ask("get_payment", "store-unavailable")
    with tape.house() as visit:
        visit.link()
        visit.ask("make_payment")
        store = visit.house.world.store
        found = store.get_item(
            TableName="Transactions", Key={"pk": {"S": f"PAYMENT#{REFERENCE}"}, "sk": {"S": "PAYMENT"}}
        )
        item: Json = dict(found["Item"])  # type: ignore[call-overload]  # items are plain
        store.put_item(TableName="Transactions", Item={**item, "state": {"S": "NEWER"}})
        visit.ask("get_payment", "record-unreadable")
    with tape.house() as visit:
        ports = replace(visit.house.ports, vault=_NoVault())  # type: ignore[arg-type]  # it fails at any use
        with container.install(replace(visit.house.services, ports=ports)):
            visit.ask("bind_account", "not-configured")
    with tape.house() as visit:
        visit.house.world.weather = Unforeseen("not foreseen")
        visit.ask("bind_account", "internal-error")


class _NoVault:
    """A secret without credentials."""

    def __getattr__(self, name: str) -> object:
        raise NotConfigured("The credentials for DOKU are not set")


def _mistakes(tape: Tape) -> None:
    for route in ROUTES:
        with tape.house() as visit:
            if route.from_path:
                visit.ask(route.name, "not-found", "No such record", query={})
                path = dict.fromkeys(route.from_path, "not!an!id") | ({"outcome": "success"} if route.public else {})
                visit.ask(route.name, "invalid-field", "A field breaks a rule", path=path, query={})
            if route.method == "GET":
                if not route.ignores_query:
                    visit.ask(route.name, "unknown-field", "A misspelt name", query={"colour": "red"})
                continue
            if route.body is BodyRule.NONE:
                visit.ask(route.name, "unknown-field", "A body where none is read", body=OTP)
            else:
                body = visit.example(route.name)
                visit.ask(route.name, "unknown-field", "A misspelt name", body={**body, "colour": "red"})
                if route.name == "make_payment":
                    wrong = {**body, "amount": 10000, "remarks": "Pesanan n\u00ba 4711"}
                    visit.ask(route.name, "invalid-field", "Two fields break a rule", body=wrong)
                    without = visit.example(route.name, partnerReferenceNo=None)
                    visit.ask(route.name, "not-found", "No such link")
                    visit.ask(route.name, "missing-field", "Neither a reference nor a key", body=without)
                elif route.name == "bind_account":
                    wrong = {**body, "phone": "081234567890", "email": "siti"}
                    visit.ask(route.name, "invalid-field", "Two fields break a rule", body=wrong)
                if route.body is BodyRule.REQUIRED:
                    visit.ask(route.name, "missing-field", "Mandatory fields are missing", body={})
            visit.ask(route.name, "malformed-request", "No JSON", raw='{"a": 1,}')
            visit.ask(route.name, "body-too-large", "More than 64 KiB", raw=TOO_LONG)


def _doku(tape: Tape) -> None:
    for name in ("issue_token", "receive_payment_notification", "receive_binding_notification"):
        with tape.house() as visit:
            visit.ask(name, "accepted", "Authentic")
            visit.ask(name, "malformed", "A header is missing", headers={"X-TIMESTAMP": ""})
            visit.ask(name, "refused", "The signature is wrong", headers={"X-SIGNATURE": "AAAA"})
            visit.weather("", Fault.FAIL, count=100)
            if name != "issue_token":
                visit.ask(name, "outage", "Nothing was stored: DOKU comes again")


def main() -> int:
    """Write the file; with `--check`, say whether it would change."""
    text = json.dumps(record(), indent=1, ensure_ascii=False) + "\n"
    if "--check" in sys.argv[1:]:
        return 0 if FILE.read_text("utf-8") == text else 1
    FILE.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
