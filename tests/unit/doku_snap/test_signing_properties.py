"""What must hold for every body: minify keeps the meaning, a signature survives layout, nothing crashes."""

import contextlib
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doku_snap.errors import InvalidMessage
from doku_snap.signing import (
    format_timestamp,
    minify,
    parse_received_timestamp,
    parse_timestamp,
    serialize,
    sign_symmetric,
    symmetric_string_to_sign,
    verify_symmetric,
)

EARLIEST = datetime(1000, 1, 2)  # noqa: DTZ001  hypothesis adds the zone
LATEST = datetime(9999, 12, 30)  # noqa: DTZ001  hypothesis adds the zone
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=20,
)


@given(JSON, st.sampled_from([None, 1, "\t", " \r\n "]), st.booleans())
def test_minify_keeps_the_meaning_and_is_idempotent(value: object, indent: int | str | None, ascii_only: bool) -> None:
    raw = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode()
    small = minify(raw)
    assert json.loads(small) == json.loads(raw)
    assert minify(small) == small
    assert small == json.dumps(value, separators=(",", ":"), ensure_ascii=ascii_only).encode()


@given(st.binary())
def test_minify_takes_anything_and_only_ever_drops_blanks(raw: bytes) -> None:
    small = minify(raw)
    assert minify(small) == small
    assert [b for b in small if b not in b" \t\r\n"] == [b for b in raw if b not in b" \t\r\n"]


def test_minify_is_linear_on_hostile_input() -> None:
    # Each of these makes a scan that restarts at every quote quadratic: minutes instead of milliseconds.
    for hostile in (b'"\\' * 500_000, b'\\"' * 500_000, b'"' + b'\\"' * 500_000 + b"\\"):
        assert minify(hostile) == hostile


@given(JSON, st.sampled_from([None, 1, "\t", "\r\n "]), st.booleans())
def test_a_signature_survives_layout(value: object, indent: int | str | None, ascii_only: bool) -> None:
    sent = serialize(value)
    signature = sign_symmetric(symmetric_string_to_sign("POST", "/p", "t", sent, "ts"), "secret")
    received = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode()
    assert verify_symmetric(signature, "secret", method="POST", path="/p", b2b_token="t", body=received, timestamp="ts")


@given(st.binary())
def test_any_body_can_be_checked(body: bytes) -> None:
    signature = sign_symmetric(symmetric_string_to_sign("POST", "/p", "t", body, "ts"), "secret")
    parts = {"method": "POST", "path": "/p", "b2b_token": "t", "timestamp": "ts"}
    assert verify_symmetric(signature, "secret", body=body, **parts)
    assert not verify_symmetric(signature, "other", body=body, **parts)


@pytest.mark.parametrize("body", [b"[" * 200_000, b"1" * 10_000, b'"\\ud800"', b"NaN", b"\xff"])
def test_bodies_that_parsers_choke_on_can_be_checked(body: bytes) -> None:
    assert not verify_symmetric("x", "secret", method="POST", path="/p", b2b_token="t", body=body, timestamp="ts")


@pytest.mark.parametrize(
    ("signed", "received", "accepted"),
    [
        ("10000.0", "10000.00", True),  # as a sender's double is written
        ("10000.5", "1.00005E+4", True),
        ("1234567890123456.8", "1234567890123456.78", False),
        ("10000.5", "10000.500000000000000000001", False),
        ("Infinity", "1e400", False),
        ("0.0", "1e-999999999999999999999", False),
    ],
)
def test_a_number_counts_as_written_again_only_with_all_of_its_digits(
    signed: str, received: str, accepted: bool
) -> None:
    """Found by fuzzing: one signature was good for two amounts."""
    signature = sign_symmetric(
        symmetric_string_to_sign("POST", "/p", "t", f'{{"a":{signed}}}'.encode(), "ts"), "secret"
    )
    body = f'{{"a": {received}}}'.encode()
    parts = {"method": "POST", "path": "/p", "b2b_token": "t", "timestamp": "ts"}
    assert verify_symmetric(signature, "secret", body=body, **parts) is accepted


def test_serialize_is_compact_raw_utf8_in_the_given_order() -> None:
    assert serialize({"b": "é / <&> 東", "a": [1, {}]}) == '{"b":"é / <&> 東","a":[1,{}]}'.encode()
    with pytest.raises(ValueError, match="Out of range"):
        serialize(float("nan"))


@given(st.datetimes(min_value=EARLIEST, max_value=LATEST, timezones=st.timezones()))
def test_timestamps_round_trip_in_whole_utc_seconds(moment: datetime) -> None:
    text = format_timestamp(moment)
    assert len(text) == 20
    assert text.endswith("Z")
    assert parse_timestamp(text) == moment.astimezone(UTC).replace(microsecond=0)


def test_a_naive_moment_is_no_timestamp() -> None:
    with pytest.raises(ValueError, match="time zone"):
        format_timestamp(datetime(2024, 1, 1))  # noqa: DTZ001  the point of the test


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-11-19T07:15:00Z", datetime(2024, 11, 19, 7, 15, tzinfo=UTC)),
        ("2024-11-19T14:15:00+07:00", datetime(2024, 11, 19, 7, 15, tzinfo=UTC)),
        ("2024-11-19T12:45:00+05:30", datetime(2024, 11, 19, 7, 15, tzinfo=UTC)),
        ("2024-11-19T02:15:00-05:00", datetime(2024, 11, 19, 2, 15, tzinfo=timezone(timedelta(hours=-5)))),
        ("2024-11-19T07:15:00+00:00", datetime(2024, 11, 19, 7, 15, tzinfo=UTC)),
    ],
)
def test_timestamps_with_z_or_a_real_offset_are_read(text: str, expected: datetime) -> None:
    assert parse_timestamp(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2020-12-21T07:56:11.000Z",
        "2024-11-19T07:15:00-00:00",
        "2024-11-19T07:15:00+5.5:30",
        "2024-11-19T07:15:00+0700",
        "2024-11-19T07:15:00",
        "2024-11-19 07:15:00Z",
        "2024-11-19T07:15Z",
        "2024-11-19T07:15:00z",
        "2024-11-19T07:15:00Z\n",
        "2024-02-30T07:15:00Z",
        "2024-11-19T24:15:00Z",
        "2024-11-19T07:15:60Z",
        "2024-11-19T07:15:00+15:00",
        "2024-11-19T07:15:00+07:20",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+07:00",
        "٢٠٢٤-11-19T07:15:00Z",
    ],
)
def test_other_timestamps_are_refused(text: str) -> None:
    with pytest.raises(InvalidMessage) as refused:
        parse_timestamp(text)
    assert refused.value.field == "X-TIMESTAMP"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2020-12-21T07:56:11.000Z", datetime(2020, 12, 21, 7, 56, 11, tzinfo=UTC)),
        ("2020-12-21T07:56:11.1234567Z", datetime(2020, 12, 21, 7, 56, 11, 123456, tzinfo=UTC)),
        ("2020-12-21T07:56:11.5z", datetime(2020, 12, 21, 7, 56, 11, 500000, tzinfo=UTC)),
        ("2024-11-19T14:15:00+0700", datetime(2024, 11, 19, 7, 15, tzinfo=UTC)),
        ("2024-11-19T14:15:00.25+07:00", datetime(2024, 11, 19, 7, 15, 0, 250000, tzinfo=UTC)),
        ("2024-11-19T07:15:00-00:00", datetime(2024, 11, 19, 7, 15, tzinfo=UTC)),
    ],
)
def test_what_doku_may_send_is_read_and_never_sent(text: str, expected: datetime) -> None:
    assert parse_received_timestamp(text) == expected
    with pytest.raises(InvalidMessage):
        parse_timestamp(text)


@pytest.mark.parametrize(
    "text",
    [
        "2024-11-19T07:15:00",
        "2024-11-19T07:15:00.Z",
        "2024-11-19T07:15:00.0123456789Z",
        "2024-11-19T07:15:00,5Z",
        "2024-11-19T07:15:00+5.5:30",
        "2024-11-19T07:15:00+07",
        "2024-11-19T07:15:00+1500",
        "2024-11-19T07:15:00 Z",
        "2024-11-19T07:15:60.000Z",
        "0001-01-01T00:00:00+0700",
    ],
)
def test_other_texts_are_no_moment(text: str) -> None:
    with pytest.raises(InvalidMessage):
        parse_received_timestamp(text)


@given(st.text() | st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,9})?([zZ]|[+-]\d\d:?\d\d)", fullmatch=True))
def test_no_text_crashes_the_timestamp_readers(text: str) -> None:
    for read in (parse_timestamp, parse_received_timestamp):
        with contextlib.suppress(InvalidMessage):
            assert read(text).tzinfo is UTC
