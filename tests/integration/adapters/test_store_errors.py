"""What DynamoDB may answer instead of an answer."""

from collections.abc import Callable, Mapping
from typing import Unpack

import pytest
from botocore.exceptions import ClientError
from mypy_boto3_dynamodb.type_defs import TransactWriteItemsInputTypeDef

from direct_debit.adapters.dynamodb.client import CONFLICT_ATTEMPTS, CONFLICT_PAUSE
from direct_debit.application.errors import StoreUnavailable
from direct_debit.domain.binding import BindingEvent
from tests.aws_rules.idempotency_tokens import RememberingTokens
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


@pytest.mark.parametrize("code", ["ValidationException", "IdempotentParameterMismatchException"])
def test_our_own_mistake_is_not_called_unavailable(world: World, faulty: FaultyDynamoDb, code: str) -> None:
    faulty.refuse(code)
    with pytest.raises(ClientError):
        world.payments.get("r1")


@pytest.mark.parametrize("code", ["TransactionConflictException", "TransactionInProgressException"])
def test_a_conflict_is_tried_again_a_few_times(world: World, faulty: FaultyDynamoDb, code: str) -> None:
    faulty.refuse(code, times=CONFLICT_ATTEMPTS - 1)
    assert world.inbox.put(a_notification()) is None
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
    faulty.spares_reads = True
    faulty.refuse(
        "TransactionCanceledException", CancellationReasons=cancelled("None", "TransactionConflict", "None", "None")
    )
    assert world.bindings.create(binding, START) is None
    assert len(world.clock.slept) == 1


def test_after_a_conflict_a_transaction_is_another_request(faulty: FaultyDynamoDb) -> None:
    """Were it the same one, the store would be free to repeat its first answer for ten minutes."""
    here = make_world(RememberingTokens(faulty, lambda: START))
    faulty.spares_reads = True
    faulty.refuse("TransactionCanceledException", CancellationReasons=cancelled("TransactionConflict"))
    assert here.bindings.create(a_binding(), START) is None


def test_a_transaction_that_is_still_at_work_is_asked_about_again(faulty: FaultyDynamoDb) -> None:
    tokens: list[object] = []

    class Noting(FaultyDynamoDb):
        def transact_write_items(self, **kwargs: Unpack[TransactWriteItemsInputTypeDef]) -> Mapping[str, object]:
            tokens.append(kwargs.get("ClientRequestToken"))
            return super().transact_write_items(**kwargs)

    faulty.spares_reads = True
    faulty.refuse("TransactionInProgressException")
    assert make_world(Noting(faulty)).bindings.create(a_binding(), START) is None
    assert len(tokens) == 2
    assert len(set(tokens)) == 1


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
