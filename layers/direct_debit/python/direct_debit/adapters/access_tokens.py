"""Access tokens of an OAuth 2.0 issuer: JWTs as RFC 9068 has them, checked as RFC 8725 advises.

Everything that is refused raises TokenRefused with a reason that has nothing of the token in it.
"""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Protocol

import jwt
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from direct_debit.adapters.issuer_keys import UnknownKey

LONGEST_TOKEN = 8 * 1024  # characters; API Gateway takes 10,240 bytes of headers
_ALGORITHMS = ("RS256", "ES256")
# Headers that let a token bring its own key, or demand what nobody here does.
_FOREIGN_HEADERS = frozenset({"crit", "jku", "jwk", "x5u", "x5c", "b64", "zip", "enc"})
# A token of another kind, signed with the same key, is no access token (RFC 8725, 3.11). Many issuers write only JWT.
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)")
_NAME = re.compile(r"[!-~]{1,128}")
# Who a token was given to, by RFC 9068 and by OpenID Connect; `sub` where there is neither.
_CLIENT_CLAIMS = ("client_id", "azp", "sub")


class TokenRefused(Exception):
    """A token does not count. The text says why, in words of ours."""


class Keys(Protocol):
    """The issuer's keys."""

    def find(self, key_id: str) -> PyJWK:
        """Return the key of an id. Raises UnknownKey, IssuerUnavailable."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """What a token has to have. `audiences`: one is enough. `leeway`: seconds."""

    issuer: str
    audiences: AbstractSet[str]
    scopes_claim: str
    leeway: int


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """Whose a token is, and what it is for."""

    client: str
    scopes: AbstractSet[str]


def verify_token(authorization: str, keys: Keys, demands: Demands) -> VerifiedToken:
    """Check the value of an Authorization header. Raises TokenRefused, IssuerUnavailable."""
    bearer = _BEARER.fullmatch(authorization)
    if bearer is None or len(authorization) > LONGEST_TOKEN:
        raise TokenRefused("no bearer token")
    token = bearer[1]
    try:
        # The header alone: claims and signature are looked at once, by decode.
        key = keys.find(_key_id(jwt.get_unverified_header(f"{token.partition('.')[0]}..")))
        claims = jwt.decode(
            token,
            key,
            algorithms=_ALGORITHMS,
            issuer=demands.issuer,
            leeway=demands.leeway,
            # Its audience is compared below, by a rule that PyJWT does not have.
            options={"require": ["exp", "iss"], "verify_aud": False, "enforce_minimum_key_length": True},
        )
    except UnknownKey:
        raise TokenRefused("its key is none of the issuer's") from None
    except PyJWTError as error:
        raise TokenRefused(type(error).__name__) from None
    if "cnf" in claims:
        raise TokenRefused("it is bound to a key of its owner, which is not proved here")
    if not _audiences(claims) & demands.audiences:
        raise TokenRefused("it is for somebody else")
    return VerifiedToken(_client(claims), _scopes(claims.get(demands.scopes_claim)))


def _key_id(header: Mapping[str, object]) -> str:
    if _FOREIGN_HEADERS & set(header):
        raise TokenRefused("it brings its own key, or demands an extension")
    kind, key_id = header.get("typ", "JWT"), header.get("kid")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise TokenRefused("it is a token of another kind")
    if not isinstance(key_id, str) or not key_id:
        raise TokenRefused("it names no key")
    return key_id


def _audiences(claims: Mapping[str, object]) -> AbstractSet[str]:
    """Whom a token is for; the client itself where it does not say so, as API Gateway's own JWT authorisers take it.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
    """
    told = claims["aud"] if "aud" in claims else claims.get("client_id")
    return _texts(told if isinstance(told, list) else [told])


def _scopes(told: object) -> AbstractSet[str]:
    """Scopes as one text with blanks (RFC 8693), or as a list."""
    return _texts(told.split(" ") if isinstance(told, str) else told if isinstance(told, list) else [])


def _texts(values: list[object] | list[str]) -> AbstractSet[str]:
    return frozenset(value for value in values if isinstance(value, str) and value)


def _client(claims: Mapping[str, object]) -> str:
    told = next((claims[name] for name in _CLIENT_CLAIMS if name in claims), None)
    if not isinstance(told, str) or _NAME.fullmatch(told) is None:
        raise TokenRefused("it does not say whose it is")
    return told
