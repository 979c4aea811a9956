"""The pages' commands, run literally and in their order, as a reader does who has `make run` in another terminal."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.shop import Shop, new_ref
from tools.documents import Block, Reader, compare, read_blocks
from tools.local_cloud.checkout import ROOT
from tools.local_cloud.env_file import exports, ops_variables, shop_variables
from tools.local_cloud.stack import LocalStack

pytestmark = pytest.mark.e2e

# What the page's customer does, between two blocks of docs/api.md: at the bank, and by waiting.
_AT_THE_BANK = """
BINDING=$(pay "$API/bindings?customerId=CUST-2002" | python3 -c '
import json, sys
print(json.load(sys.stdin)["bindings"][0]["bindingId"])')
REDIRECT=$(pay $API/bindings/$BINDING | grep -o '"redirectUrl":"[^"]*' | cut -d'"' -f4)
BACK=$(curl --silent --data '{"outcome": "success"}' $SIMULATOR/_control/bindings/${REDIRECT##*/}/complete |
  grep -o 'http[^"]*')
curl --silent --output /dev/null "$BACK"
until pay $API/bindings/$BINDING | grep '"state":"ACTIVE"'; do sleep 1; done
"""
_UNTIL_PAID = """until pay $API/payments/INV202608010 | grep '"state":"PAID"'; do sleep 1; done"""
_UNTIL_REFUNDED = """until pay $API/payments/INV202608010/refund | grep '"state":"REFUNDED"'; do sleep 1; done"""
_AFTERWARDS = {
    ("Link an account", 1): _AT_THE_BANK,
    ("Pay", 3): _UNTIL_PAID,
    ("Refund", 1): _UNTIL_REFUNDED,
}
# Ids and addresses of the page's example.
_OWN = {"bindingId", "redirectUrl", "self"}


@pytest.fixture
def reader(stack: LocalStack, tmp_path: Path) -> Iterator[Reader]:
    """A reader's shell in a folder that has the files of `make run`."""
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local" / "env").write_text(exports(shop_variables(stack)))
    opened = Reader(tmp_path, {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ})
    yield opened
    opened.close()


def test_integrate_from_the_first_command_to_the_last(reader: Reader) -> None:
    blocks = read_blocks((ROOT / "docs/integrate.md").read_text())
    assert len(blocks) > 12
    for block in blocks:
        compare(block, reader.run(block))


def test_every_command_of_the_api_page(reader: Reader) -> None:
    blocks = read_blocks((ROOT / "docs/api.md").read_text())
    reader.run(Block("", 0, ". .local/env", None, ""))
    seen: dict[str, int] = {}
    for block in blocks:
        compare(block, reader.run(block), _OWN)
        seen[block.heading] = seen.get(block.heading, 0) + 1
        afterwards = _AFTERWARDS.get((block.heading, seen[block.heading]))
        if afterwards:
            reader.run(Block(block.heading, block.line, afterwards, None, ""))
    assert {heading for heading, _ in _AFTERWARDS} <= set(seen)


def test_the_operators_first_lines(stack: LocalStack) -> None:
    shop = Shop(stack)
    binding, ref = shop.link(), new_ref()
    shop.paid(binding, ref)
    page = (ROOT / "docs/operations.md").read_text()
    first = re.search(r"```\nexport (.*)\n((?:\./ops .*\n)+)```", page)
    assert first is not None
    # What the page's first line sets, `. .local/env.ops` sets for a stack of `make run`.
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **ops_variables(stack)}
    assert set(re.findall(r"(\w+)=", first[1])) - set(environment) == {"AWS_PROFILE"}
    commands = [line.partition("#")[0].replace("REF", ref).split() for line in first[2].splitlines()]
    assert [command[:2] for command in commands] == [["./ops", "review"], ["./ops", "explain"], ["./ops", "queues"]]
    for command in commands:
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        # 3: something waits for a person, which other tests may have left.
        assert done.returncode in {0, 3}, done.stderr
        assert done.stdout
    wrong = subprocess.run(["./ops", "explain"], cwd=ROOT, env=environment, capture_output=True, check=False)
    assert wrong.returncode == 2  # and not make's


def test_every_export_of_the_operators_page(stack: LocalStack, tmp_path: Path) -> None:
    page = (ROOT / "docs/operations.md").read_text()
    (block,) = [one for one in read_blocks(page) if one.heading == "Find and export"]
    reader = Reader(tmp_path, {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **ops_variables(stack)})
    try:
        # The reader stands in another folder than the checkout: what is written is written there.
        reader.run(Block(block.heading, block.line, block.shell.replace("./ops ", f"'{ROOT}/ops' "), None, ""))
    finally:
        reader.close()
    assert {file.name for file in tmp_path.iterdir()} == set(re.findall(r"--output (\S+)", block.shell))
