"""Page marks of lists, as callers may write them: they are base64 of what can be guessed."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import UTC, datetime

from pydantic import ValidationError

from direct_debit.adapters.dynamodb.items import write_instant
from direct_debit.application.errors import InvalidRequest
from direct_debit.application.ports.pages import PageMark
from direct_debit.entrypoint.listing import read_mark, write_mark
from direct_debit.entrypoint.operations.list_payments import ListPaymentsRequest
from tests.fuzz.target import CANARY, Target, keep_secret, require

_LIST = "5f1c09ab"
_MARK = PageMark(datetime(2026, 3, 2, 9, 1, tzinfo=UTC), "INV202603020")


def check_mark(data: bytes) -> None:
    """Try a mark as it came and, since most of what is in it never passes base64, what it may hold."""
    _check(data.decode("utf-8", "replace"))
    _check(urlsafe_b64encode(data).decode().rstrip("="))


def _check(text: str) -> None:
    try:
        mark, of = read_mark(text)
    except ValueError:
        mark, of = None, ""
    try:
        request = ListPaymentsRequest.model_validate({"customerId": "C-1", "after": text})
    except ValidationError as error:
        keep_secret([str(error)])
        return
    require(mark is not None, "the door takes only what can be read")
    if mark is None:
        return
    write_instant(mark.at)  # what the store is asked with
    require(read_mark(write_mark(mark, of)) == (mark, of), "it can be written and read again")
    try:
        require(request.to_mark(_LIST) == mark and of == _LIST, "a mark counts for its own list")
    except InvalidRequest as error:
        require(of != _LIST, "a mark of this list is taken")
        keep_secret([str(error)])


PAGE_MARKS = (
    Target(
        "page-mark",
        "any text is a mark that the store can be asked with, or a refusal that does not repeat it",
        check_mark,
        [
            write_mark(_MARK, _LIST).encode(),
            f"{_MARK.at.isoformat()}|{_LIST}|{_MARK.id}".encode(),
            f"2026-03-02T16:01:00.5+07:00|{_LIST}|{CANARY}".encode(),
        ],
    ),
)
