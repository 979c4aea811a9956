"""What the signing layer has to say of a version of the secret, before it is taken into use."""

from collections.abc import Callable

from direct_debit.adapters.credentials import Credentials, MalformedCredentials
from doku_snap.credentials import check_client_id, check_secret_key
from doku_snap.errors import InvalidSetting
from doku_snap.keys import check_private_key, is_pair, load_public_key


def check_credentials(content: Credentials) -> None:
    """Refuse a version of the secret whose parts the signing layer would not take, while one before it may be there.

    Whether the private key's numbers fit each other is left to its first use: finding out takes as long as a whole cold
    start. Raises MalformedCredentials.
    """
    faults: list[tuple[str, str]] = []

    def check(rule: Callable[[], object]) -> bool:
        try:
            rule()
        except InvalidSetting as error:
            faults.append((error.setting, error.rule))
            return False
        return True

    check(lambda: check_client_id(content.client_id))
    check(lambda: check_client_id(content.doku_client_key, "dokuClientKey"))
    check(lambda: check_secret_key(content.secret_key))
    has_private = check(lambda: check_private_key(content.merchant_private_key))
    has_public = check(lambda: load_public_key(content.doku_public_key))
    if has_private and has_public and is_pair(content.merchant_private_key, content.doku_public_key):
        faults.append(
            ("dokuPublicKey", "is the public half of merchantPrivateKey: take DOKU's own key from its back office")
        )
    if faults:
        raise MalformedCredentials(*faults)
