"""The judge of the pages' commands: what it takes for the same, and what not."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.documents import Block, Reader, compare, differing, read_blocks
from tools.local_cloud.checkout import ROOT

PAGE = """# Page

## First

```sh
A=1
```

```
not for a shell
```

```sh
# a comment, no heading
echo "{\\"a\\": $A}"
```

```json
{"a": 1}
```

## Second

```sh
printf 'no end of line'
```
"""


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    opened = Reader(tmp_path, {"PATH": os.environ["PATH"]})
    yield opened
    opened.close()


def test_blocks_run_in_one_shell_and_say_what_the_page_says(reader: Reader) -> None:
    blocks = read_blocks(PAGE)
    assert [(block.heading, block.line, block.language) for block in blocks] == [
        ("First", 5, ""),
        ("First", 13, "json"),
        ("Second", 24, ""),
    ]
    said = [reader.run(block) for block in blocks]
    assert [one.strip() for one in said] == ["", '{"a": 1}', "no end of line"]
    for block, one in zip(blocks, said, strict=True):
        compare(block, one)


@pytest.mark.parametrize("shell", ["false", "false | true", "echo $UNSET", "exit 3", "true && ( exit 1 )"])
def test_a_failed_command_is_the_end(reader: Reader, shell: str) -> None:
    with pytest.raises(AssertionError, match="line 7: a command failed"):
        reader.run(Block("", 7, f"echo before\n{shell}\necho after\n", None, ""))


@pytest.mark.parametrize(
    ("wanted", "got", "told"),
    [
        ("PAID", "PAID", []),
        ("PAID", "FAILED", ["$ is 'FAILED', not 'PAID'"]),
        ("INV…", "INV1", []),
        ("…/linked?…", "http://x/linked?a=b", []),
        ("INV…", "X", ["$ is 'X', not 'INV…'"]),
        ({"a": "1"}, {"a": "1", "b": "2"}, ["$.b is not on the page"]),
        ({"a": "1", "…": "…"}, {"a": "1", "b": "2"}, []),
        ({"a": "1", "…": "…"}, {"b": "2"}, ["$.a is missing"]),
        ([{"a": 1}], [{"a": 2}], ["$[0].a is 2, not 1"]),
        ([], [1], ["$ has 1 items, not 0"]),
        ("1", 1, ["$ is 1, not '1'"]),
        ({"a": "1"}, ["1"], ["$ is ['1'], not {'a': '1'}"]),
        ({"id": "page's", "…": "…"}, {"id": "reader's"}, []),
        ({"id": "page's"}, {}, ["$.id is missing"]),
    ],
)
def test_where_an_answer_is_another(wanted: object, got: object, told: list[str]) -> None:
    assert list(differing(wanted, got, "$", {"id"})) == told


def test_another_answer_than_the_pages_is_told_with_its_line() -> None:
    with pytest.raises(AssertionError, match=r"line 3: \$.state is 'FAILED', not 'PAID'"):
        compare(Block("", 3, "pay", '{"state": "PAID"}', "json"), '{"state": "FAILED"}')
    with pytest.raises(AssertionError, match="line 3"):
        compare(Block("", 3, "pay", "done…\n", "text"), "not done")


# Pages whose blocks run, by these tests below tests/e2e; a heading: only what is below it.
_RUNNERS = ("test_documents.py", "test_magic_values.py", "test_leaked_key.py")
_RUN = {
    ("integrate.md", ""),
    ("api.md", ""),
    ("testing.md", ""),
    ("operations.md", "Find and export"),
    ("operations.md", "A key has leaked"),
}


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: page.name)
def test_no_block_for_a_shell_is_left_out(page: Path) -> None:
    """What no test runs is not marked `sh`."""
    left_out = [one for one in read_blocks(page.read_text()) if not {(page.name, ""), (page.name, one.heading)} & _RUN]
    assert left_out == []


def test_the_pages_that_run_are_run() -> None:
    tests = "".join((ROOT / "tests/e2e" / name).read_text() for name in _RUNNERS)
    for page, heading in _RUN:
        assert f'"docs/{page}"' in tests
        assert heading in tests
