"""The parts of the secret: what each is for, its fields, and the rules that it is read with.

Its fields are those that the functions read of it (adapters/credentials.py). DOKU gives one client id and one secret
key for both directions, so two parts have them.
"""

from collections.abc import Callable, Mapping
from typing import Literal

from direct_debit.adapters.credentials import MalformedCredentials, parse_data
from direct_debit.entrypoint.check_credentials import read_inbound, read_signing

type Part = Literal["inbound", "signing", "data"]

FIELDS: Mapping[Part, frozenset[str]] = {
    "inbound": frozenset({"clientId", "secretKey", "dokuClientKey", "dokuPublicKey", "issuedTokenKey"}),
    "signing": frozenset({"clientId", "secretKey", "merchantPrivateKey"}),
    "data": frozenset({"tokenKeys", "activeTokenKey", "phonePepper"}),
}
KNOWN = frozenset[str]().union(*FIELDS.values())
SHARED = FIELDS["inbound"] & FIELDS["signing"]

_READERS: Mapping[Part, Callable[[str], object]] = {
    "inbound": read_inbound,
    "signing": read_signing,
    "data": parse_data,
}


def find_part_faults(part: Part, text: str) -> str | None:
    """Return what a function that reads this part would refuse it for, None for nothing."""
    try:
        _READERS[part](text)
    except MalformedCredentials as error:
        return error.fault
    return None
