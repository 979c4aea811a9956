"""The store in memory answers like moto: the same random operations, with the conditions that the repositories use.

`STORE_OPERATIONS` in the environment sets how many (2,000 by default; 20,000 for a thorough run).
"""

from __future__ import annotations

import os
import random
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from direct_debit.adapters.dynamodb.binding_item import write_binding
from direct_debit.adapters.dynamodb.keys import SHARDS
from direct_debit.adapters.dynamodb.payment_item import write_payment
from direct_debit.application.errors import BindingChanged, NotFound, PaymentChanged, StoreUnavailable
from direct_debit.application.ports.bindings import AccountClaimLost, PagesUsedUp
from direct_debit.application.ports.fleet import CircuitState, SharedToken
from direct_debit.application.ports.inbox import InboxState
from direct_debit.application.ports.payments import PaymentKey
from direct_debit.domain.binding import BindingEvent
from direct_debit.domain.payment import PaymentEvent
from direct_debit.domain.transitions import TransitionRefused
from tests.fakes.clock import START
from tests.fakes.in_memory_dynamodb import InMemoryDynamoDb
from tests.integration.adapters.conftest import World, make_moto, make_world
from tests.integration.adapters.records import (
    BINDINGS,
    EVIDENCE,
    LEASE,
    TRANSACTIONS,
    a_binding,
    a_notification,
    a_payment,
    a_refund,
    a_step,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mypy_boto3_dynamodb.type_defs import PutItemInputTypeDef, QueryInputTypeDef

    from direct_debit.domain.binding import Binding
    from direct_debit.domain.payment import Payment

OPERATIONS = int(os.environ.get("STORE_OPERATIONS", "2000"))
SEED = int(os.environ.get("STORE_SEED", "1"))
FEW = 5  # of each kind of record: operations must meet


class Driver:
    """Draws one operation at a time and does it over one store; two drivers of one seed do the same."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.chance = random.Random(seed)  # noqa: S311 - a test's chance has to repeat
        self.payments: list[Payment] = []  # as they were read at some time: stale ones lose, as they must
        self.bindings: list[Binding] = []
        self.deeds: list[Callable[[], object]] = [
            self.create_binding,
            self.move_binding,
            self.move_binding,
            self.change_binding,
            self.save_when_settled,
            self.create_payment,
            self.create_payment,
            self.bind_key,
            self.move_payment,
            self.move_payment,
            self.refund_payment,
            self.reclaim_payment,
            self.hold_account,
            self.release_account,
            self.read_binding,
            self.read_payment,
            self.find_binding,
            self.list_due,
            self.notify,
            self.settle_notification,
            self.record_step,
            self.token_step,
            self.circuit_step,
        ]

    def act(self) -> tuple[str, object]:
        deed = self.chance.choice(self.deeds)
        try:
            return deed.__name__, deed()
        except (BindingChanged, PaymentChanged) as lost:
            return deed.__name__, ("lost", lost.current)
        except (AccountClaimLost, PagesUsedUp, NotFound, StoreUnavailable, TransitionRefused) as error:
            return deed.__name__, str(error) or type(error).__name__

    def name(self, kind: str) -> str:
        return f"{kind}{self.chance.randrange(FEW)}"

    def moment(self) -> datetime:
        return START + timedelta(minutes=self.chance.randrange(90))

    def create_binding(self) -> object:
        now = self.moment()
        binding = replace(
            a_binding(
                f"{self.name('b')}-{self.chance.randrange(30)}",
                customer=self.name("c"),
                account=self.name("a"),
                state=f"s{self.chance.randrange(200)}",
            ),
            created_at=now,
            lease_until=now + LEASE,
        )
        answer = self.world.bindings.create(binding, now)
        if answer is None:
            self.bindings.append(binding)
        return answer

    def stale_binding(self) -> Binding:
        return self.chance.choice(self.bindings or [a_binding("ghost")])

    def move_binding(self) -> object:
        before = self.stale_binding()
        after = before.moved(self.chance.choice(list(BindingEvent)), EVIDENCE)
        if after is None:
            return "ignored"
        saved = self.world.bindings.save(before, replace(after, due_at=self.chance.choice([None, self.moment()])))
        self.bindings.append(saved)
        return saved

    def change_binding(self) -> object:
        before = self.stale_binding()
        change = self.chance.choice(
            [
                {"lease_until": self.moment() + LEASE},
                {"return_state_hash": f"s{self.chance.randrange(200)}"},
                {"metadata": {"order": str(self.chance.randrange(9))}},
                {"redirect_url": self.chance.choice([None, "https://doku.example"])},
            ]
        )
        saved = self.world.bindings.save(before, replace(before.noted(START), **change))  # type: ignore[arg-type]  # each of its field's type
        self.bindings.append(saved)
        return saved

    def save_when_settled(self) -> object:
        before = self.stale_binding()
        after = before.moved(BindingEvent.UNBIND_REQUESTED, EVIDENCE)
        if after is None:
            return "ignored"
        saved = self.world.bindings.save_when_settled(before, after)
        self.bindings.append(saved)
        return saved

    def create_payment(self) -> object:
        binding = self.stale_binding()
        payment = replace(
            a_payment(f"r{self.chance.randrange(40)}", binding=binding.id, customer=binding.customer_id),
            due_at=self.moment(),
        )
        answer = self.world.payments.create(payment, self.chance.choice([None, self.key()]))
        if answer is None:
            self.payments.append(payment)
        return answer

    def key(self) -> PaymentKey:
        number = self.chance.randrange(60)
        return PaymentKey(f"k{number}", f"r{number}")

    def bind_key(self) -> object:
        key = self.key()
        return self.world.payments.bind_key(key, self.stale_payment().ref), self.world.payments.find_key(key)

    def stale_payment(self) -> Payment:
        return self.chance.choice(self.payments or [a_payment("ghost")])

    def move_payment(self) -> object:
        before = self.stale_payment()
        after = before.moved(self.chance.choice(list(PaymentEvent)), EVIDENCE)
        if after is None:
            return "ignored"
        saved = self.world.payments.save(before, replace(after, due_at=self.chance.choice([None, self.moment()])))
        self.payments.append(saved)
        return saved

    def refund_payment(self) -> object:
        before = self.stale_payment()
        refund = self.chance.choice([None, a_refund(), a_refund(self.moment())])
        saved = self.world.payments.save(before, replace(before.noted(START), refund=refund))
        self.payments.append(saved)
        return saved

    def reclaim_payment(self) -> object:
        before = self.stale_payment()
        return self.world.payments.reclaim(before, before.noted(START))

    def hold_account(self) -> object:
        before = self.stale_payment()
        return self.world.payments.hold_account(before, replace(before.noted(START), refund=a_refund()))

    def release_account(self) -> object:
        payment = self.stale_payment()
        settled = self.chance.choice([payment, payment, None])
        self.world.payments.release_account(payment.binding_id, payment.ref, settled)
        return None

    def read_binding(self) -> object:
        found = self.world.bindings.get(self.stale_binding().id)
        if found is not None:
            self.bindings.append(found)
        return found

    def read_payment(self) -> object:
        found = self.world.payments.get(self.stale_payment().ref)
        if found is not None:
            self.payments.append(found)
        both = self.world.payments.get_with_history(self.stale_payment().ref)
        return found, self.world.payments.history(self.stale_payment().ref), both

    def find_binding(self) -> object:
        customer = self.name("c")
        return (
            self.world.bindings.find_by_customer(customer),
            {binding.id for binding in self.world.bindings.list_by_customer(customer).bindings},
            self.world.bindings.find_by_return_state(f"s{self.chance.randrange(200)}"),
        )

    def list_due(self) -> object:
        # Without a limit: which of two equally old records comes first is not said.
        now = self.moment()
        lists = (self.world.payments.list_due, self.world.bindings.list_due, self.world.inbox.list_due)
        return self.chance.choice(lists)(now, 1000)

    def notify(self) -> object:
        return self.world.inbox.put(replace(a_notification(self.name("i")), due_at=self.moment()))

    def settle_notification(self) -> object:
        name = self.name("i")
        before = self.world.inbox.get(name)
        if before is None:
            return None
        stale = replace(before, attempts=self.chance.choice([before.attempts, before.attempts + 1]))
        state = self.chance.choice(list(InboxState))
        after = replace(before, attempts=before.attempts + 1, state=state, due_at=self.chance.choice([None, START]))
        self.world.inbox.settle(stale, after)
        return self.world.inbox.get(name)

    def record_step(self) -> object:
        return self.world.payments.add_history(self.stale_payment().ref, a_step(self.chance.randrange(1, 12)))

    def token_step(self) -> object:
        owner, generation, now = self.name("o"), self.chance.randrange(4), self.moment()
        choice = self.chance.randrange(3)
        if choice == 0:
            return self.world.tokens.take_lease(owner, generation, now, now + timedelta(minutes=5))
        if choice == 1:
            token = SharedToken(f"t{generation}", "k", now, now, generation)
            return self.world.tokens.publish(owner, token), self.world.tokens.read()
        self.world.tokens.release_lease(owner)
        return None

    def circuit_step(self) -> object:
        states = [CircuitState(), CircuitState(1, START), CircuitState(2, START, START + LEASE)]
        answer = self.world.circuit.replace(self.chance.choice(states), self.chance.choice(states))
        return answer, self.world.circuit.read()


def contents(world: World) -> object:
    """Return both tables as the repositories' queries see them."""
    read = world.client.query
    items: list[object] = []
    for table in (TRANSACTIONS, BINDINGS):
        for kind in ("payment", "binding", "inbox"):
            for shard in range(SHARDS):
                answer = read(
                    TableName=table,
                    IndexName="due",
                    KeyConditionExpression="dueShard = :shard",
                    ExpressionAttributeValues={":shard": {"S": f"{kind}#{shard}"}},
                )
                found = answer["Items"]
                assert isinstance(found, list)
                items.append(sorted((item["dueAt"]["S"], item["pk"]["S"], sorted(item)) for item in found))
    return items


@mock_aws
def test_memory_and_moto_answer_the_same() -> None:
    memory = Driver(make_world(InMemoryDynamoDb(BINDINGS, TRANSACTIONS), SEED), SEED)
    moto = Driver(make_world(make_moto(), SEED), SEED)
    done: dict[str, int] = {}
    for number in range(OPERATIONS):
        name, expected = moto.act()
        same_name, answer = memory.act()
        assert (same_name, answer) == (name, expected), f"operation {number}, seed {SEED}"
        done[name] = done.get(name, 0) + 1
    assert contents(memory.world) == contents(moto.world)
    assert len(done) == len({deed.__name__ for deed in memory.deeds})


# --- requests that the repositories do not make, but whose answer the fake must not invent --------------------------


@mock_aws
def test_both_refuse_a_name_that_is_not_used() -> None:
    for client in (InMemoryDynamoDb(BINDINGS, TRANSACTIONS), make_moto()):
        with pytest.raises(ClientError, match="ValidationException"):
            client.put_item(
                TableName=BINDINGS,
                Item=write_binding(a_binding()),
                ConditionExpression="attribute_not_exists(pk)",
                ExpressionAttributeNames={"#a": "a"},
            )


# moto takes these, the service does not: with the store in memory such a mistake shows in the tests.
MISTAKES: dict[str, PutItemInputTypeDef] = {
    "a value that is not used": {
        "TableName": BINDINGS,
        "Item": write_binding(a_binding()),
        "ConditionExpression": "attribute_not_exists(pk)",
        "ExpressionAttributeValues": {":a": {"S": "a"}},
    },
    "a placeholder that is not defined": {
        "TableName": BINDINGS,
        "Item": write_binding(a_binding()),
        "ConditionExpression": "attribute_not_exists(#a)",
    },
    "an empty condition": {
        "TableName": BINDINGS,
        "Item": write_binding(a_binding()),
        "ConditionExpression": "",
    },
    "a broken condition": {
        "TableName": BINDINGS,
        "Item": write_binding(a_binding()),
        "ConditionExpression": "attribute_exists(pk) AND",
    },
    "an empty set": {
        "TableName": BINDINGS,
        "Item": {**write_binding(a_binding()), "openPayments": {"SS": []}},
    },
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_the_store_in_memory_refuses_mistakes(mistake: PutItemInputTypeDef) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        InMemoryDynamoDb(BINDINGS, TRANSACTIONS).put_item(**mistake)


@mock_aws
def test_both_refuse_an_index_key_that_is_empty() -> None:
    for client in (InMemoryDynamoDb(BINDINGS, TRANSACTIONS), make_moto()):
        with pytest.raises(ClientError, match="ValidationException"):
            client.put_item(TableName=TRANSACTIONS, Item={**write_payment(a_payment()), "dueShard": {"S": ""}})


@mock_aws
def test_both_refuse_a_consistent_read_of_an_index() -> None:
    for client in (InMemoryDynamoDb(BINDINGS, TRANSACTIONS), make_moto()):
        with pytest.raises(ClientError, match="ValidationException"):
            client.query(
                TableName=BINDINGS,
                IndexName="due",
                ConsistentRead=True,
                KeyConditionExpression="dueShard = :s",
                ExpressionAttributeValues={":s": {"S": "payment#0"}},
            )


@mock_aws
def test_both_refuse_two_steps_on_one_item() -> None:
    item = write_payment(a_payment())
    key = {name: item[name] for name in ("pk", "sk")}
    for client in (InMemoryDynamoDb(BINDINGS, TRANSACTIONS), make_moto()):
        with pytest.raises(ClientError, match="ValidationException"):
            client.transact_write_items(
                TransactItems=[
                    {"Put": {"TableName": TRANSACTIONS, "Item": item}},
                    {"Delete": {"TableName": TRANSACTIONS, "Key": key}},
                ]
            )


@mock_aws
def test_both_page_in_the_same_way() -> None:
    pages: list[list[object]] = []
    for client in (InMemoryDynamoDb(BINDINGS, TRANSACTIONS), make_moto()):
        world = make_world(client)
        for version in range(1, 8):
            world.payments.add_history("r1", a_step(version))
        seen: list[object] = []
        for forward in (True, False):
            request: QueryInputTypeDef = {
                "TableName": TRANSACTIONS,
                "KeyConditionExpression": "pk = :pk AND sk BETWEEN :low AND :high",
                "FilterExpression": "version IN (:two, :five) OR NOT version <> :six",
                "ExpressionAttributeValues": {
                    ":pk": {"S": "PAYMENT#r1"},
                    ":low": {"S": "HISTORY#0000000002"},
                    ":high": {"S": "HISTORY#0000000006"},
                    ":two": {"N": "2"},
                    ":five": {"N": "5"},
                    ":six": {"N": "6"},
                },
                "ProjectionExpression": "sk",
                "Limit": 2,
                "ScanIndexForward": forward,
            }
            while True:
                answer = client.query(**request)
                last = answer.get("LastEvaluatedKey")
                seen.append((answer["Items"], answer["Count"], answer["ScannedCount"], last))
                if not isinstance(last, dict):
                    break
                request["ExclusiveStartKey"] = last
        pages.append(seen)
    assert pages[0] == pages[1]
