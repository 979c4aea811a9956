import base64
import json
from collections.abc import Callable
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from direct_debit.adapters.credentials import (
    MalformedCredentials,
    parse_credentials,
    parse_data,
    parse_inbound,
    parse_receiver,
    parse_signing,
)


def key(letter: str) -> str:
    return base64.b64encode(letter.encode() * 32).decode()


FIELDS: dict[str, object] = {
    "clientId": "CLIENT-1",
    "secretKey": "CANARY-secret",
    "merchantPrivateKey": "-----BEGIN PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----\n",
    "dokuPublicKey": "-----BEGIN PUBLIC KEY-----\nCANARY\n-----END PUBLIC KEY-----\n",
    "tokenKeys": {"k1": key("1"), "k2": key("2")},
    "activeTokenKey": "k2",
    "phonePepper": key("p"),
    "issuedTokenKey": key("i"),
}


def test_a_whole_secret_is_read() -> None:
    credentials = parse_credentials(json.dumps({**FIELDS, "dokuClientKey": "DOKU-1", "unknown": 1}))
    assert credentials.client_id == "CLIENT-1"
    assert credentials.doku_client_key == "DOKU-1"
    assert credentials.token_keys == {"k1": b"1" * 32, "k2": b"2" * 32}
    assert credentials.active_token_key == "k2"
    assert credentials.phone_pepper == b"p" * 32
    assert credentials.issued_token_key == b"i" * 32


def test_doku_uses_our_client_id_unless_it_says_otherwise() -> None:
    assert parse_credentials(json.dumps(FIELDS)).doku_client_key == "CLIENT-1"


@pytest.mark.parametrize("name", FIELDS)
def test_a_missing_field_is_named(name: str) -> None:
    with pytest.raises(MalformedCredentials) as error:
        parse_credentials(json.dumps({other: value for other, value in FIELDS.items() if other != name}))
    assert error.value.fields == [name]


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("clientId", "", "clientId"),
        ("secretKey", 7, "secretKey"),
        ("merchantPrivateKey", "CANARY", "merchantPrivateKey"),
        ("dokuPublicKey", "  ", "dokuPublicKey"),
        ("dokuClientKey", "", "dokuClientKey"),
        ("tokenKeys", {}, "tokenKeys"),
        ("tokenKeys", [], "tokenKeys"),
        ("tokenKeys", {"k.2": key("2")}, "tokenKeys"),
        ("tokenKeys", {"k2": "CANARY"}, "tokenKeys.k2"),
        ("tokenKeys", {"k2": base64.b64encode(b"CANARY").decode()}, "tokenKeys.k2"),
        ("activeTokenKey", "k3", "activeTokenKey"),
        ("clientId", "CLIENT-1 ", "clientId"),
        ("dokuClientKey", "CANARY\n", "dokuClientKey"),
        ("secretKey", "\tCANARY", "secretKey"),
        ("phonePepper", key("p") + "!", "phonePepper"),
        ("issuedTokenKey", None, "issuedTokenKey"),
    ],
)
def test_a_malformed_field_is_named_and_never_shown(name: str, value: object, field: str) -> None:
    with pytest.raises(MalformedCredentials) as error:
        parse_credentials(json.dumps({**FIELDS, name: value}))
    assert error.value.fields[0] == field
    assert field in str(error.value)
    assert "CANARY" not in str(error.value)
    assert error.value.__cause__ is None


@given(st.text(max_size=40))
def test_any_other_text_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(MalformedCredentials):
        parse_credentials(text)


def test_credentials_show_no_secret() -> None:
    shown = repr(parse_credentials(json.dumps(FIELDS)))
    assert "CANARY" not in shown
    assert "1111" not in shown
    assert "CLIENT-1" in shown


def test_all_that_is_wrong_is_named_at_once() -> None:
    wrong = {**FIELDS, "clientId": "", "secretKey": "CANARY ", "phonePepper": "CANARY", "dokuPublicKey": None}
    with pytest.raises(MalformedCredentials) as error:
        parse_credentials(json.dumps(wrong))
    assert error.value.fields == ["clientId", "secretKey", "dokuPublicKey", "phonePepper"]
    for told in ("clientId must be", "remove it", "openssl rand -base64 32"):
        assert told in str(error.value)
    assert "CANARY" not in str(error.value)


@pytest.mark.parametrize("breaks", ["\n", "\r\n", r"\n", r"\r\n"], ids=["LF", "CRLF", "escaped LF", "escaped CRLF"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["", "byte order mark"])
def test_a_secret_is_read_as_people_paste_it(breaks: str, mark: str) -> None:
    pem = str(FIELDS["merchantPrivateKey"])
    # As an editor writes it: the breaks stand in the JSON text as they are.
    text = json.dumps({**FIELDS, "merchantPrivateKey": "PEM"}).replace("PEM", pem.replace("\n", breaks))
    assert parse_credentials(mark + text).merchant_private_key == pem


def test_a_text_that_ends_being_json_is_told_where() -> None:
    with pytest.raises(MalformedCredentials, match=r"JSON object in SecretString.*line 2, column 14") as error:
        parse_credentials('{"clientId": "CANARY",\n "secretKey" "CANARY"}')
    assert "CANARY" not in str(error.value)
    with pytest.raises(MalformedCredentials, match="JSON object in SecretString"):
        parse_credentials("")  # also what was put as SecretBinary


@pytest.mark.parametrize("text", ["[" * 100_000, "9" * 5_000, '{"clientId":' * 100_000])
def test_a_text_that_the_json_reader_gives_up_on_is_refused_too(text: str) -> None:
    """Found by fuzzing: RecursionError and a plain ValueError came out, so the good version was not kept."""
    with pytest.raises(MalformedCredentials, match="nested too deeply, or holds a number"):
        parse_credentials(text)


@pytest.mark.parametrize("active", [[], {}, None, 1])
def test_an_active_key_that_is_no_text_is_named(active: object) -> None:
    """Found by fuzzing: a list ended in a TypeError."""
    with pytest.raises(MalformedCredentials) as error:
        parse_credentials(json.dumps({**FIELDS, "activeTokenKey": active}))
    assert error.value.fields == ["activeTokenKey"]


def test_a_bad_key_among_several_spoils_nothing_and_is_named() -> None:
    credentials = parse_credentials(json.dumps({**FIELDS, "tokenKeys": {"k1": "CANARY", "k2": key("2")}}))
    assert credentials.token_keys == {"k2": b"2" * 32}
    (fault,) = credentials.faults
    assert "tokenKeys.k1" in fault
    assert "CANARY" not in fault


PARTS: dict[str, tuple[Callable[[str], object], tuple[str, ...]]] = {
    "inbound": (parse_inbound, ("clientId", "secretKey", "dokuPublicKey", "issuedTokenKey")),
    "signing": (parse_signing, ("clientId", "secretKey", "merchantPrivateKey")),
    "data": (parse_data, ("tokenKeys", "activeTokenKey", "phonePepper")),
}


@pytest.mark.parametrize("part", PARTS)
def test_a_part_reads_its_own_fields_and_whatever_else_stands_there_is_nothing_to_it(part: str) -> None:
    parse, own = PARTS[part]
    alone = parse(json.dumps({name: FIELDS[name] for name in own}))
    assert parse(json.dumps(FIELDS)) == alone  # a whole secret, as it was before
    others = {name: "CANARY" if isinstance(value, dict) else 7 for name, value in FIELDS.items() if name not in own}
    assert parse(json.dumps({**FIELDS, **others})) == alone
    assert "CANARY" not in repr(alone)


@pytest.mark.parametrize("part", PARTS)
def test_a_part_names_all_of_its_fields_that_are_missing_and_no_other(part: str) -> None:
    parse, own = PARTS[part]
    with pytest.raises(MalformedCredentials) as error:
        parse("{}")
    assert error.value.fields == list(own)


def test_the_parts_together_are_the_whole() -> None:
    text = json.dumps({**FIELDS, "dokuClientKey": "DOKU-1", "tokenKeys": {"k1": "CANARY", "k2": key("2")}})
    whole = asdict(parse_credentials(text))
    parts = [asdict(parse_inbound(text)), asdict(parse_signing(text)), asdict(parse_data(text))]
    assert parts[0] | parts[1] | parts[2] == whole


NOTICES: dict[str, object] = {"noticeKeys": {"n1": key("n")}, "activeNoticeKey": "n1", "noticePepper": key("q")}
RECEIVER = {name: FIELDS[name] for name in PARTS["inbound"][1]} | NOTICES


def test_who_takes_notifications_seals_with_keys_that_are_for_that_only() -> None:
    receiver = parse_receiver(json.dumps({**FIELDS, **NOTICES}))
    assert receiver == parse_receiver(json.dumps(RECEIVER))
    assert (receiver.token_keys, receiver.active_token_key, receiver.phone_pepper) == (
        {"n1": b"n" * 32},
        "n1",
        b"q" * 32,
    )
    assert parse_data(json.dumps({**FIELDS, **NOTICES})).notice_keys == {"n1": b"n" * 32}
    assert parse_data(json.dumps(FIELDS)).notice_keys == {}


def test_a_whole_secret_of_before_seals_notifications_with_its_data_keys() -> None:
    receiver = parse_receiver(json.dumps(FIELDS))
    assert (receiver.active_token_key, receiver.phone_pepper) == ("k2", b"p" * 32)


def test_missing_and_malformed_notice_keys_are_named() -> None:
    with pytest.raises(MalformedCredentials) as error:
        parse_receiver(json.dumps({name: value for name, value in RECEIVER.items() if name not in NOTICES}))
    assert error.value.fields == list(NOTICES)
    with pytest.raises(MalformedCredentials) as error:
        parse_receiver(json.dumps({**RECEIVER, "activeNoticeKey": "n2"}))
    assert error.value.fields == ["activeNoticeKey"]
    data = parse_data(json.dumps({**FIELDS, "noticeKeys": {"n1": "CANARY", "n2": key("n")}}))
    assert data.notice_keys == {"n2": b"n" * 32}
    (fault,) = data.faults
    assert "noticeKeys.n1" in fault
    assert "CANARY" not in fault
