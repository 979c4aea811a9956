"""docs/restore.md, executed: both tables restored under another name and used by a deployment; orders go on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.shop import Shop, new_ref
from tools.deploy.__main__ import main
from tools.local_cloud.env_file import env_file
from tools.local_cloud.stack import LocalStack

pytestmark = pytest.mark.e2e

TABLES = ("Bindings", "Transactions")


@pytest.fixture
def running(stack: LocalStack, tmp_path: Path) -> Iterator[Path]:
    with env_file(stack, tmp_path / "env.json") as path:
        yield path


def restore(stack: LocalStack, table: str) -> str:
    """Restore a table and turn its stream on; returns the two parameters that name it."""
    client = stack.cloud.dynamodb()
    name = f"{stack.name}-{table}-restored"
    client.restore_table_to_point_in_time(
        SourceTableName=stack.outputs[f"{table}TableName"], TargetTableName=name, UseLatestRestorableTime=True
    )
    client.get_waiter("table_exists").wait(TableName=name)
    client.update_table(
        TableName=name, StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    )
    restored = client.describe_table(TableName=name)["Table"]
    indexes = {index["IndexName"] for index in restored["GlobalSecondaryIndexes"]}
    assert indexes == {"customer", "day", "due"} | ({"dokuReference"} if table == "Transactions" else set())
    return f"Restored{table}Arn={restored['TableArn']} Restored{table}StreamArn={restored['LatestStreamArn']}"


def has_payment(stack: LocalStack, table: str, ref: str) -> bool:
    key = {"pk": {"S": f"PAYMENT#{ref}"}, "sk": {"S": "PAYMENT"}}
    return "Item" in stack.cloud.dynamodb().get_item(TableName=table, Key=key)


def test_orders_go_on_in_restored_tables(stack: LocalStack, running: Path) -> None:
    shop = Shop(stack)
    binding, before, after = shop.link(), new_ref(), new_ref()
    shop.paid(binding, before)
    restored = " ".join(restore(stack, table) for table in TABLES)
    to_local = ["--to", "local", "--yes"]
    assert main([*to_local, "--set", restored.split(" Restored", maxsplit=1)[0]], running=running) == 1, "not by halves"
    assert main([*to_local, "--set", restored], running=running) == 0
    try:
        assert shop.payment(before)["state"] == "PAID"
        shop.paid(binding, after)
        assert has_payment(stack, f"{stack.name}-Transactions-restored", after)
        assert not has_payment(stack, stack.transactions_table, after)
        assert len(shop.payment(after)["history"]) > 1, "told by the stream of the restored table"
        assert shop.entries(after) == ["debit"]
    finally:
        assert main([*to_local, "--back"], running=running) == 0
    assert shop.payment(before)["state"] == "PAID"
