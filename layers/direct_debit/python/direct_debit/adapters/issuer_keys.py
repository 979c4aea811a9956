"""The keys with which the issuer of access tokens signs, as it publishes them (RFC 7517).

They are fetched once and kept for a minute. A token that names another key has them fetched at once, but not again and
again for a stranger who makes names up. While the issuer does not answer, what it published within the last hour still
counts: or each outage there would be one of all payments here.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from jwt import PyJWK, PyJWKClient
from jwt.exceptions import PyJWTError

from direct_debit.application.ports.time_and_chance import Clock

KEPT = timedelta(minutes=1)
"""How long keys are used before they are fetched anew: so soon a key that the issuer takes back ends."""
COOL_DOWN = timedelta(seconds=10)
"""How long the issuer is left alone after it did not answer, or had no key of the name that it was asked for."""
LONGEST_WITHOUT_ISSUER = timedelta(hours=1)
_TIMEOUT_SECONDS = 3
_KEY_TYPES = frozenset({"RSA", "EC"})  # what RS256 and ES256 are made with
_NEVER = datetime.min.replace(tzinfo=UTC)


class UnknownKey(Exception):
    """The issuer publishes no key of this id."""


class IssuerUnavailable(Exception):
    """The issuer's keys can not be had: it does not answer, or what it answers is no set of keys."""


class IssuerKeys:
    """The published keys, by their ids."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._clock = clock
        self._client = PyJWKClient(url, cache_jwk_set=False, timeout=_TIMEOUT_SECONDS)
        self._keys: Mapping[str, PyJWK] = {}
        self._published_at = self._quiet_until = _NEVER
        self._answers = True

    def find(self, key_id: str) -> PyJWK:
        """Return the key of an id. Raises UnknownKey, IssuerUnavailable."""
        now = self._clock.now()
        stale = now - self._published_at >= KEPT
        if (stale or key_id not in self._keys) and now >= self._quiet_until:
            self._fetch(now)
            if not self._answers or key_id not in self._keys:
                self._quiet_until = now + COOL_DOWN
        if now - self._published_at > LONGEST_WITHOUT_ISSUER:
            raise IssuerUnavailable
        found = self._keys.get(key_id)
        if found is None:
            raise UnknownKey if self._answers else IssuerUnavailable
        return found

    def _fetch(self, now: datetime) -> None:
        try:
            keys = _read_keys(self._client.fetch_data())
        except (PyJWTError, ValueError, OSError, RecursionError):  # no answer, or no JSON object
            keys = {}
        self._answers = bool(keys)
        if keys:
            self._published_at, self._keys = now, keys


def _read_keys(document: Mapping[str, object]) -> Mapping[str, PyJWK]:
    """Return the keys that may sign; one that can not be read takes nothing from the others."""
    listed = document.get("keys")
    found: dict[str, PyJWK] = {}
    for told in listed if isinstance(listed, list) else ():
        if not isinstance(told, dict) or told.get("use", "sig") != "sig":
            continue
        try:
            if told.get("kty") not in _KEY_TYPES:
                continue
            key = PyJWK(told)
        except (PyJWTError, ValueError, TypeError, KeyError):
            continue
        if isinstance(key.key_id, str) and key.key_id:
            found.setdefault(key.key_id, key)
    return found
