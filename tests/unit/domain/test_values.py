"""The definitions that doors, settings and wire share."""

import pytest

from direct_debit.domain import values
from direct_debit.domain.values import explain_character, read_url


@pytest.mark.parametrize(
    ("text", "scheme", "host", "port", "bare"),
    [
        ("https://shop.example", "https", "shop.example", None, True),
        ("HTTPS://Shop.Example:8443/a?b=c#d", "https", "shop.example", 8443, False),
        ("http://[::1]:80/", "http", "::1", 80, True),
        ("https://xn--mller-kva.example/a#", "https", "xn--mller-kva.example", None, True),
        ("https://shop.example/a?b=c", "https", "shop.example", None, False),
        ("https://shop.example/a#d", "https", "shop.example", None, False),
    ],
)
def test_a_url_is_read(text: str, scheme: str, host: str, port: int | None, bare: bool) -> None:
    address = read_url(text)
    assert (address.scheme, address.host, address.port, address.bare) == (scheme, host, port, bare)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "shop.example",
        "//shop.example",
        "ftp://shop.example",
        "https:shop.example",
        "https://",
        "https:///a",
        "https://:80/",
        "https://u@shop.example",
        "https://@shop.example",
        "https://shop.example:0",
        "https://shop.example:65536",
        "https://shop.example:x",
        "https://[::1",
        "https://shop.example/a b",
        "https://shop.example/a\n",
        " https://shop.example",
        "https://shop.example\\a",
        "https://m\u00fcller.example",
        "https://shop.example/\u0096",
        "https://shop.example/" + "x" * values.URL_LENGTH,
    ],
)
def test_what_is_no_url_is_refused_without_its_text(text: str) -> None:
    with pytest.raises(ValueError, match="URL") as refused:
        read_url(text)
    assert not text or text not in str(refused.value)
    assert refused.value.__context__ is None or refused.value.__suppress_context__


def test_a_url_may_be_as_long_as_it_may_be() -> None:
    start = "https://shop.example/"
    longest = start + "x" * (2048 - len(start))
    assert read_url(longest).host == "shop.example"
    with pytest.raises(ValueError, match="URL"):
        read_url(longest + "x")


def test_lengths_are_those_of_the_contract() -> None:
    """In characters; a shorter one would refuse what DOKU takes, a longer one promise what the wire refuses."""
    lengths = {name.removesuffix("_LENGTH"): value for name, value in vars(values).items() if name.endswith("_LENGTH")}
    assert lengths == {
        "ID": 64,
        "NAME": 70,
        "COUNTRY": 60,
        "ADDRESS": 255,
        "REASON": 255,
        "METADATA_VALUE": 500,
        "EMAIL": 64,
        "URL": 2048,
        "BASE_URL": 1024,
        "IPV4": 15,
    }


@pytest.mark.parametrize("code", [0x1F, 0x7F, 0x80, 0x9F, 0xD800, 0xDFFF])
def test_the_edges_of_what_can_not_be_written(code: int) -> None:
    told = explain_character(chr(code))
    assert told is not None
    assert f"U+{code:04X} at position 1" in told
    assert ("half of a character" in told) == (code >= 0xD800)


@pytest.mark.parametrize("code", [0x20, 0x7E, 0xA0, 0xD7FF, 0xE000])
def test_the_edges_of_what_can_be_written(code: int) -> None:
    assert explain_character(chr(code)) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Kopi \u2013 Tubruk \u200b\U0001f600", None),
        ("a\tb", "control character U+0009 at position 2"),
        ("Kopi\u0096Tubruk", "control character U+0096 at position 5; it looks like text in Windows-1252: send UTF-8"),
        ("\u0081", "control character U+0081 at position 1"),
        ("a\x7f", "control character U+007F at position 2"),
        ("ab\ud83d", "half of a character (U+D83D at position 3): send whole characters in UTF-8"),
    ],
)
def test_a_character_that_can_not_be_written_is_named(text: str, expected: str | None) -> None:
    assert explain_character(text) == expected


@pytest.mark.parametrize("code", range(0x80, 0xA0))
def test_windows_1252_is_suspected_where_it_has_a_character(code: int) -> None:
    try:
        bytes([code]).decode("cp1252")
    except UnicodeDecodeError:
        suspected = False
    else:
        suspected = True
    assert ("Windows-1252" in str(explain_character(chr(code)))) == suspected
