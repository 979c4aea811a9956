"""Every condition under which something is written. Each guards money or an account: read before changing.

Conditions are built once per write. Their placeholders never meet those of an update expression: names are shared
(`#x` always stands for the attribute `x`), values of conditions end in `_was`, `_max`, `_now` or name an owner.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from direct_debit.adapters.dynamodb.items import instant, number, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from direct_debit.adapters.dynamodb.items import AttributeValue, Item


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition expression with what its placeholders stand for."""

    expression: str
    names: Mapping[str, str]
    values: Mapping[str, AttributeValue]

    def __and__(self, other: Condition) -> Condition:
        """Both hold."""
        return Condition(
            f"({self.expression}) AND ({other.expression})",
            {**self.names, **other.names},
            {**self.values, **other.values},
        )


# The record is new. A repeated request, or an id met twice, fails here and reads what is there.
IS_NEW = Condition("attribute_not_exists(#pk)", {"#pk": "pk"}, {})

# The record is there: an update must not make a new item out of a late message.
EXISTS = Condition("attribute_exists(#pk)", {"#pk": "pk"}, {})


# There is no payment under the reference that is made from the key. Releases before keys were recorded left nothing
# else of a key that came alone: such a payment is the one that the key names.
NO_PAYMENT_BY_KEY_ALONE = Condition("attribute_not_exists(#pk)", {"#pk": "pk"}, {})


def names_no_other(ref: str) -> Condition:
    """The idempotency key is new, or names this payment already: a key names one payment for ever (invariant 14)."""
    return Condition(
        "attribute_not_exists(#pk) OR #ref = :ref_was", {"#pk": "pk", "#ref": "ref"}, {":ref_was": text(ref)}
    )


def unchanged(version: int, state: str) -> Condition:
    """Nobody wrote the record since it was read.

    The version alone decides; the state stands beside it so that a move is only ever made from the state it was decided
    on, even if two versions of the code should count differently.
    """
    return Condition(
        "#version = :version_was AND #state = :state_was",
        {"#version": "version", "#state": "state"},
        {":version_was": number(version), ":state_was": text(state)},
    )


def unchanged_and_filed(version: int, state: str) -> Condition:
    """Nobody wrote the record, and it is still in the `due` index: what has left it is not to be visited any more."""
    same = unchanged(version, state)
    return Condition(same.expression + " AND attribute_exists(#dueAt)", {**same.names, "#dueAt": "dueAt"}, same.values)


def unchanged_and_untold(version: int, state: str) -> Condition:
    """Nobody wrote the record, and its news are still to be told: what was told is not put off, nor filed again."""
    same = unchanged(version, state)
    return Condition(
        same.expression + " AND attribute_exists(#tellBy)", {**same.names, "#tellBy": "tellBy"}, same.values
    )


def unchanged_and_no_open_payments(version: int, state: str) -> Condition:
    """Nobody wrote the binding, and no payment of it may still move money: then it may be unlinked (invariant B2).

    DynamoDB removes a set attribute with its last member, so "none open" is "no attribute".
    """
    same = unchanged(version, state)
    return Condition(
        same.expression + " AND attribute_not_exists(#openPayments)",
        {**same.names, "#openPayments": "openPayments"},
        same.values,
    )


def can_take_payment(
    customer_id: str, max_open: int, day: str, max_per_day: int, *, begins_day: bool = False
) -> Condition:
    """The binding is ACTIVE, is this customer's own (invariants 7 and B4), and has room for one more open payment, and
    for one more on this day (no bound: 0). `begins_day`: and has had none on it, so that no count is begun anew.

    False too when there is no such binding. Guards in the same transaction that writes the payment, so that no payment
    starts after an unlinking did.
    """
    condition = Condition(
        "#state = :state_was AND #customerId = :customer_was"
        " AND (attribute_not_exists(#openPayments) OR size(#openPayments) < :open_max)",
        {"#state": "state", "#customerId": "customerId", "#openPayments": "openPayments"},
        {":state_was": text("ACTIVE"), ":customer_was": text(customer_id), ":open_max": number(max_open)},
    )
    if not max_per_day:
        return condition
    another_day = " AND (attribute_not_exists(#chargesDay) OR #chargesDay <> :charges_day_was"
    names = {**condition.names, "#chargesDay": "chargesDay"}
    values = {**condition.values, ":charges_day_was": text(day)}
    if begins_day:
        return Condition(condition.expression + another_day + ")", names, values)
    return Condition(
        condition.expression + another_day + " OR #charges < :charges_max)",
        {**names, "#charges": "charges"},
        {**values, ":charges_max": number(max_per_day)},
    )


def can_take_payment_again(customer_id: str, max_open: int, ref: str) -> Condition:
    """Like `can_take_payment`, for a payment that may be counted as open already: it needs no further room."""
    return Condition(
        "#state = :state_was AND #customerId = :customer_was AND (attribute_not_exists(#openPayments)"
        " OR contains(#openPayments, :ref_was) OR size(#openPayments) < :open_max)",
        {"#state": "state", "#customerId": "customerId", "#openPayments": "openPayments"},
        {
            ":state_was": text("ACTIVE"),
            ":customer_was": text(customer_id),
            ":open_max": number(max_open),
            ":ref_was": text(ref),
        },
    )


def is_linked(customer_id: str) -> Condition:
    """The binding is this customer's own, and linked: its token may be dead, its unlinking may wait for a code.

    No bound on open payments: a refund of what was paid must not be refused for other payments.
    """
    return Condition(
        "(#state = :state_was OR #state = :relink_was OR #state = :unbind_was) AND #customerId = :customer_was",
        {"#state": "state", "#customerId": "customerId"},
        {
            ":state_was": text("ACTIVE"),
            ":relink_was": text("RELINK_REQUIRED"),
            ":unbind_was": text("UNBIND_OTP_PENDING"),
            ":customer_was": text(customer_id),
        },
    )


def claimable(binding_id: str, now: datetime, replacing: Sequence[str] = ()) -> Condition:
    """The claim is free, its lease ended, it is this binding's own, or one that may be replaced still has a lease.

    A claim without a lease is held for good: the bank has confirmed its link.
    """
    others = {f":replaced{number}": text(one) for number, one in enumerate(replacing)}
    named = " OR ".join([f"#bindingId = {name}" for name in others])
    over = f" OR (attribute_exists(#leaseUntil) AND ({named}))" if others else ""
    return Condition(
        "attribute_not_exists(#pk) OR #leaseUntil <= :lease_now OR #bindingId = :owner" + over,
        {"#pk": "pk", "#leaseUntil": "leaseUntil", "#bindingId": "bindingId"},
        {":lease_now": instant(now), ":owner": text(binding_id), **others},
    )


def unconfirmed_or_own(binding_id: str) -> Condition:
    """No other link of the account or customer is confirmed: who is confirmed first keeps the claim for good."""
    return Condition(
        "attribute_not_exists(#pk) OR attribute_exists(#leaseUntil) OR #bindingId = :owner",
        {"#pk": "pk", "#leaseUntil": "leaseUntil", "#bindingId": "bindingId"},
        {":owner": text(binding_id)},
    )


def owned(binding_id: str) -> Condition:
    """The claim is still this binding's, which is confirmed."""
    return Condition("#bindingId = :owner", {"#bindingId": "bindingId"}, {":owner": text(binding_id)})


def owned_or_gone(binding_id: str) -> Condition:
    """The claim may be given up. One that passed to another binding must stay."""
    return Condition(
        "attribute_not_exists(#pk) OR #bindingId = :owner",
        {"#pk": "pk", "#bindingId": "bindingId"},
        {":owner": text(binding_id)},
    )


def texts_as_read(item: Item, names: Sequence[str]) -> Condition:
    """Nobody wrote the attributes `names` since `item` was read, nor the record, where it counts its changes.

    So what is sealed anew never stands over what somebody else put there, and is never put into a record that has
    moved on and has news since: the stream would tell them again with this write.
    """
    guarded = [*names, "version"] if "version" in item else names
    return Condition(
        " AND ".join([f"#{name} = :{name}_was" for name in guarded]),
        {"#" + name: name for name in guarded},
        {f":{name}_was": item[name] for name in guarded},
    )


def unsettled(attempts: int, state: str) -> Condition:
    """The notification is as its reader saw it; what somebody else made of it in between stays."""
    return Condition(
        "#attempts = :attempts_was AND #state = :state_was",
        {"#attempts": "attempts", "#state": "state"},
        {":attempts_was": number(attempts), ":state_was": text(state)},
    )


def token_renewable(owner: str, generation: int, now: datetime) -> Condition:
    """Nobody renewed the token since, and nobody is renewing it: at most one asks DOKU (single flight).

    The owner itself may take its lease again, which makes a lost reply harmless.
    """
    return Condition(
        "(attribute_not_exists(#generation) OR #generation <= :generation_was)"
        " AND (attribute_not_exists(#leaseOwner) OR #leaseUntil <= :lease_now OR #leaseOwner = :owner)",
        {"#generation": "generation", "#leaseOwner": "leaseOwner", "#leaseUntil": "leaseUntil"},
        {":generation_was": number(generation), ":lease_now": instant(now), ":owner": text(owner)},
    )


def token_lease_held(owner: str) -> Condition:
    """The lease did not pass to somebody else; who lost it must not publish over a newer token."""
    return Condition("#leaseOwner = :owner", {"#leaseOwner": "leaseOwner"}, {":owner": text(owner)})


def circuit_is(failures: int, since: datetime | None, open_until: datetime | None) -> Condition:
    """The circuit's state is what its reader saw; an absent item is a closed circuit without failures."""
    parts = [
        "#failures = :failures_was" if failures else "(attribute_not_exists(#failures) OR #failures = :failures_was)"
    ]
    names = {"#failures": "failures"}
    values = {":failures_was": number(failures)}
    for name, moment in (("since", since), ("openUntil", open_until)):
        names["#" + name] = name
        if moment is None:
            parts.append(f"attribute_not_exists(#{name})")
        else:
            parts.append(f"#{name} = :{name}_was")
            values[f":{name}_was"] = instant(moment)
    return Condition(" AND ".join(parts), names, values)
