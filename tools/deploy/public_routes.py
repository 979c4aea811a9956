"""Whether DOKU's routes answer at the address that is registered there.

Where only DOKU's addresses may call them (`DokuSourceCidrs`), API Gateway refuses this machine before any function is
asked: that shows that the routes are shut, and not who stands behind them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import requests

TOKEN = "/doku/authorization/v1/access-token/b2b"  # noqa: S105 - a path
PAYMENT_NOTIFICATION = "/doku/v1.0/debit/notify"
BINDING_NOTIFICATION = "/doku/v1.0/registration-account-binding/notify"
ROUTES = (TOKEN, PAYMENT_NOTIFICATION, BINDING_NOTIFICATION)
# What the gateway of this API says to whom its policy does not let in (template.yaml, GatewayResponses).
ACCESS_DENIED = "/problems/access-denied"
_TIMEOUT = (10, 35)  # seconds: to connect, and for the answer (API Gateway gives up after 29)


@dataclass(frozen=True, slots=True)
class RouteAnswer:
    """How a route answered a stranger's call. `problem`: it was not us. `ready`: we could check a signature.

    `shut`: only others than this machine may call it.
    """

    path: str
    ready: bool
    problem: str | None
    shut: bool = False

    def describe(self) -> str:
        """Say it in words, where there is no problem."""
        if self.shut:
            return f"{self.path} refuses this machine, as DokuSourceCidrs says: look for DOKU's calls in the log"
        return f"{self.path} answers" + ("" if self.ready else ", and can check nothing yet: fill the secret")


def ask_routes(base_url: str, *, only_sources: bool = False) -> list[RouteAnswer]:
    """Call each route without a signature; our own refusal is the right answer, for it shows who answers.

    `only_sources`: not everybody may call, so that being refused by the API's policy is right as well.
    """
    with requests.Session() as session:
        session.trust_env = base_url.startswith("https:")  # no proxy stands before this machine's own stack
        return [_ask(session, base_url, path, only_sources=only_sources) for path in ROUTES]


def _ask(session: requests.Session, base_url: str, path: str, *, only_sources: bool) -> RouteAnswer:
    try:
        answer = session.post(f"{base_url}{path}", data=b"{}", timeout=_TIMEOUT)
    except requests.RequestException as error:
        return RouteAnswer(path, ready=False, problem=f"does not answer at {base_url} ({type(error).__name__})")
    told = _read(answer)
    if only_sources and answer.status_code == requests.codes.forbidden and told.get("type") == ACCESS_DENIED:
        return RouteAnswer(path, ready=False, problem=None, shut=True)
    if "responseCode" not in told:
        why = f"answered {answer.status_code} without a responseCode: somebody else answered, or the gateway itself"
        return RouteAnswer(path, ready=False, problem=why)
    return RouteAnswer(path, ready=answer.status_code < requests.codes.server_error, problem=None)


def _read(answer: requests.Response) -> Mapping[str, object]:
    """Return the fields of an answer; none where it is no JSON object."""
    try:
        told = answer.json()
    except requests.exceptions.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}
