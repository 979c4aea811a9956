"""The local stack's issuer, as a backend meets it."""

from collections.abc import Iterator, Mapping
from urllib.parse import quote

import jwt
import pytest
import requests

from tests.patience import PATIENCE_SECONDS
from tools.local_cloud.failure import LocalCloudError
from tools.local_cloud.issuer import AUDIENCE, CLIENT, SCOPES, Issuer, local_issuer

ODD = "one: with + and %"  # which a header has to carry


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with local_issuer(0, ODD) as running:
        yield running


def ask(issuer: Issuer, form: Mapping[str, str], secret: str | None = None) -> requests.Response:
    auth = None if secret is None else (CLIENT, quote(secret, safe=""))
    return requests.post(issuer.token_url, data=form, auth=auth, timeout=PATIENCE_SECONDS)


def test_a_backend_finds_everything_and_gets_a_token_that_the_published_key_verifies(issuer: Issuer) -> None:
    found = requests.get(f"{issuer.url}/.well-known/openid-configuration", timeout=PATIENCE_SECONDS).json()
    form = {"grant_type": "client_credentials", "scope": "direct-debit/read direct-debit/pay"}
    answer = requests.post(
        found["token_endpoint"],
        data={**form, "client_id": CLIENT, "client_secret": issuer.secret},
        timeout=PATIENCE_SECONDS,
    ).json()
    key = jwt.PyJWKClient(found["jwks_uri"]).get_signing_key_from_jwt(answer["access_token"])
    claims = jwt.decode(answer["access_token"], key, issuer=found["issuer"], audience=AUDIENCE)
    assert (claims["client_id"], claims["scope"]) == (CLIENT, form["scope"])
    assert answer["expires_in"] == claims["exp"] - claims["iat"]


def test_a_client_may_prove_itself_in_the_header_too(issuer: Issuer) -> None:
    answer = ask(issuer, {"grant_type": "client_credentials"}, issuer.secret)
    assert answer.json()["scope"].split() == list(SCOPES)
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("form", "secret", "status", "error"),
    [
        ({"grant_type": "client_credentials"}, "wrong", 401, "invalid_client"),
        ({"grant_type": "client_credentials"}, None, 401, "invalid_client"),
        ({"grant_type": "password"}, ODD, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials", "scope": "admin"}, ODD, 400, "invalid_scope"),
    ],
)
def test_others_get_none(issuer: Issuer, form: Mapping[str, str], secret: str | None, status: int, error: str) -> None:
    answer = ask(issuer, form, secret)
    assert (answer.status_code, answer.json()) == (status, {"error": error})


def test_there_is_nothing_else(issuer: Issuer) -> None:
    assert requests.get(f"{issuer.url}/token", timeout=PATIENCE_SECONDS).status_code == 404
    assert requests.post(issuer.jwks_url, data={}, timeout=PATIENCE_SECONDS).status_code == 404
    huge = requests.post(issuer.token_url, data={"scope": "x" * 10_000}, timeout=PATIENCE_SECONDS)
    assert huge.status_code == 404


def test_a_taken_port_is_told(issuer: Issuer) -> None:
    taken = int(issuer.url.rpartition(":")[2])
    with pytest.raises(LocalCloudError, match="can not listen on port"), local_issuer(taken):
        raise AssertionError("two issuers at one port")
