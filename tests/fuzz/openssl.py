"""The product's signatures beside those of the program `openssl`, over bodies, keys and timestamps made for it.

openssl computes both hashes: of the body and of what is signed. What it signed has to be accepted, what the product
signed has to be the same, and nothing else may be accepted.
"""

from __future__ import annotations

import base64
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from doku_snap.keys import load_private_key
from doku_snap.signing import (
    asymmetric_string_to_sign,
    format_timestamp,
    minify,
    sign_asymmetric,
    sign_symmetric,
    symmetric_string_to_sign,
    verify_asymmetric,
    verify_symmetric,
)
from tests.fuzz.mutation import mutate
from tests.fuzz.target import Finding
from tests.fuzz.targets.bodies import minify_by_hand
from tests.fuzz.targets.samples import read_bodies

BODIES = 1_000  # for N=1
NAME = "openssl"
_BATCH = 250
_SIGNED_BY_RSA = 10  # of a batch: openssl takes one text a time
_BATCHES_PER_KEY = 4
_LONGEST = 8192
_MAC_BYTES = 64
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0123456789-_/+=éß東"
_SEEDS = [
    *(body for name in ("payment", "refund", "checkStatus", "accountBinding") for body in read_bodies(name, "request")),
    *read_bodies("inboundPaymentNotification", "request"),
]


class NoOpenssl(Exception):
    """There is no program of this name."""


@dataclass
class Compared:
    """What was compared."""

    bodies: int = 0
    rsa: int = 0
    keys: int = 0
    finding: Finding | None = None


def compare_with_openssl(bodies: int, seed: int) -> Compared:
    """Compare over so many bodies; stop at the first difference. Raises NoOpenssl."""
    program = shutil.which("openssl")
    if program is None:
        raise NoOpenssl("the signatures are compared with the program openssl: install it")
    chance = Random(f"{NAME} {seed}")  # noqa: S311 - inputs have to repeat
    compared = Compared()
    with TemporaryDirectory(prefix="fuzz-openssl-") as folder:
        bench = _Bench(program, Path(folder), chance, compared)
        while compared.bodies < bodies and compared.finding is None:
            bench.compare_batch(min(_BATCH, bodies - compared.bodies))
    return compared


@dataclass
class _Bench:
    program: str
    folder: Path
    chance: Random
    compared: Compared
    batches: int = 0

    def compare_batch(self, size: int) -> None:
        """Compare one batch, with a secret of its own."""
        if self.batches % _BATCHES_PER_KEY == 0:
            self._make_key()
        self.batches += 1
        secret = "".join(self.chance.choices(_LETTERS, k=self.chance.randint(1, 200)))
        bodies = [self._make_body() for _ in range(size)]
        hashes = self._digest([minify_by_hand(body) for body in bodies], "-sha256", size=32)
        calls = [self._make_call() for _ in bodies]
        texts = [
            f"{method}:{path}:{token}:{body_hash.hex()}:{at}".encode()
            for (method, path, token, at), body_hash in zip(calls, hashes, strict=True)
        ]
        key = f"hexkey:{secret.encode().hex()}"
        macs = self._digest(texts, "-sha512", "-mac", "HMAC", "-macopt", key, size=_MAC_BYTES)
        for body, call, mac in zip(bodies, calls, macs, strict=True):
            self.compared.bodies += 1
            fault = _find_difference(body, call, base64.b64encode(mac).decode(), secret)
            if fault is not None:
                self.compared.finding = Finding(NAME, body, fault)
                return
        for _ in range(min(_SIGNED_BY_RSA, size)):
            self.compared.rsa += 1
            fault = self._find_rsa_difference()
            if fault is not None:
                self.compared.finding = Finding(NAME, b"", fault)
                return

    def _make_body(self) -> bytes:
        body = self.chance.choice(_SEEDS)
        for _ in range(self.chance.randint(0, 4)):
            body = mutate(body, self.chance, _LONGEST)
        return body

    def _make_call(self) -> tuple[str, str, str, str]:
        path = self.chance.choice(
            ["/v1.0/debit/notify", "/direct-debit/core/v1/debit/payment-host-to-host", "/a?b=%20é"]
        )
        token = base64.urlsafe_b64encode(self.chance.randbytes(self.chance.randint(1, 300))).decode()
        return "POST", path, token, self._make_timestamp()

    def _make_timestamp(self) -> str:
        return format_timestamp(
            datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=self.chance.randrange(100 * 365 * 86_400))
        )

    def _make_key(self) -> None:
        bits = self.chance.choice(["2048", "2048", "2048", "3072", "4096"])
        key = self.folder / "key.pem"
        self._run("genpkey", "-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{bits}", "-out", str(key))
        self._run("pkey", "-in", str(key), "-pubout", "-out", str(self.folder / "public.pem"))
        self.private = load_private_key(key.read_text())
        self.compared.keys += 1

    def _find_rsa_difference(self) -> str | None:
        client = "".join(self.chance.choices("BRN-0123456789", k=self.chance.randint(1, 36)))
        at = self._make_timestamp()
        text, theirs_file, ours_file = (self.folder / name for name in ("text", "theirs", "ours"))
        text.write_bytes(f"{client}|{at}".encode())
        self._run("dgst", "-sha256", "-sign", str(self.folder / "key.pem"), "-out", str(theirs_file), str(text))
        theirs = base64.b64encode(theirs_file.read_bytes()).decode()
        to_sign = asymmetric_string_to_sign(client, at)
        ours = sign_asymmetric(to_sign, self.private)
        ours_file.write_bytes(base64.b64decode(ours))
        told = self._run(
            "dgst", "-sha256", "-verify", str(self.folder / "public.pem"), "-signature", str(ours_file), str(text)
        )
        public = self.private.public_key()
        flipped = bytearray(theirs_file.read_bytes())
        flipped[self.chance.randrange(len(flipped))] ^= 1 << self.chance.randrange(8)
        checks = {
            "RSA: ours is not openssl's": ours == theirs,
            "RSA: openssl does not take ours": b"Verified OK" in told,
            "RSA: openssl's is not taken": verify_asymmetric(to_sign, theirs, public),
            "RSA: another text's is taken": not verify_asymmetric(to_sign + "0", theirs, public),
            "RSA: a changed one is taken": not verify_asymmetric(to_sign, base64.b64encode(flipped).decode(), public),
        }
        return next((fault for fault, held in checks.items() if not held), None)

    def _digest(self, texts: Sequence[bytes], *options: str, size: int) -> list[bytes]:
        """Return openssl's digest of each text; one process for all."""
        files = [self.folder / f"{number:04}" for number in range(len(texts))]
        for file, text in zip(files, texts, strict=True):
            file.write_bytes(text)
        told = self._run("dgst", *options, "-binary", *map(str, files))
        if len(told) != size * len(texts):
            raise RuntimeError("openssl printed something else than its digests")
        return [told[place : place + size] for place in range(0, len(told), size)]

    def _run(self, *arguments: str) -> bytes:
        return subprocess.run([self.program, *arguments], capture_output=True, check=True).stdout


def _find_difference(body: bytes, call: tuple[str, str, str, str], theirs: str, secret: str) -> str | None:
    method, path, token, at = call
    ours = sign_symmetric(symmetric_string_to_sign(method, path, token, minify(body), at), secret)

    def takes(signature: str, *, of: bytes = body, key: str = secret, moment: str = at, called: str = path) -> bool:
        return verify_symmetric(signature, key, method=method, path=called, b2b_token=token, body=of, timestamp=moment)

    checks = {
        "HMAC: ours is not openssl's": ours == theirs,
        "HMAC: openssl's is not taken": takes(theirs),
        "HMAC: another secret's is taken": not takes(theirs, key=secret + "x"),
        "HMAC: another moment's is taken": not takes(theirs, moment=at.replace("Z", "+00:00")),
        "HMAC: another path's is taken": not takes(theirs, called=path + "/"),
        "HMAC: another body's is taken": not takes(theirs, of=body + b"x"),
    }
    return next((fault for fault, held in checks.items() if not held), None)
