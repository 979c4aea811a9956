"""The parts of the secret, and the fields of each: those that the functions read of it (adapters/credentials.py).

DOKU gives one client id and one secret key for both directions, so two parts have them. Who takes notifications seals
them with notice keys, and those who act on them open them: these keys are there where the parts have secrets of their
own, for one secret has no need of them.
"""

from collections.abc import Mapping
from typing import Literal

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
