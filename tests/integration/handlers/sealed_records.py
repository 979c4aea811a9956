"""Records in which every sealed field is filled: one of each kind of item, as the application writes them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from direct_debit.adapters.dynamodb.b2b_tokens import DynamoDbB2BTokens
from direct_debit.adapters.dynamodb.binding_item import write_binding
from direct_debit.adapters.dynamodb.inbox import write_inbox_item
from direct_debit.adapters.dynamodb.payment_item import write_payment
from direct_debit.application.calls.obtain_b2b_token import OWNER
from direct_debit.application.ports.fleet import SharedToken
from direct_debit.application.ports.vault import SealedField, Vault
from direct_debit.domain.binding import BindingState, SealedTokens
from direct_debit.domain.payment import PaymentState
from tests.fakes.processes import BINDINGS, TRANSACTIONS
from tests.integration.handlers.data_places import a_full_binding, a_full_notice, a_full_payment

if TYPE_CHECKING:
    from direct_debit.adapters.dynamodb.client import DynamoDb, Store

_AT = datetime(2026, 11, 27, 9, tzinfo=UTC)


def say(field: SealedField, owner: str) -> str:
    """Return what a text of a field says: to be recognised, and everywhere a page."""
    return f"https://canary.example/{field}/{owner}"


def put_records(
    tables: DynamoDb,
    vault: Vault,
    door: Vault,
    name: str,
    *,
    bindings: str = BINDINGS,
    transactions: str = TRANSACTIONS,
) -> None:
    """Put a link, a payment and a notification in which every sealed field is filled. `door` seals what DOKU tells."""

    def link(field: SealedField) -> str:
        return vault.seal(say(field, name), field, name)

    binding = replace(
        a_full_binding(),
        id=name,
        customer_id=f"customer-{name}",
        state=BindingState.PENDING,
        untold=(),
        tell_by=None,
        tokens=SealedTokens(link(SealedField.ACCESS_TOKEN), _AT, link(SealedField.REFRESH_TOKEN), _AT),
        auth_code=link(SealedField.AUTH_CODE),
        earlier_pages={"1": link(SealedField.AUTH_CODE), "2": link(SealedField.AUTH_CODE)},
        redirect_url=link(SealedField.LINK_PAGE),
        unbind_redirect_url=link(SealedField.UNLINK_PAGE),
        success_url=link(SealedField.SUCCESS_PAGE),
        failed_url=link(SealedField.FAILED_PAGE),
        task_token=link(SealedField.LINK_TASK),
    )
    payment = a_full_payment()
    assert payment.refund is not None
    payment = replace(
        payment,
        ref=name,
        state=PaymentState.OTP_PENDING,
        failure=None,
        review=None,
        web_redirect_url=link(SealedField.PAYMENT_PAGE),
        task_token=link(SealedField.PAYMENT_TASK),
        refund=replace(payment.refund, sealed_reason=link(SealedField.REFUND_REASON)),
    )
    notice = replace(a_full_notice(), id=name, body=door.seal(say(SealedField.NOTICE, name), SealedField.NOTICE, name))
    for table, item in (
        (bindings, write_binding(binding)),
        (transactions, write_payment(payment)),
        (transactions, write_inbox_item(notice)),
    ):
        tables.put_item(TableName=table, Item=item)


def put_shared_token(store: Store, vault: Vault) -> None:
    """Put the token that all functions share."""
    tokens = DynamoDbB2BTokens(store, BINDINGS)
    sealed = vault.seal(say(SealedField.B2B_TOKEN, OWNER), SealedField.B2B_TOKEN, OWNER)
    assert tokens.take_lease("me", 0, _AT, _AT)
    assert tokens.publish("me", SharedToken(sealed, "key", _AT, _AT, 1))
