"""The secret as Secrets Manager keeps it, behind the weather, and its rotations."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import ReadTimeoutError

from doku_snap import inbound
from doku_snap.keys import load_private_key
from tests.fakes.weather import Failures
from tests.fakes.world import vector_keys
from tests.simulation.aws import store_error
from tests.simulation.facts import CLIENT_ID

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from tests.simulation.universe import Universe

_KEYS = vector_keys()
_FAULTS = ("crash_before", "crash_after", "fail")
_FAILURES = Failures(
    failed=lambda: store_error("InternalServiceError"),
    lost=lambda: ReadTimeoutError(endpoint_url="secretsmanager"),
)
_MERCHANT_KEYS = (_KEYS["merchantPrivateKeyPkcs8Pem"], _KEYS["dokuPrivateKeyPkcs8Pem"])  # any two
_RENEWALS = 4
_STAGES = {"AWSCURRENT": 1, "AWSPREVIOUS": 2}  # counted from the newest version


def mark(key: RSAPrivateKey) -> str:
    """Return what stands for a signature with this key here: who signed, and not what."""
    return f"signed-with-{key.public_key().public_numbers().n % 1_000_000_007}"


def _key(name: str) -> str:
    return b64encode(hashlib.sha256(name.encode()).digest()).decode()


_MARKS = tuple(mark(load_private_key(pem)) for pem in _MERCHANT_KEYS)


class SecretsManager:
    """The versions of one secret. A new one makes the one before it AWSPREVIOUS."""

    def __init__(self, universe: Universe) -> None:
        self._u = universe
        self._token_keys = {"k1": _key("k1")}
        self._fields: dict[str, object] = {
            "clientId": CLIENT_ID,
            "secretKey": "SK-simulation-1",
            "merchantPrivateKey": _MERCHANT_KEYS[0],
            "dokuPublicKey": _KEYS["dokuPublicKeyPem"],
            "tokenKeys": self._token_keys,
            "activeTokenKey": "k1",
            "phonePepper": _key("pepper"),
            "issuedTokenKey": _key("issued 1"),
        }
        self._versions = [(json.dumps(self._fields), universe.kernel.now())]
        self.may_refuse = False  # whether DOKU may have had a secret key, or a token, that we did not take any more
        self.registered = _MARKS[0]  # what DOKU takes as our signature on requests for tokens
        self.registered_at = 0

    @property
    def secret_key(self) -> str:
        """The newest secret key."""
        return str(self._fields["secretKey"])

    @property
    def fields(self) -> Mapping[str, object]:
        """The newest version."""
        return dict(self._fields)

    def get_secret_value(self, **question: str) -> Mapping[str, object]:
        """Read a version, as the client of boto3 does."""
        read = partial(self._read, question["VersionStage"])
        return self._u.effect("secrets.get_secret_value", read, _FAILURES, _FAULTS, self._u.plan.port_faults)

    def _read(self, stage: str) -> Mapping[str, object]:
        age = _STAGES[stage]
        if age > len(self._versions):
            raise store_error("ResourceNotFoundException")
        text, created = self._versions[-age]
        return {"SecretString": text, "CreatedDate": created}

    def rotate(self) -> None:
        """Replace one of the keys; DOKU takes a new secret key at once, a little before, or a little after."""
        u, number = self._u, len(self._versions) + 1
        what = u.rng.choice(("token key", "secret key", "issued token key", "merchant key", "merchant key"))
        u.happens(f"{what} rotated")
        if what == "token key":
            self._token_keys = {**self._token_keys, f"k{number}": _key(f"k{number}")}
            self._put(tokenKeys=self._token_keys, activeTokenKey=f"k{number}")
        elif what == "issued token key":
            overlap = u.plan.key_overlap
            self.may_refuse |= overlap is not None and overlap < inbound.TOKEN_LIFETIME_SECONDS
            self._put(issuedTokenKey=_key(f"issued {number}"))
        elif what == "secret key":
            self.may_refuse = True
            fresh = f"SK-simulation-{number}"
            ours, theirs = self._draw_delays()
            u.kernel.after(ours, lambda: self._put(secretKey=fresh))
            u.kernel.after(theirs, lambda: u.simulator.replace_secret_key(fresh))
        else:
            other = 1 - _MARKS.index(self.registered)
            ours, theirs = self._draw_delays()
            u.kernel.after(ours, lambda: self._put(merchantPrivateKey=_MERCHANT_KEYS[other]))
            u.kernel.after(theirs, lambda: self._register(_MARKS[other]))
            for _ in range(_RENEWALS):  # so that some customers' tokens are renewed while the two differ
                u.kernel.after(u.rng.uniform(0.0, 120.0), u.simulator.expire_customer_tokens)

    def _draw_delays(self) -> tuple[float, float]:
        """How long we and DOKU take to change: both at once, DOKU later, or we later."""
        return self._u.rng.choice(((0.0, 0.0), (0.0, 90.0), (60.0, 0.0)))

    def _register(self, signature: str) -> None:
        self.registered, self.registered_at = signature, self._u.kernel.t
        self._u.kernel.note("DOKU takes another public key of ours")

    def _put(self, **changes: object) -> None:
        self._fields.update(changes)
        self._versions.append((json.dumps(self._fields), self._u.kernel.now()))
        if self._u.thief is not None:
            self._u.thief.learn_of(self._fields)
        self._u.kernel.note("a new version of the secret")
