"""Fill the secret for the first time: what DOKU gave, and keys that are made here and leave no other trace."""

import json
from dataclasses import dataclass

from direct_debit.adapters.credentials import read_fields
from tools.new_keys import new_key, new_private_key
from tools.ops.failure import OpsError
from tools.ops.registration import list_registration
from tools.ops.report import DONE, Report
from tools.ops.secret_content import read_content
from tools.ops.secret_parts import new_notice_fields
from tools.ops.secret_value import STANDARD_INPUT, read_value
from tools.ops.system import System

FIRST_DATA_KEY = "k1"
COPY = "./ops copy-secret puts them into this one"


@dataclass(frozen=True, slots=True, kw_only=True)
class FromDoku:
    """What DOKU's back office gave. The keys are files, or `-` for standard input."""

    client_id: str | None = None
    client_key: str | None = None  # the X-CLIENT-KEY that DOKU uses towards us, where it is not the client id
    secret_key: str | None = None
    public_key: str | None = None


def onboard(given: FromDoku, system: System) -> Report:
    """Make the keys, fill the secret, and tell what to register. A secret that has a value keeps it.

    Without anything given it only tells. Raises OpsError.
    """
    current = system.secret.read()
    if current is not None and not system.secret.find_empty(current):
        if given != FromDoku():
            raise OpsError(
                "the secret has a value already, and keeps it: ./ops rotate replaces a key, ./ops doctor finds faults"
            )
        registration = list_registration(system, read_content(current.text))
        return Report({"filled": False, **registration.facts}, ["the secret is filled", *registration.lines], DONE)
    if given.client_id is None or given.secret_key is None or given.public_key is None:
        raise OpsError(
            "the secret has no value yet: give --client-id, --secret-key FILE and --doku-public-key FILE, all three "
            "from DOKU's back office (- reads standard input)"
        )
    if given.secret_key == given.public_key == STANDARD_INPUT:
        raise OpsError("only one of the two can come from standard input: put DOKU's public key into a file")
    if system.other_secret is not None and system.other_secret.read() is not None:
        raise OpsError(
            "the credentials are in the secret of the other layout, and new ones would open nothing: " + COPY
        )
    made: dict[str, object] = {
        "clientId": given.client_id,
        "secretKey": read_value(given.secret_key, "secretKey"),
        "merchantPrivateKey": new_private_key(),
        "dokuPublicKey": read_value(given.public_key, "dokuPublicKey"),
        **({} if given.client_key is None else {"dokuClientKey": given.client_key}),
        "tokenKeys": {FIRST_DATA_KEY: new_key()},
        "activeTokenKey": FIRST_DATA_KEY,
        "phonePepper": new_key(),
        "issuedTokenKey": new_key(),
        **(new_notice_fields() if system.secret.is_split else {}),
    }
    # Where it ended halfway, what is in a secret already stays.
    content = read_content(json.dumps({**made, **({} if current is None else read_fields(current.text))}))
    if (content.fields["clientId"], content.fields["secretKey"]) != (made["clientId"], made["secretKey"]):
        raise OpsError("a secret is filled already, with another clientId or secretKey: give the same ones")
    system.secret.put(content.text, after=current)
    registration = list_registration(system, content)
    lines = [
        "the secret is filled; its keys were made here and are nowhere else",
        *registration.lines,
        "then: ./ops doctor",
    ]
    return Report({"filled": True, **registration.facts}, lines, DONE)
