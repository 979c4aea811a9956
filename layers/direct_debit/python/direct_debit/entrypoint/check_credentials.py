"""What a version of the secret says, read and checked with the signing layer's rules too, before it is taken into use.

Whether the private key's numbers fit each other is left to its first use: finding out takes as long as a whole cold
start.
"""

from collections.abc import Callable

from direct_debit.adapters.credentials import (
    Credentials,
    InboundSecret,
    MalformedCredentials,
    ReceiverSecret,
    SigningSecret,
    parse_credentials,
    parse_inbound,
    parse_receiver,
    parse_signing,
)
from doku_snap.credentials import check_client_id, check_secret_key
from doku_snap.errors import InvalidSetting
from doku_snap.keys import check_private_key, is_pair, load_public_key

type _Faults = list[tuple[str, str]]


def read_credentials(text: str) -> Credentials:
    """Return a version with all three parts. Raises MalformedCredentials."""
    content = parse_credentials(text)
    check_credentials(content)
    return content


def read_inbound(text: str) -> InboundSecret:
    """Return a version of what verifies DOKU's calls. Raises MalformedCredentials."""
    content = parse_inbound(text)
    _raise_for(_find_inbound_faults(content))
    return content


def read_receiver(text: str) -> ReceiverSecret:
    """Return a version of what verifies DOKU's calls and seals what they say. Raises MalformedCredentials."""
    content = parse_receiver(text)
    _raise_for(_find_inbound_faults(content))
    return content


def read_signing(text: str) -> SigningSecret:
    """Return a version of what signs our calls. Raises MalformedCredentials."""
    content = parse_signing(text)
    _raise_for(_find_signing_faults(content))
    return content


def check_credentials(content: Credentials) -> None:
    """Refuse a version whose parts the signing layer would not take, while one before it may be there.

    Raises MalformedCredentials.
    """
    inbound, signing = _find_inbound_faults(content), _find_signing_faults(content)
    faults = [*inbound, *(one for one in signing if one not in inbound)]
    are_keys = not {name for name, _ in faults} & {"merchantPrivateKey", "dokuPublicKey"}
    if are_keys and is_pair(content.merchant_private_key, content.doku_public_key):
        faults.append(
            ("dokuPublicKey", "is the public half of merchantPrivateKey: take DOKU's own key from its back office")
        )
    _raise_for(faults)


def _find_inbound_faults(content: InboundSecret) -> _Faults:
    return _find_faults(
        lambda: check_client_id(content.client_id),
        lambda: check_client_id(content.doku_client_key, "dokuClientKey"),
        lambda: check_secret_key(content.secret_key),
        lambda: load_public_key(content.doku_public_key),
    )


def _find_signing_faults(content: SigningSecret) -> _Faults:
    return _find_faults(
        lambda: check_client_id(content.client_id),
        lambda: check_secret_key(content.secret_key),
        lambda: check_private_key(content.merchant_private_key),
    )


def _find_faults(*rules: Callable[[], object]) -> _Faults:
    faults: _Faults = []
    for rule in rules:
        try:
            rule()
        except InvalidSetting as error:
            faults.append((error.setting, error.rule))
    return faults


def _raise_for(faults: _Faults) -> None:
    if faults:
        raise MalformedCredentials(*faults)
