import hashlib
from base64 import b64decode

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from direct_debit.adapters.credentials import KEY_BYTES
from doku_snap.keys import is_pair, load_private_key, load_public_key
from tools.new_keys import fingerprint, new_key, new_private_key, public_half


def test_each_key_is_another_one_of_32_bytes() -> None:
    keys = [new_key() for _ in range(3)]
    assert len(set(keys)) == 3
    assert {len(b64decode(key, validate=True)) for key in keys} == {KEY_BYTES}


def test_a_pair_is_what_the_signing_layer_takes() -> None:
    private = new_private_key()
    assert private.startswith("-----BEGIN PRIVATE KEY-----")
    key = load_private_key(private)
    assert key.key_size == 2048
    assert is_pair(private, public_half(key))
    public = load_public_key(public_half(key))
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert fingerprint(public) == hashlib.sha256(der).hexdigest()
