"""Identifiers that we make: references for DOKU and request ids (contract 2.4, 3.8)."""

import hashlib
import json
from collections.abc import Mapping, Sequence

from direct_debit.application.ports.time_and_chance import Clock, Ids

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_REFERENCE_LENGTH = 12  # every limit that DOKU's own SDKs apply lets 12 characters pass (contract 9, row 6)
_RANDOM_DIGITS = 12


def derive_reference(key: str) -> str:
    """Return the reference `[A-Z0-9]{12}` that belongs to `key`: always the same one, so a retry can not differ."""
    number = int.from_bytes(hashlib.sha256(key.encode()).digest())
    digits = []
    for _ in range(_REFERENCE_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(digits)


def make_external_id(clock: Clock, ids: Ids) -> str:
    """Return a fresh X-EXTERNAL-ID: 14 digits of UTC time and 12 random ones."""
    return clock.now().strftime("%Y%m%d%H%M%S") + ids.digits(_RANDOM_DIGITS)


def canonical(content: Mapping[str, object]) -> str:
    """Return one text for equal content, whatever the order of its members: what a request's fingerprint is made of.

    A member that was not sent (None, or an empty mapping) is not in it, so that a field which a later release adds does
    not change the text of the requests made before.
    """
    return _dump({name: value for name, value in content.items() if value is not None and value != {}})


def canonical_with_absent(content: Mapping[str, object], members: Sequence[str]) -> str | None:
    """Return the text that earlier releases made of the same content: absent members as null, no metadata as `{}`.

    Their records have fingerprints of it. `members` are the fields that requests had then; None for content that has
    another one, which those releases can not have recorded.
    """
    if any(name not in members and value is not None and value != {} for name, value in content.items()):
        return None
    return _dump({name: content[name] for name in members})


def _dump(content: Mapping[str, object]) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
