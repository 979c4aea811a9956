from direct_debit.adapters.dynamodb.keys import SHARDS, due_shard, due_shards, history_key, record_id


def test_a_record_keeps_its_shard_in_every_process() -> None:
    # Fixed values: a different hash would strand everything that is filed already.
    assert due_shard("payment", "ABCDEF123456") == "payment#6"
    assert due_shard("binding", "0123456789abcdef0123456789abcdef") == "binding#6"


def test_shards_are_used_and_all_are_read() -> None:
    used = {due_shard("inbox", str(number)) for number in range(200)}
    assert used == set(due_shards("inbox"))
    assert len(used) == SHARDS


def test_history_sorts_by_version() -> None:
    keys = [history_key("r", version)["sk"].get("S", "") for version in (1, 9, 10, 99, 100)]
    assert keys == sorted(keys)


def test_an_id_may_contain_what_separates() -> None:
    assert record_id("PAYMENT#a#b") == "a#b"
