"""What DynamoDB may answer instead of an answer."""

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from direct_debit.adapters.dynamodb.client import CONFLICT_ATTEMPTS, CONFLICT_PAUSE
from direct_debit.application.errors import StoreUnavailable
from direct_debit.domain.binding import BindingEvent
from tests.fakes.clock import START
from tests.fakes.in_memory_dynamodb import InMemoryDynamoDb
from tests.integration.adapters.conftest import World, make_world
from tests.integration.adapters.faults import FaultyDynamoDb
from tests.integration.adapters.records import BINDINGS, TRANSACTIONS, a_binding, a_notification, a_payment, step

UNAVAILABLE = [
    "ProvisionedThroughputExceededException",
    "ThrottlingException",
    "RequestLimitExceeded",
    "InternalServerError",
    "ServiceUnavailable",
    "AccessDeniedException",
    "ResourceNotFoundException",
    "ExpiredTokenException",
]
OPERATIONS: list[Callable[[World], object]] = [
    lambda world: world.payments.get("r1"),
    lambda world: world.payments.list_due(START, 10),
    lambda world: world.payments.create(a_payment()),
    lambda world: world.inbox.put(a_notification()),
    lambda world: world.release("r1"),
]


@pytest.fixture
def faulty() -> FaultyDynamoDb:
    return FaultyDynamoDb(InMemoryDynamoDb(BINDINGS, TRANSACTIONS))


@pytest.fixture
def world(faulty: FaultyDynamoDb) -> World:
    return make_world(faulty)


@pytest.mark.parametrize("code", UNAVAILABLE)
@pytest.mark.parametrize("operate", OPERATIONS, ids=["get", "query", "transaction", "put", "update"])
def test_a_failing_store_is_unavailable_and_names_its_code(
    world: World, faulty: FaultyDynamoDb, code: str, operate: Callable[[World], object]
) -> None:
    faulty.refuse(code)
    with pytest.raises(StoreUnavailable) as error:
        operate(world)
    assert error.value.store_code == code
    assert world.clock.slept == []  # the SDK retries; we do not on top of it


def test_our_own_mistake_is_not_called_unavailable(world: World, faulty: FaultyDynamoDb) -> None:
    faulty.refuse("ValidationException")
    with pytest.raises(ClientError):
        world.payments.get("r1")


@pytest.mark.parametrize("code", ["TransactionConflictException", "TransactionInProgressException"])
def test_a_conflict_is_tried_again_a_few_times(world: World, faulty: FaultyDynamoDb, code: str) -> None:
    faulty.refuse(code, times=CONFLICT_ATTEMPTS - 1)
    assert world.inbox.put(a_notification())
    assert faulty.calls == CONFLICT_ATTEMPTS
    for number, pause in enumerate(world.clock.slept):
        assert CONFLICT_PAUSE * 2**number / 2 <= pause <= CONFLICT_PAUSE * 2**number


def test_a_lasting_conflict_is_an_unavailable_store(world: World, faulty: FaultyDynamoDb) -> None:
    faulty.refuse("TransactionConflictException", times=CONFLICT_ATTEMPTS)
    with pytest.raises(StoreUnavailable):
        world.inbox.put(a_notification())
    assert faulty.calls == CONFLICT_ATTEMPTS


def cancelled(*codes: str) -> list[dict[str, str]]:
    return [{"Code": code} for code in codes]


def test_a_cancelled_transaction_is_tried_again_after_a_conflict(world: World, faulty: FaultyDynamoDb) -> None:
    binding = a_binding()
    faulty.refuse(
        "TransactionCanceledException", CancellationReasons=cancelled("None", "TransactionConflict", "None", "None")
    )
    assert world.bindings.create(binding, START) is None
    assert len(world.clock.slept) == 1


@pytest.mark.parametrize("code", ["ThrottlingError", "ProvisionedThroughputExceeded", "AccessDenied"])
def test_a_transaction_cancelled_for_another_reason_is_unavailable(
    world: World, faulty: FaultyDynamoDb, code: str
) -> None:
    faulty.refuse("TransactionCanceledException", CancellationReasons=cancelled("None", code))
    with pytest.raises(StoreUnavailable) as error:
        world.payments.create(a_payment())
    assert error.value.store_code == code


def test_a_transaction_cancelled_without_reasons_is_unavailable(world: World, faulty: FaultyDynamoDb) -> None:
    faulty.refuse("TransactionCanceledException")
    with pytest.raises(StoreUnavailable):
        world.payments.create(a_payment())


def test_a_transaction_of_ours_that_is_invalid_is_not_called_unavailable(world: World, faulty: FaultyDynamoDb) -> None:
    faulty.refuse("TransactionCanceledException", CancellationReasons=cancelled("ValidationError", "None"))
    with pytest.raises(ClientError):
        world.payments.create(a_payment())


def test_errors_name_no_values(world: World, faulty: FaultyDynamoDb) -> None:
    binding = a_binding()
    world.bindings.create(binding, START)
    faulty.refuse("InternalServerError")
    with pytest.raises(StoreUnavailable) as error:
        world.bindings.save(binding, step(binding, BindingEvent.LINK_STARTED))
    assert str(error.value) == "the store answered InternalServerError"
