"""Fixed keys for a vault in tests. They protect nothing."""

from direct_debit.adapters.credentials import Credentials

CREDENTIALS = Credentials(
    client_id="CLIENT-1",
    secret_key="test-secret-key",
    merchant_private_key="-----BEGIN PRIVATE KEY-----\n(no key)\n-----END PRIVATE KEY-----\n",
    doku_public_key="-----BEGIN PUBLIC KEY-----\n(no key)\n-----END PUBLIC KEY-----\n",
    doku_client_key="CLIENT-1",
    token_keys={"k1": b"1" * 32},
    active_token_key="k1",
    phone_pepper=b"p" * 32,
    issued_token_key=b"i" * 32,
)
