"""The steps of a transaction. Each says on failure how its item stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import (
        ConditionCheckTypeDef,
        DeleteTypeDef,
        PutTypeDef,
        TransactWriteItemTypeDef,
        UpdateTypeDef,
    )

    from direct_debit.adapters.dynamodb.changes import Change
    from direct_debit.adapters.dynamodb.conditions import Condition
    from direct_debit.adapters.dynamodb.items import AttributeValue, Item


def put_step(table: str, item: Item, condition: Condition) -> TransactWriteItemTypeDef:
    """Write a whole item."""
    step: PutTypeDef = {
        "TableName": table,
        "Item": item,
        "ConditionExpression": condition.expression,
        "ExpressionAttributeNames": condition.names,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    if condition.values:
        step["ExpressionAttributeValues"] = condition.values
    return {"Put": step}


def update_step(table: str, key: Item, change: Change, condition: Condition) -> TransactWriteItemTypeDef:
    """Change an item."""
    step: UpdateTypeDef = {
        "TableName": table,
        "Key": key,
        "UpdateExpression": change.expression,
        "ConditionExpression": condition.expression,
        "ExpressionAttributeNames": {**change.names, **condition.names},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    values: dict[str, AttributeValue] = {**change.values, **condition.values}
    if values:
        step["ExpressionAttributeValues"] = values
    return {"Update": step}


def check_step(table: str, key: Item, condition: Condition) -> TransactWriteItemTypeDef:
    """Write nothing: the condition has to hold for the other steps."""
    step: ConditionCheckTypeDef = {
        "TableName": table,
        "Key": key,
        "ConditionExpression": condition.expression,
        "ExpressionAttributeNames": condition.names,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    if condition.values:
        step["ExpressionAttributeValues"] = condition.values
    return {"ConditionCheck": step}


def delete_step(table: str, key: Item, condition: Condition) -> TransactWriteItemTypeDef:
    """Delete an item."""
    step: DeleteTypeDef = {
        "TableName": table,
        "Key": key,
        "ConditionExpression": condition.expression,
        "ExpressionAttributeNames": condition.names,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    if condition.values:
        step["ExpressionAttributeValues"] = condition.values
    return {"Delete": step}
