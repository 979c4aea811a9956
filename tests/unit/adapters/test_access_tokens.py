"""Access tokens: one that is right counts, and each single thing that is wrong with one is refused by its name."""

import base64
import contextlib
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st
from jwt import PyJWK
from jwt.algorithms import RSAAlgorithm

from direct_debit.adapters.access_tokens import LONGEST_TOKEN, Demands, TokenRefused, VerifiedToken, verify_token
from direct_debit.adapters.issuer_keys import IssuerUnavailable, UnknownKey
from tools.local_cloud.issuer import AUDIENCE, CLIENT, Issuer, new_signing_key

LEEWAY = 60
ISSUER = Issuer(url="https://login.example/")
DEMANDS = Demands(
    issuer="https://login.example/", audiences=frozenset({AUDIENCE, "other"}), scopes_claim="scope", leeway=LEEWAY
)


class Published:
    """The issuer's keys, without a network."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer

    def find(self, key_id: str) -> PyJWK:
        """Return a key."""
        for one in self._issuer.publish()["keys"]:
            if one["kid"] == key_id:
                return PyJWK(dict(one))
        raise UnknownKey


def verify(token: str, demands: Demands = DEMANDS, issuer: Issuer = ISSUER) -> VerifiedToken:
    return verify_token(f"Bearer {token}", Published(issuer), demands)


def asking(claim: str) -> Demands:
    return Demands(issuer=DEMANDS.issuer, audiences=DEMANDS.audiences, scopes_claim=claim, leeway=LEEWAY)


def test_a_token_says_whose_it_is_and_what_for() -> None:
    assert verify(ISSUER.token("direct-debit/pay", "openid")) == VerifiedToken(
        CLIENT, frozenset({"direct-debit/pay", "openid"})
    )


def test_a_token_signed_on_an_elliptic_curve_counts() -> None:
    issuer = Issuer(url=ISSUER.url)
    issuer.rotate(new_signing_key("ES256"))
    assert verify(issuer.token("a"), issuer=issuer).scopes == {"a"}


# As issuers write them: RFC 9068; Okta; Microsoft Entra ID; Cognito, which has no aud.
DIALECTS: tuple[tuple[str, Mapping[str, object], str], ...] = (
    ("scope", {"scope": "a b"}, CLIENT),
    ("scp", {"scope": None, "scp": ["a", "b"], "client_id": None, "azp": "app-1"}, "app-1"),
    ("roles", {"scope": None, "roles": ["a", "b"], "aud": ["x", AUDIENCE]}, CLIENT),
    ("scope", {"scope": "a b", "aud": None, "client_id": "other", "token_use": "access"}, "other"),
    ("scope", {"scope": "a b", "client_id": None}, CLIENT),
)


@pytest.mark.parametrize(("claim", "claims", "client"), DIALECTS)
def test_the_dialects_of_issuers_are_understood(claim: str, claims: Mapping[str, object], client: str) -> None:
    token = sign(claims, {"typ": "JWT"})
    assert verify(token, asking(claim)) == VerifiedToken(client, frozenset({"a", "b"}))


@pytest.mark.parametrize("scopes", [None, 7, {"a": 1}, [7, None, ""], "", " "])
def test_scopes_that_are_none_give_no_right(scopes: object) -> None:
    assert verify(ISSUER.token(claims={"scope": scopes})).scopes == set()


def test_scopes_of_another_claim_give_no_right() -> None:
    assert verify(ISSUER.token("direct-debit/pay", claims={"scp": "b"}), asking("roles")).scopes == set()


def now() -> int:
    return int(time.time())


MINUTE = 60
WRONG_CLAIMS: tuple[tuple[str, Callable[[], Mapping[str, object]]], ...] = (
    ("ended", lambda: {"exp": now() - LEEWAY - 1}),
    ("never ends", lambda: {"exp": None}),
    ("ends in words", lambda: {"exp": "tomorrow"}),
    ("begins later", lambda: {"nbf": now() + LEEWAY + MINUTE}),
    ("was made later", lambda: {"iat": now() + LEEWAY + MINUTE}),
    ("of another issuer", lambda: {"iss": "https://login.example.evil/"}),
    ("of the issuer without its slash", lambda: {"iss": "https://login.example"}),
    ("of no issuer", lambda: {"iss": None}),
    ("of several issuers", lambda: {"iss": [DEMANDS.issuer]}),
    ("for somebody else", lambda: {"aud": "another-api"}),
    ("for nearly us", lambda: {"aud": AUDIENCE + "x"}),
    ("for nobody, by another client", lambda: {"aud": None}),
    ("for an empty audience, by a client that would do", lambda: {"aud": "", "client_id": "other"}),
    ("for an audience in odd form, by a client that would do", lambda: {"aud": {"other": 1}, "client_id": "other"}),
    ("bound to its owner's key", lambda: {"cnf": {"jkt": "x"}}),
    ("nobody's", lambda: {"sub": None, "client_id": None}),
    ("whose client is no text", lambda: {"client_id": {"a": 1}}),
    ("whose client breaks lines", lambda: {"client_id": "a\nb"}),
)


@pytest.mark.parametrize("claims", [wrong[1] for wrong in WRONG_CLAIMS], ids=[wrong[0] for wrong in WRONG_CLAIMS])
def test_a_token_that_is_not_for_this_now_is_refused(claims: Callable[[], Mapping[str, object]]) -> None:
    with pytest.raises(TokenRefused):
        verify(sign(claims()))


def test_clocks_may_differ_by_the_leeway() -> None:
    for claims in ({"exp": now() - LEEWAY + MINUTE // 2}, {"nbf": now() + LEEWAY // 2}, {"iat": now() + LEEWAY // 2}):
        assert verify(ISSUER.token("a", claims=claims)).scopes == {"a"}


WRONG_HEADERS: tuple[Mapping[str, object], ...] = (
    {"kid": "another"},
    {"kid": None},
    {"kid": 7},
    {"kid": ""},
    {"typ": "id+jwt"},
    {"typ": "dpop+jwt"},
    {"typ": "logout+jwt"},
    {"typ": 7},
    {"crit": ["exp"]},
    {"jku": "https://evil.example/jwks"},
    {"x5u": "https://evil.example/cert"},
    {"jwk": {"kty": "oct", "k": "AA"}},
)


@pytest.mark.parametrize("headers", WRONG_HEADERS)
def test_a_token_that_names_no_key_of_the_issuer_or_brings_its_own_is_refused(headers: Mapping[str, object]) -> None:
    with pytest.raises(TokenRefused):
        verify(sign({}, headers))


@pytest.mark.parametrize("headers", [{"kid": None}, {"kid": ""}])
def test_a_token_that_names_no_key_is_refused_though_the_issuer_does_not_answer(headers: Mapping[str, object]) -> None:
    class Silent:
        def find(self, _: str) -> PyJWK:
            raise IssuerUnavailable

    with pytest.raises(TokenRefused, match="it names no key"):
        verify_token(f"Bearer {sign({}, headers)}", Silent(), DEMANDS)


@pytest.mark.parametrize("key", [new_signing_key("RS256"), new_signing_key("ES256")], ids=["rsa", "ec"])
def test_a_token_signed_by_a_stranger_is_refused(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> None:
    with pytest.raises(TokenRefused):
        verify(ISSUER.token("direct-debit/pay", key=key))


def test_a_changed_token_is_refused() -> None:
    header, claims, signature = ISSUER.token("direct-debit/read").split(".")
    told = json.loads(decode(claims))
    forged = ".".join([header, encode({**told, "scope": "direct-debit/refund"}), signature])
    with pytest.raises(TokenRefused):
        verify(forged)


def sign(claims: Mapping[str, object], headers: Mapping[str, object] | None = None, issuer: Issuer = ISSUER) -> str:
    """Sign a usual token with other claims and headers (None: left out), also such as PyJWT would not sign."""
    header, usual, _ = ISSUER.token("direct-debit/pay").split(".")
    told = {
        part: {name: value for name, value in {**json.loads(decode(text)), **changed}.items() if value is not None}
        for part, text, changed in (("header", header, headers or {}), ("claims", usual, claims))
    }
    signed = f"{encode(told['header'])}.{encode(told['claims'])}"
    (key,) = issuer.private_keys()
    assert isinstance(key, rsa.RSAPrivateKey)
    signature = RSAAlgorithm(RSAAlgorithm.SHA256).sign(signed.encode(), key)
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def encode(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "HS512", "PS256", "RS512", "ES384", "", None])
def test_no_other_algorithm_counts(algorithm: str | None) -> None:
    """Among them the old trick: the issuer's public key, as everybody has it, taken for a secret of HMAC."""
    header, claims, _ = ISSUER.token("direct-debit/pay").split(".")
    (published,) = ISSUER.publish()["keys"]
    public = decode(str(published["n"]))
    told = {**json.loads(decode(header)), "alg": algorithm}
    signed = f"{encode(told)}.{claims}"
    mac = base64.urlsafe_b64encode(hmac.digest(public, signed.encode(), hashlib.sha256)).rstrip(b"=").decode()
    for signature in (mac, "AA"):
        with pytest.raises(TokenRefused):
            verify(f"{signed}.{signature}")


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256"])
def test_another_algorithm_does_not_count_though_the_issuer_publishes_it_and_signs_with_it(algorithm: str) -> None:
    (key,) = ISSUER.private_keys()
    (published,) = ISSUER.publish()["keys"]

    class Other:
        def find(self, _: str) -> PyJWK:
            return PyJWK({**published, "alg": algorithm})

    claims = json.loads(decode(ISSUER.token("direct-debit/pay").split(".")[1]))
    token = jwt.encode(claims, key, algorithm, {"kid": str(published["kid"])})
    with pytest.raises(TokenRefused, match="InvalidAlgorithmError"):
        verify_token(f"Bearer {token}", Other(), DEMANDS)


def test_a_short_key_does_not_count_though_the_issuer_publishes_it() -> None:
    issuer = Issuer(url=ISSUER.url)
    key_id = issuer.rotate(rsa.generate_private_key(public_exponent=65537, key_size=1024), withdraw=True)  # noqa: S505 - it is to be refused
    token = sign({}, {"kid": key_id}, issuer)
    with pytest.raises(TokenRefused, match="InvalidKeyError"):
        verify(token, issuer=issuer)


def test_a_key_counts_for_its_own_algorithm_only() -> None:
    """A key that is published for RS512 verifies no RS256."""
    (published,) = ISSUER.publish()["keys"]

    class OtherAlgorithm:
        def find(self, _: str) -> PyJWK:
            return PyJWK({**published, "alg": "RS512"})

    with pytest.raises(TokenRefused):
        verify_token(f"Bearer {ISSUER.token('direct-debit/pay')}", OtherAlgorithm(), DEMANDS)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic c2hvcDp4",
        "Bearer a.b",
        "Bearer a.b.c.d",
        "Bearer a.b.c d",
        "a.b.c",
        "Bearer a.b.é",
    ],
)
def test_what_is_no_bearer_token_is_refused(header: str) -> None:
    with pytest.raises(TokenRefused, match="no bearer token"):
        verify_token(header, Published(ISSUER), DEMANDS)


def test_a_token_may_not_be_endless() -> None:
    token = ISSUER.token(claims={"more": "x" * LONGEST_TOKEN})
    with pytest.raises(TokenRefused, match="no bearer token"):
        verify(token)


def test_eight_kibibytes_count_and_one_character_more_does_not() -> None:
    token = ISSUER.token("a")
    longest = f"Bearer{token:>{8 * 1024 - len('Bearer')}}"  # blanks between them, as many as one likes
    assert verify_token(longest, Published(ISSUER), DEMANDS).scopes == {"a"}
    with pytest.raises(TokenRefused, match="no bearer token"):
        verify_token(longest.replace(" ", "  ", 1), Published(ISSUER), DEMANDS)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from(["iss", "aud", "exp", "nbf", "iat", "sub", "client_id", "scope", "cnf", "jti"]), JSON
    )
)
def test_whatever_the_issuer_signs_is_verified_or_refused_and_nothing_else(claims: Mapping[str, object]) -> None:
    with contextlib.suppress(TokenRefused):
        assert verify(sign(claims)).client


@given(st.text(max_size=200), st.text(max_size=200))
def test_no_text_makes_the_check_fail_otherwise_than_by_a_refusal(header: str, claims: str) -> None:
    parts = (
        base64.urlsafe_b64encode(part.encode("utf-8", "replace")).rstrip(b"=").decode() for part in (header, claims)
    )
    with pytest.raises(TokenRefused):
        verify(".".join([*parts, "AA"]))
