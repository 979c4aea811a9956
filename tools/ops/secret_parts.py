"""The rules that the parts of the secret are read with, and what three secrets have more than one."""

from collections.abc import Callable, Mapping

from direct_debit.adapters.credentials import MalformedCredentials, parse_data
from direct_debit.entrypoint.check_credentials import read_receiver, read_signing
from tools.new_keys import new_key
from tools.secret_fields import Part

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
