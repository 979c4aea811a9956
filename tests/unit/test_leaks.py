"""The finder of leaks finds what it is for."""

import json
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, urlencode

import pytest

from tests.fakes.leaks import find_leaks

CANARY = 'Siti "Canary" ü/7?'

WRITTEN = {
    "plain": f"a {CANARY} b",
    "json": json.dumps({"name": CANARY}),
    "json in json": json.dumps({"body": json.dumps({"name": CANARY})}),
    "json thrice": json.dumps([json.dumps({"body": json.dumps({"name": CANARY})})]),
    "url": "https://shop.example/?n=" + quote(CANARY),
    "url wholly": "https://shop.example/?n=" + quote(CANARY, safe=""),
    "url twice": "https://shop.example/?next=" + quote(quote(CANARY, safe=""), safe=""),
    "form": urlencode({"name": CANARY}),
    "hex": "0x00" + CANARY.encode().hex() + "ff",
    "HEX": CANARY.encode().hex().upper(),
    **{f"base64 at {at}": b64encode(b"x" * at + CANARY.encode() + b"tail").decode() for at in range(7)},
    **{f"base64url at {at}": urlsafe_b64encode(b"\xff" * at + CANARY.encode() + b"!").decode() for at in range(4)},
    "base64 of json": b64encode(json.dumps({"phone": "6281934567877", "x": "a"}).encode()).decode(),
}


@pytest.mark.parametrize("how", WRITTEN)
def test_a_text_is_found_however_it_is_written(how: str) -> None:
    canary = "6281934567877" if how == "base64 of json" else CANARY
    found = find_leaks([canary], {"there": WRITTEN[how], "here": "nothing of it"})
    assert found
    assert all(one.startswith("there: ") for one in found)
    assert canary not in str(found)


def test_what_is_not_there_is_not_found() -> None:
    texts = {"a": "Siti Canary", "b": b64encode(b"another text of the same kind").decode(), "c": "6281934567878"}
    assert find_leaks([CANARY, "6281934567877"], texts) == []
