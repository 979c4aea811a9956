"""docs/testing.md, row by row: what each value does, as a merchant meets it."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.shop import OTP, Shop, new_phone, new_ref
from tools.documents import Block, Reader, read_blocks
from tools.local_cloud.caller import Answer
from tools.local_cloud.checkout import ROOT
from tools.local_cloud.env_file import exports, shop_variables
from tools.local_cloud.stack import LocalStack

pytestmark = pytest.mark.e2e

PAGE = (ROOT / "docs/testing.md").read_text()


def read_table(heading: str) -> list[list[str]]:
    """The rows of the first table below a heading, without its own heading."""
    section = PAGE.split(f"\n## {heading}\n")[1]
    table = re.search(r"(?:^\|.*\n)+", section, re.MULTILINE)
    assert table is not None
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table[0].splitlines()]
    return rows[2:]


AMOUNTS = read_table("Amounts")
CODES = read_table("Codes (OTP)")
PHONES = read_table("Phones and the bank's pages")


def literals(cell: str) -> list[str]:
    """What a cell has in code: `X`."""
    return re.findall(r"`([^`]+)`", cell)


def said(answer: Answer, cell: str) -> None:
    """Check an answer against a cell like: 201 `FAILED`, or 422 `otp-wrong`, the last part of `type`."""
    assert str(answer.status) == cell.split(maxsplit=1)[0], answer.body
    assert literals(cell) in ([], [answer.body.get("state")], [problem(answer)])


def problem(answer: Answer) -> str:
    """The last part of an error's `type`."""
    return str(answer.body.get("type", "")).rpartition("/")[2]


@pytest.fixture(scope="module")
def binding(stack: LocalStack) -> str:
    """A linked account that no other test uses."""
    return Shop(stack).link()


def test_no_row_is_missing() -> None:
    assert [len(rows) for rows in (AMOUNTS, CODES, PHONES)] == [8, 3, 3]


@pytest.mark.parametrize(("amount", "answer", "code", "cause", "then"), AMOUNTS)
def test_an_amount(  # noqa: PLR0917 - a row
    stack: LocalStack, binding: str, amount: str, answer: str, code: str, cause: str, then: str
) -> None:
    shop, ref = Shop(stack), new_ref()
    paid = shop.call("POST", "/payments", payment(binding, ref, *literals(amount)))
    said(paid, answer)
    assert paid.body["responseCode"] == code
    assert [paid.body.get("failure", {}).get("cause", "")] == (literals(cause) or [""])
    if paid.body["state"] == "OTP_PENDING":
        assert shop.call("POST", f"/payments/{ref}/otp", {"otp": OTP}).status == 200
    if then != "final":
        end, *why = literals(then)
        settled = shop.wait_for_state(ref, end)
        assert [settled["failure"]["cause"]] == why if why else "failure" not in settled
        assert shop.entries(ref) == (["debit"] if end == "PAID" else [])


@pytest.mark.parametrize(("otp", "answer", "code", "then"), CODES)
def test_a_code(stack: LocalStack, binding: str, otp: str, answer: str, code: str, then: str) -> None:  # noqa: PLR0917 - a row
    shop, ref = Shop(stack), new_ref()
    assert shop.call("POST", "/payments", payment(binding, ref, "10000.00")).body["state"] == "OTP_PENDING"
    given = shop.call("POST", f"/payments/{ref}/otp", {"otp": literals(otp)[0]})
    said(given, answer)
    assert given.body["responseCode"] == code
    match literals(then):
        case ["otp-blocked", final]:
            shop.call("POST", f"/payments/{ref}/otp", {"otp": literals(otp)[0]})
            third = shop.call("POST", f"/payments/{ref}/otp", {"otp": literals(otp)[0]})
            assert (problem(third), f"({third.body['responseCode']})" in then) == ("otp-blocked", True)
            assert shop.payment(ref)["state"] == final
        case [final, cause]:
            assert (shop.payment(ref)["state"], shop.payment(ref)["failure"]["cause"]) == (final, cause)
        case nothing:
            assert nothing == []
            shop.wait_for_state(ref, "PAID")


@pytest.mark.parametrize(("ending", "answer", "code"), PHONES)
def test_a_phone(stack: LocalStack, ending: str, answer: str, code: str) -> None:
    phone = new_phone()
    digits: Sequence[str] = literals(ending)
    if digits:
        phone = phone[: -len(digits[0])] + digits[0]
    linked = Shop(stack).call(
        "POST",
        "/bindings",
        {"customerId": "CUST-" + new_ref(), "phone": phone},  # the pages are the demo shop's
    )
    said(linked, answer)
    assert linked.body["responseCode"] == code


@pytest.fixture
def reader(stack: LocalStack, tmp_path: Path) -> Iterator[Reader]:
    """A reader's shell that knows the stack; what it has set at the simulator is taken back."""
    opened = Reader(tmp_path, {"PATH": os.environ["PATH"]})
    opened.run(Block("", 0, exports(shop_variables(stack)), None, ""))
    yield opened
    opened.close()
    stack.simulator.control("dials/clear", {})


def test_every_command_of_the_page_is_taken_by_the_simulator(stack: LocalStack, reader: Reader) -> None:
    blocks = read_blocks(PAGE)
    assert len(blocks) > 1
    for block in blocks:
        reader.run(block)
    assert stack.simulator.control("state")["dials"] == []  # the page's last word takes all of it back


def payment(binding: str, ref: str, amount: str) -> dict[str, Any]:
    return {
        "bindingId": binding,
        "partnerReferenceNo": ref,
        "amount": {"value": amount, "currency": "IDR"},
        "remarks": "Magic values",
    }
