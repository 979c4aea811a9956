"""What the signing layer has to say of a version of the secret, before it is taken into use."""

from direct_debit.adapters.credentials import Credentials, MalformedCredentials
from doku_snap.credentials import check_identity
from doku_snap.errors import InvalidSetting
from doku_snap.keys import check_private_key, load_public_key


def check_credentials(content: Credentials) -> None:
    """Refuse a version of the secret whose parts the signing layer would not take, while one before it may be there.

    Whether the private key's numbers fit each other is left to its first use: finding out takes as long as a whole cold
    start. Raises MalformedCredentials.
    """
    try:
        check_identity(content.client_id, content.secret_key)
        check_private_key(content.merchant_private_key)
        load_public_key(content.doku_public_key)
    except InvalidSetting as error:
        raise MalformedCredentials(error.setting, error.rule) from None
