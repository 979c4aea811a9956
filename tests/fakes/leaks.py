"""Finding a secret in a text, however it is written: as it is, in base64, in hex, for a URL, in JSON, twice in JSON."""

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote, quote_plus

_LEAST = 6  # characters of a form: shorter ones are in many a text by chance


def find_leaks(canaries: Iterable[str], places: Mapping[str, str]) -> list[str]:
    """Return `place: form of canary` for each form of each canary that is somewhere; the canary itself is not told."""
    return [
        f"{place}: {how} of number {number}"
        for number, canary in enumerate(canaries)
        for how, form in list_forms(canary)
        for place, text in places.items()
        if form in text
    ]


def list_forms(canary: str) -> Iterator[tuple[str, str]]:
    """Yield how a text may be written, and the text so written; each form once."""
    seen: set[str] = set()
    for how, form in _forms(canary):
        if len(form) >= min(_LEAST, len(canary)) and form not in seen:
            seen.add(form)
            yield how, form


def _forms(canary: str) -> Iterator[tuple[str, str]]:
    data = canary.encode()
    yield "the text", canary
    yield "the text backwards", canary[::-1]
    escaped = json.dumps(canary)[1:-1]
    yield "JSON", escaped
    yield "JSON in JSON", json.dumps(escaped)[1:-1]
    yield "JSON in JSON in JSON", json.dumps(json.dumps(escaped)[1:-1])[1:-1]
    for name, encode in (("URL", lambda text: quote(text, safe="")), ("form", quote_plus)):
        once = encode(canary)
        yield name, once
        yield f"{name} in small letters", once.lower() if once != canary else once
        yield f"{name} twice", encode(once)
    yield "a URL's path", quote(canary)
    yield "hex", data.hex()
    yield "hex in capitals", data.hex().upper()
    for shift in range(3):  # where in a longer text it begins
        for name, encode64 in (("base64", b64encode), ("base64 for URLs", urlsafe_b64encode)):
            whole = encode64(b"\0" * shift + data).decode().rstrip("=")
            # What neighbours share a character with is cut off.
            inner = whole[(shift * 8 + 5) // 6 : len(data + b"\0" * shift) * 8 // 6]
            yield f"{name}, shifted by {shift}", inner
            yield f"{name} in base64, shifted by {shift}", b64encode(inner.encode()).decode().rstrip("=")[:-1]
