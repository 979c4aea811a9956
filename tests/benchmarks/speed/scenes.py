"""What has to have happened before a function is invoked, and with what: one scene for each function.

Everything is done by the shipped use cases in a world (tests/fakes/world.py) whose clock then becomes the system's.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from direct_debit.adapters.eventbridge import SOURCE
from direct_debit.application.calls.obtain_b2b_token import obtain_b2b_token
from tests.benchmarks.speed.clock import LateClock
from tests.benchmarks.speed.crowd import store_payments
from tests.benchmarks.speed.events import Event, api_event, authoriser_event, queue_event, stream_event
from tests.benchmarks.speed.merchant import WEBHOOK_LOG, issuer
from tests.benchmarks.speed.secret import CONTENT, signer
from tests.fakes.invariants import bindings_of
from tests.fakes.journey import AMOUNT, Merchant
from tests.fakes.processes import TRANSACTIONS
from tests.fakes.streams import write_record
from tests.fakes.world import World, vector_keys
from tools.doku_simulator.magic_values import RIGHT_OTP
from tools.doku_simulator.notifications import Delivery
from tools.doku_simulator.operations import Json
from tools.local_cloud.issuer import SCOPES
from tools.make_events import BINDING_NOTIFY_PATH, NOTIFY_PATH, TOKEN_PATH, _dump

DOKU_CALL = "a call to DOKU"  # no function: what a client of DOKU needs for payments

_BEHIND = 30.0  # seconds that a scene may take; DOKU's codes live for 300
_BEHIND_FOR_INQUIRY = 200.0
_PAYMENTS_EACH = 15  # of one customer: fewer than may be open at once
_READERS = 5  # customers whose records are only looked at


@dataclass(frozen=True, slots=True)
class Scene:
    """A world in which the function may be invoked with each of the events, once."""

    world: World
    events: Sequence[Event]


def prepare(function: str, count: int, stored: int = 0) -> Scene:
    """Prepare `count` events for a function of the template, with so many payments of others `stored` before."""
    clock = LateClock(_BEHIND_FOR_INQUIRY if function == "InquireStatus" else _BEHIND)
    world = World(clock=clock)
    if stored:
        store_payments(world, stored)
    events = (_doku_call if function == DOKU_CALL else SCENES[function])(_Town(world), count)
    obtain_b2b_token(world.process(), world.deadline())  # some other function has it already
    clock.catch_up()
    return Scene(world, list(events()))


@dataclass(frozen=True, slots=True)
class _Account:
    merchant: Merchant
    binding_id: str


@dataclass(slots=True)
class _Town:
    """Customers and what they have done so far, many at a time: little time passes."""

    world: World

    def ask(self, count: int) -> list[Merchant]:
        """Let customers ask for a link and finish at the bank."""
        found = [Merchant(self.world, customer=f"CUST-{n}", phone=_phone(n)) for n in range(count)]
        for one in found:
            one.bind()
        return found

    def link(self, count: int) -> list[_Account]:
        """Let customers link an account, to the end."""
        merchants = self.ask(count)
        for one in merchants:
            one.come_back(one.walk_through_pages())
        self.world.clock.tick(2)
        self.world.pump()
        ids = {binding.customer_id: binding.id for binding in bindings_of(self.world)}
        return [_Account(one, ids[one.customer]) for one in merchants]

    def pay(self, count: int) -> list[tuple[Merchant, str]]:
        """Let customers pay as far as the code; the payments' references are new."""
        accounts = self.link(1 + count // _PAYMENTS_EACH)
        paid = [(accounts[n % len(accounts)].merchant, f"INV{n:09d}") for n in range(count)]
        for merchant, ref in paid:
            merchant.pay(ref)
        return paid

    def confirm(self, count: int) -> list[tuple[Merchant, str]]:
        """Let customers pay and enter their codes; the bank has debited, and nobody told us."""
        paid = self.pay(count)
        for merchant, ref in paid:
            merchant.enter_otp(ref=ref)
        self.world.clock.tick(4)
        return paid

    def settle(self, count: int) -> list[tuple[Merchant, str]]:
        """Let customers pay to the end."""
        paid = self.confirm(count)
        self.world.pump()
        return paid

    def deliveries(self, kind: str) -> list[Delivery]:
        """Take the notifications that DOKU would send now."""
        return [one for one in self.world.simulator.due_deliveries() if one.kind == kind]

    def messages(self, queue: str) -> list[Event]:
        """Take what waits in a queue."""
        taken = [message for _, _, message, _ in self.world.queues.waiting if message.queue == queue]
        if queue == "notification":
            return [queue_event({"inboxId": one.subject, "chain": one.chain}) for one in taken]
        return [queue_event({"ref": one.subject, "attempt": one.attempt, "chain": one.chain}) for one in taken]


def _phone(number: int) -> str:
    return f"62812{number:06d}00"  # the simulated bank means something by some last digits, not by these


type _Events = Callable[[], Iterator[Event]]


# --- the merchant's operations ---------------------------------------------------------------------------------------


def _bind_account(_: _Town, count: int) -> _Events:
    bodies: list[Json] = [
        {
            "customerId": f"CUST-{n}",
            "phone": _phone(n),
            "successUrl": "https://shop.example/linked",
            "failedUrl": "https://shop.example/not-linked",
        }
        for n in range(count)
    ]
    return lambda: (api_event("POST", "/bindings", body=_dump(body)) for body in bodies)


def _return_from_binding(town: _Town, count: int) -> _Events:
    urls = [one.walk_through_pages() for one in town.ask(count)]
    paths = [dict(zip(("state", "outcome"), url.rsplit("/", 2)[1:], strict=True)) for url in urls]
    return lambda: (api_event("GET", "/bindings/return/{state}/{outcome}", path) for path in paths)


def _of_a_reader(method: str, resource: str) -> Callable[[_Town, int], _Events]:
    def scene(town: _Town, count: int) -> _Events:
        accounts = town.link(_READERS)
        paths = [
            {"id": one.binding_id, "customerId": one.merchant.customer}
            for one in (accounts[n % _READERS] for n in range(count))
        ]
        return lambda: (api_event(method, resource, path) for path in paths)

    return scene


def _list_bindings(town: _Town, count: int) -> _Events:
    accounts = town.link(_READERS)
    customers = [accounts[n % _READERS].merchant.customer for n in range(count)]
    return lambda: (api_event("GET", "/bindings", query={"customerId": customer}) for customer in customers)


def _unbind_account(town: _Town, count: int) -> _Events:
    accounts = town.link(count)
    return lambda: (api_event("DELETE", "/bindings/{id}", {"id": one.binding_id}) for one in accounts)


def _confirm_unbinding(town: _Town, count: int) -> _Events:
    accounts = town.link(count)
    for one in accounts:
        one.merchant.unbind()
    code = _dump({"otp": RIGHT_OTP})
    return lambda: (api_event("POST", "/bindings/{id}/otp", {"id": one.binding_id}, body=code) for one in accounts)


def _make_payment(town: _Town, count: int) -> _Events:
    accounts = town.link(1 + count // _PAYMENTS_EACH)
    bodies: list[Json] = [
        {
            "bindingId": accounts[n % len(accounts)].binding_id,
            "partnerReferenceNo": f"INV{n:09d}",
            "amount": {"value": AMOUNT, "currency": "IDR"},
            "remarks": f"Order {n}",
            "metadata": {"orderId": str(n)},
        }
        for n in range(count)
    ]
    return lambda: (api_event("POST", "/payments", body=_dump(body)) for body in bodies)


def _verify_payment_otp(town: _Town, count: int) -> _Events:
    paid = town.pay(count)
    code = _dump({"otp": RIGHT_OTP})
    return lambda: (api_event("POST", "/payments/{ref}/otp", {"ref": ref}, body=code) for _, ref in paid)


def _get_payment(town: _Town, count: int) -> _Events:
    paid = town.settle(count)
    return lambda: (api_event("GET", "/payments/{ref}", {"ref": ref}) for _, ref in paid)


def _list_payments(town: _Town, count: int) -> _Events:
    customers = [merchant.customer for merchant, _ in town.settle(count)]
    return lambda: (api_event("GET", "/payments", query={"customerId": customer}) for customer in customers)


def _refund_payment(town: _Town, count: int) -> _Events:
    paid = town.settle(count)
    body = _dump({"reason": "Customer complaint"})
    return lambda: (api_event("POST", "/payments/{ref}/refund", {"ref": ref}, body=body) for _, ref in paid)


def _get_refund(town: _Town, count: int) -> _Events:
    paid = town.settle(count)
    for merchant, ref in paid:
        merchant.refund(ref)
    town.world.pump()
    return lambda: (api_event("GET", "/payments/{ref}/refund", {"ref": ref}) for _, ref in paid)


def _explain_problem(_: _Town, count: int) -> _Events:
    return lambda: (api_event("GET", "/problems/{slug}", {"slug": "otp-wrong"}) for _ in range(count))


def _authorise_call(_: _Town, count: int) -> _Events:
    token = issuer().token(*SCOPES)
    return lambda: (authoriser_event(token, "POST", "/payments") for _ in range(count))


# --- what DOKU sends -------------------------------------------------------------------------------------------------


def _issue_token(_: _Town, count: int) -> _Events:
    body = '{"grantType":"client_credentials"}'
    return lambda: (api_event("POST", TOKEN_PATH, body=body, headers=signer().token_headers()) for _ in range(count))


def _notified(path: str, deliveries: Sequence[Delivery]) -> _Events:
    def events() -> Iterator[Event]:
        for one in deliveries:
            body = _dump(one.body)
            headers = signer().notification_headers(path, body.encode(), one.external_id)
            yield api_event("POST", path, body=body, headers=headers)

    return events


def _receive_payment_notification(town: _Town, count: int) -> _Events:
    town.confirm(count)
    return _notified(NOTIFY_PATH, town.deliveries("payment"))


def _receive_binding_notification(town: _Town, count: int) -> _Events:
    for one in town.ask(count):
        one.come_back(one.walk_through_pages())
    town.world.clock.tick(2)
    return _notified(BINDING_NOTIFY_PATH, town.deliveries("binding"))


# --- workers ---------------------------------------------------------------------------------------------------------


def _process_notification(town: _Town, count: int) -> _Events:
    town.confirm(count)
    town.world.notify()
    messages = town.messages("notification")
    return lambda: iter(messages)


def _process_refund(town: _Town, count: int) -> _Events:
    for merchant, ref in town.settle(count):
        merchant.refund(ref)
    messages = town.messages("refund")
    return lambda: iter(messages)


def _inquire_status(town: _Town, count: int) -> _Events:
    paid = town.confirm(count)
    town.world.clock.tick(130)
    return lambda: (queue_event({"ref": ref, "attempt": 1, "chain": 0}) for _, ref in paid)


def _publish_events(town: _Town, count: int) -> _Events:
    town.pay(count)
    changes = [one for one in town.world.store.stream(TRANSACTIONS) if one.keys["sk"] == {"S": "PAYMENT"}]
    newest = {str(one.keys["pk"]): one for one in changes}  # each payment's last change: it waits for the code
    return lambda: (stream_event([write_record(TRANSACTIONS, one)]) for one in newest.values())


def _deliver_webhook(town: _Town, count: int) -> _Events:
    town.settle(count)
    town.world.store.create_table(WEBHOOK_LOG)
    told = [one for one in town.world.events.published if one.name == "payment.paid"]
    return lambda: (
        queue_event({"source": SOURCE, "detail-type": one.name, "detail": one.to_json()}) for one in told[:count]
    )


def _resolve_pending(_: _Town, count: int) -> _Events:
    return lambda: ({"workers": 5} for _ in range(count))


# --- the signing layer alone -----------------------------------------------------------------------------------------


def _doku_call(town: _Town, count: int) -> _Events:
    town.link(1)
    doku = town.world.simulator.world
    (binding,) = doku.bindings.values()

    def events() -> Iterator[Event]:
        for n in range(count):
            yield {
                "ref": f"INV{n:09d}",
                "authCode": binding.code,
                "customerToken": str(binding.customer_token),
                "b2bToken": list(doku.b2b_tokens)[-1],
                "clientId": CONTENT.client_id,
                "secretKey": CONTENT.secret_key,
                "privateKey": CONTENT.merchant_private_key,
                "publicKey": vector_keys()["merchantPublicKeyPem"],
            }

    return events


SCENES: dict[str, Callable[[_Town, int], _Events]] = {
    "AuthoriseCall": _authorise_call,
    "BindAccount": _bind_account,
    "ConfirmUnbinding": _confirm_unbinding,
    "DeliverWebhook": _deliver_webhook,
    "ExplainProblem": _explain_problem,
    "GetBalance": _of_a_reader("GET", "/bindings/{id}/balance"),
    "GetBinding": _of_a_reader("GET", "/bindings/{id}"),
    "GetPayment": _get_payment,
    "GetRefund": _get_refund,
    "InquireStatus": _inquire_status,
    "IssueToken": _issue_token,
    "ListBindings": _list_bindings,
    "ListPayments": _list_payments,
    "MakePayment": _make_payment,
    "ProcessNotification": _process_notification,
    "ProcessRefund": _process_refund,
    "PublishEvents": _publish_events,
    "ReceiveBindingNotification": _receive_binding_notification,
    "ReceivePaymentNotification": _receive_payment_notification,
    "RefundPayment": _refund_payment,
    "ResolvePending": _resolve_pending,
    "ReturnFromBinding": _return_from_binding,
    "UnbindAccount": _unbind_account,
    "VerifyPaymentOtp": _verify_payment_otp,
}
"""By the functions' names in the template. A scene returns what makes its events, once the clock is right."""
