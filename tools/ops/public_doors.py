"""DOKU's doors, tried from outside with keys of one's own choice.

What is sent names a payment that does not exist, and lacks what every notification has: signed with keys that are
heard, it is refused for the missing field (400), else for its proof (401). So nothing is stored, whichever it is.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import urlsplit

from direct_debit.adapters.doku_inbound import issued_token_key_id
from doku_snap import inbound
from doku_snap.errors import AnswerLost, ConnectionNotMade, InvalidMessage
from doku_snap.signing import format_timestamp, serialize, sign_symmetric, symmetric_string_to_sign
from doku_snap.transport import HttpRequest, Timeout
from tools.deploy.public_routes import PAYMENT_NOTIFICATION
from tools.ops.secret_content import Content
from tools.ops.system import System

_TIMEOUT = Timeout(connect=10, read=35)  # API Gateway gives up after 29 s
_BODY = serialize({"originalPartnerReferenceNo": "OPS-TRIES-A-KEY"})
_UNAUTHORIZED = 401
_BAD_REQUEST = 400


class Verdict(Enum):
    """What a door made of the keys."""

    HEARD = auto()
    REFUSED = auto()
    UNCLEAR = auto()


@dataclass(frozen=True, slots=True)
class DoorAnswer:
    """What a door answered; `told` is that in words."""

    verdict: Verdict
    told: str

    @property
    def is_ours(self) -> bool:
        """Whether it was our function that answered."""
        return self.verdict is not Verdict.UNCLEAR


def ask_notification_door(
    system: System, content: Content, replaced: Content | None = None, path: str = PAYMENT_NOTIFICATION
) -> DoorAnswer:
    """Send a notification that can not be one, signed with the keys of `content`.

    With `replaced` it has the key of issued tokens and the secret key of that one, where they differ.
    """
    keys, old = content.credentials, (replaced or content).credentials
    now = system.ports.clock.now()
    issued = inbound.issue_token(
        key_id=issued_token_key_id(old.issued_token_key),
        key=old.issued_token_key,
        issuer=system.environment.settings.public_base_url,
        audience=keys.doku_client_key,
        client_id=keys.doku_client_key,
        now=now,
    )
    timestamp = format_timestamp(now)
    url = f"{system.environment.settings.public_base_url}{path}"
    to_sign = symmetric_string_to_sign("POST", urlsplit(url).path, issued.token, _BODY, timestamp)
    headers = {
        "Authorization": f"Bearer {issued.token}",
        "X-TIMESTAMP": timestamp,
        "X-SIGNATURE": sign_symmetric(to_sign, old.secret_key),
        "X-PARTNER-ID": keys.client_id,
        "X-EXTERNAL-ID": f"{now:%Y%m%d%H%M%S}",
        "CHANNEL-ID": system.environment.doku_channel_id,
    }
    return _ask(system, url, headers, _BODY)


def ask_token_door(system: System, path: str) -> DoorAnswer:
    """Ask for a token without a signature: only DOKU's own key could prove it, so a refusal is the right answer."""
    url = f"{system.environment.settings.public_base_url}{path}"
    return _ask(system, url, {}, b"{}")


def _ask(system: System, url: str, headers: Mapping[str, str], body: bytes) -> DoorAnswer:
    request = HttpRequest("POST", url, {"Content-Type": "application/json", **headers}, body)
    try:
        answer = system.outside.transport.send(request, _TIMEOUT)
    except (ConnectionNotMade, AnswerLost, InvalidMessage) as error:
        return DoorAnswer(Verdict.UNCLEAR, f"does not answer ({type(error).__name__})")
    code = _read_code(answer.body)
    if code is None:
        told = f"answered {answer.status} without a responseCode: somebody else answered, or the gateway itself"
        return DoorAnswer(Verdict.UNCLEAR, told)
    told = f"answered {code}"
    if answer.status == _UNAUTHORIZED:
        return DoorAnswer(Verdict.REFUSED, told)
    if answer.status == _BAD_REQUEST:
        return DoorAnswer(Verdict.HEARD, told)
    return DoorAnswer(Verdict.UNCLEAR, told)


def _read_code(body: bytes) -> str | None:
    try:
        told: object = json.loads(body)
    except ValueError:
        return None
    code = told.get("responseCode") if isinstance(told, dict) else None
    return code if isinstance(code, str) and code.isdecimal() else None
