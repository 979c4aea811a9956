"""Makes what the example events refer to, in a local stack: customers, links and payments, a set for each event.

By the API and the simulated bank only, as a merchant and its customers would; the tables are read, never written.
"""

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

import requests
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tools.invoke.running_stack import read_running_stack
from tools.local_cloud.aws import Cloud
from tools.local_cloud.caller import Answer, ApiCaller
from tools.local_cloud.credentials import Credentials
from tools.local_cloud.executions import poll_until
from tools.local_cloud.failure import LocalCloudError
from tools.local_cloud.journey import Reachable
from tools.local_cloud.premises import read_settled_identity
from tools.local_cloud.simulator import Simulator
from tools.make_events import Ids, Signer

_PATIENCE_SECONDS = 600.0
# Debited without a code, two seconds later: the shortest way to a payment that is PAID.
_PAID_SOON = "10202.00"
_PENDING = 200, 201, 202


class ExampleStack(Reachable, Protocol):
    """What is needed of a stack."""

    @property
    def cloud(self) -> Cloud:
        """The emulator, whose tables are read."""
        ...

    @property
    def credentials(self) -> Credentials:
        """The keys of merchant and DOKU."""
        ...

    @property
    def bindings_table(self) -> str:
        """Name of the table of bindings."""
        ...

    @property
    def transactions_table(self) -> str:
        """Name of the table of payments."""
        ...


@dataclass(frozen=True, slots=True)
class _RunningStack:
    api_url: str
    simulator: Simulator
    cloud: Cloud
    credentials: Credentials
    bindings_table: str
    transactions_table: str
    caller: ApiCaller

    def signed(self) -> ApiCaller:
        return self.caller

    def unsigned(self) -> ApiCaller:
        return ApiCaller(self.api_url, self.cloud.region, None)


def running_example_stack() -> ExampleStack:
    """Return the stack of `make run`. Raises LocalCloudError when none runs."""
    running = read_running_stack()
    variables = running.variables
    cloud = Cloud(variables["AWS_ENDPOINT_URL"], variables["AWS_REGION"])
    credentials, key = read_settled_identity()
    return _RunningStack(
        api_url=running.public_base_url,
        simulator=Simulator(running.simulator_url),
        cloud=cloud,
        credentials=credentials,
        bindings_table=variables["BINDINGS_TABLE"],
        transactions_table=variables["TRANSACTIONS_TABLE"],
        caller=ApiCaller(running.public_base_url, cloud.region, key),
    )


def make_example_world(stack: ExampleStack) -> tuple[Mapping[str, Ids], Signer]:
    """Make everything and return it: what each event file refers to, and who signs DOKU's calls now.

    Raises LocalCloudError when the stack answers otherwise than it should.
    """
    return _Maker(stack).make(), sign_for(stack)


def sign_for(stack: ExampleStack) -> Signer:
    """DOKU's hand in this stack, now."""
    key = load_pem_private_key(stack.credentials.doku_private_key.encode(), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise LocalCloudError("DOKU's key is no RSA key")
    return Signer(
        client_id=stack.credentials.client_id,
        secret_key=stack.credentials.secret_key,
        doku_private_key=key,
        doku_public_key=stack.credentials.doku_public_key,
        issued_token_key=base64.b64decode(stack.credentials.issued_token_key),
        at=datetime.now(UTC).replace(microsecond=0),
        public_url=stack.api_url,
    )


class _Maker:
    def __init__(self, stack: ExampleStack) -> None:
        self._stack = stack
        self._api = stack.signed()

    def make(self) -> Mapping[str, Ids]:
        """Return what each file refers to. Each event that changes something has things of its own."""
        linked = self._link()
        paid = [self._pay(linked, _PAID_SOON) for _ in range(4)]
        waiting = [self._pay(linked, "10000.00") for _ in range(3)]
        for one in paid:
            self._wait(f"/payments/{one.reference}", "PAID")
        refunded = paid[0]
        self._call("POST", f"/payments/{refunded.reference}/refund", {"reason": "Customer complain"})
        unlinking = [self._start_unlinking(self._link()) for _ in range(2)]
        self._wait(f"/payments/{refunded.reference}/refund", "REFUNDED")
        about_linked = ("get_binding", "get_balance", "list_bindings", "list_payments")
        return {
            **self._pairs(about_linked, [linked, linked]),
            **self._pairs(["bind_account"], [new_customer(), new_customer()]),
            **self._pairs(["return_from_binding"], [self._at_the_bank(), self._at_the_bank()]),
            **self._pairs(["unbind_account"], [self._link(), self._link()]),
            **self._pairs(["confirm_unbinding"], unlinking),
            **self._pairs(["make_payment"], [replace(linked, reference=new_reference()) for _ in range(2)]),
            **self._pairs(["verify_payment_otp"], waiting[:2]),
            **self._pairs(["get_payment"], [paid[1], paid[1]]),
            **self._pairs(["refund_payment"], [replace(one, refund=new_reference()) for one in paid[2:4]]),
            **self._pairs(["get_refund"], [refunded, refunded]),
            "receive_payment_notification": paid[1],
            "receive_binding_notification": linked,
            "process_notification_sqs": replace(linked, inbox=self._find_notification()),
            "process_refund_sqs": refunded,
            "inquire_status_sqs": waiting[2],
            "publish_events_stream": self._changes_of(paid[1]),
        }

    @staticmethod
    def _pairs(operations: list[str] | tuple[str, ...], ids: list[Ids]) -> dict[str, Ids]:
        api, direct = ids
        return {name: found for one in operations for name, found in ((one, api), (f"{one}_direct", direct))}

    # --- customers ----------------------------------------------------------------------------------------------------

    def _start_link(self) -> tuple[Ids, str]:
        """Ask for a new customer's link; returns it and its code at the bank."""
        ids = new_customer()
        answer = self._call("POST", "/bindings", {"customerId": ids.customer, "phone": ids.phone})
        code = str(answer.body["redirectUrl"]).rpartition("/")[2]
        return replace(ids, binding=answer.body["bindingId"]), code

    def _finish_at_the_bank(self, code: str) -> str:
        """Be the customer on the bank's pages; returns where the browser goes then."""
        return str(self._stack.simulator.control(f"bindings/{code}/complete", {"outcome": "success"})["redirectUrl"])

    def _link(self) -> Ids:
        ids, code = self._start_link()
        with requests.Session() as browser:
            browser.trust_env = False
            browser.get(self._finish_at_the_bank(code), allow_redirects=False, timeout=_PATIENCE_SECONDS)
        self._wait(f"/bindings/{ids.binding}", "ACTIVE")
        return ids

    def _at_the_bank(self) -> Ids:
        """A customer whose browser is on its way back."""
        ids, code = self._start_link()
        back = self._finish_at_the_bank(code)
        return replace(ids, return_state=back.rsplit("/", 2)[1])

    def _start_unlinking(self, ids: Ids) -> Ids:
        self._call("DELETE", f"/bindings/{ids.binding}")
        return ids

    # --- payments -----------------------------------------------------------------------------------------------------

    def _pay(self, ids: Ids, amount: str) -> Ids:
        ids = replace(ids, reference=new_reference(), amount=amount)
        body = {
            "bindingId": ids.binding,
            "partnerReferenceNo": ids.reference,
            "amount": {"value": amount, "currency": "IDR"},
            "remarks": "Order 4711",
        }
        self._call("POST", "/payments", body)
        return ids

    # --- the tables ---------------------------------------------------------------------------------------------------

    def _find_notification(self) -> str:
        """Return the id of a notification of DOKU's that the stack has stored."""
        pages = (
            self._stack.cloud.dynamodb()
            .get_paginator("scan")
            .paginate(
                TableName=self._stack.transactions_table,
                FilterExpression="#kind = :inbox",
                ExpressionAttributeNames={"#kind": "kind"},
                ExpressionAttributeValues={":inbox": {"S": "inbox"}},
            )
        )
        keys = [item["pk"]["S"] for page in pages for item in page["Items"]]
        if not keys:
            raise LocalCloudError("the stack has stored no notification of DOKU's")
        return keys[0].partition("#")[2]

    def _changes_of(self, ids: Ids) -> Ids:
        """The payment and its link as they are stored, as a stream would tell of them once more."""
        stack, store = self._stack, self._stack.cloud.dynamodb()
        keys = (
            (stack.transactions_table, f"PAYMENT#{ids.reference}", "PAYMENT"),
            (stack.bindings_table, f"BINDING#{ids.binding}", "BINDING"),
        )
        items = [
            (table, store.get_item(TableName=table, Key={"pk": {"S": pk}, "sk": {"S": sk}})["Item"])
            for table, pk, sk in keys
        ]
        return replace(ids, changes=[(table, None, dict(item)) for table, item in items])

    # --- the API ------------------------------------------------------------------------------------------------------

    def _call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Answer:
        answer = self._api.call(method, path, body)
        if answer.status not in _PENDING:
            raise LocalCloudError(f"{method} {path}: {answer.status} {json.dumps(answer.body)}")
        return answer

    def _wait(self, path: str, state: str) -> None:
        poll_until(
            f"{path} to be {state}", lambda: self._call("GET", path).body.get("state") == state, _PATIENCE_SECONDS
        )


def new_customer() -> Ids:
    """A customer and a phone that are not linked."""
    return Ids(customer="CUST-" + secrets.token_hex(6).upper(), phone=f"62813{secrets.randbelow(10**6):06d}77")


def new_reference() -> str:
    """A reference that was not used."""
    return "E" + secrets.token_hex(6).upper()
