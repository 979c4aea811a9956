"""Whether DOKU's routes answer at the address that is registered there."""

from dataclasses import dataclass

import requests

TOKEN = "/doku/authorization/v1/access-token/b2b"  # noqa: S105 - a path
PAYMENT_NOTIFICATION = "/doku/v1.0/debit/notify"
BINDING_NOTIFICATION = "/doku/v1.0/registration-account-binding/notify"
ROUTES = (TOKEN, PAYMENT_NOTIFICATION, BINDING_NOTIFICATION)
_TIMEOUT = (10, 35)  # seconds: to connect, and for the answer (API Gateway gives up after 29)


@dataclass(frozen=True, slots=True)
class RouteAnswer:
    """How a route answered a stranger's call. `problem`: it was not us. `ready`: we could check a signature."""

    path: str
    ready: bool
    problem: str | None


def ask_routes(base_url: str) -> list[RouteAnswer]:
    """Call each route without a signature; our own refusal is the right answer, for it shows who answers."""
    with requests.Session() as session:
        session.trust_env = base_url.startswith("https:")  # no proxy stands before this machine's own stack
        return [_ask(session, base_url, path) for path in ROUTES]


def _ask(session: requests.Session, base_url: str, path: str) -> RouteAnswer:
    try:
        answer = session.post(f"{base_url}{path}", data=b"{}", timeout=_TIMEOUT)
    except requests.RequestException as error:
        return RouteAnswer(path, ready=False, problem=f"does not answer at {base_url} ({type(error).__name__})")
    if not _is_ours(answer):
        why = f"answered {answer.status_code} without a responseCode: somebody else answered, or the gateway itself"
        return RouteAnswer(path, ready=False, problem=why)
    return RouteAnswer(path, ready=answer.status_code < requests.codes.server_error, problem=None)


def _is_ours(answer: requests.Response) -> bool:
    try:
        told = answer.json()
    except requests.exceptions.JSONDecodeError:
        return False
    return isinstance(told, dict) and "responseCode" in told
