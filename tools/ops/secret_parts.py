"""The parts of the secret: what each is for, its fields, and the rules that it is read with.

Its fields are those that the functions read of it (adapters/credentials.py). DOKU gives one client id and one secret
key for both directions, so two parts have them. Who takes notifications seals them with notice keys, and those who act
on them open them: these keys are there where the parts have secrets of their own, for one secret has no need of them.
"""

from collections.abc import Callable, Mapping
from typing import Literal

from direct_debit.adapters.credentials import MalformedCredentials, parse_data
from direct_debit.entrypoint.check_credentials import read_receiver, read_signing
from tools.new_keys import new_key

type Part = Literal["inbound", "signing", "data"]

NOTICES = frozenset({"noticeKeys", "activeNoticeKey", "noticePepper"})

FIELDS: Mapping[Part, frozenset[str]] = {
    "inbound": frozenset({"clientId", "secretKey", "dokuClientKey", "dokuPublicKey", "issuedTokenKey"}) | NOTICES,
    "signing": frozenset({"clientId", "secretKey", "merchantPrivateKey"}),
    "data": frozenset({"tokenKeys", "activeTokenKey", "phonePepper", "noticeKeys"}),
}
KNOWN = frozenset[str]().union(*FIELDS.values())
SHARED: Mapping[str, tuple[Part, Part]] = {
    "clientId": ("inbound", "signing"),
    "secretKey": ("inbound", "signing"),
    "noticeKeys": ("inbound", "data"),
}
"""The fields that two parts have."""

FIRST_KEY = "n1"

_READERS: Mapping[Part, Callable[[str], object]] = {
    "inbound": read_receiver,
    "signing": read_signing,
    "data": parse_data,
}


def new_notice_fields() -> Mapping[str, object]:
    """Make what seals notifications."""
    return {"noticeKeys": {FIRST_KEY: new_key()}, "activeNoticeKey": FIRST_KEY, "noticePepper": new_key()}


def find_part_faults(part: Part, text: str) -> str | None:
    """Return what a function that reads this part would refuse it for, None for nothing."""
    try:
        _READERS[part](text)
    except MalformedCredentials as error:
        return error.fault
    return None
