"""Pages on hosts that the operator has not listed; `LISTED` is the list."""

from tests.integration.handlers.mistakes.mistake import Mistake, bind, pay

LISTED = ("shop.example", "pay.example:8443", "localhost:3000")
HOSTS = "Allowed are: localhost:3000, pay.example:8443, shop.example (the operator's parameter AllowedReturnHosts)."


def _page(did: str, value: str, says: str = HOSTS) -> Mistake:
    return pay(f"page {did}", (says, "An https URL"), "/successUrl", successUrl=value)


MISTAKES = [
    _page("on another host", "https://other.example/paid"),
    _page("on a host above", "https://example/paid"),
    _page("on a host below", "https://www.shop.example/paid"),
    _page("on a host that begins alike", "https://shop.example.evil.example/paid"),
    _page("on another port", "https://pay.example/paid"),
    _page("on another port of this machine", "http://localhost:8080/paid"),
    _page("on this machine by number", "http://127.0.0.1:3000/paid"),
    _page("over http on a listed host", "http://shop.example/paid", "use https"),
    _page("over http on another host", "http://other.example/paid"),
    _page("with the host as a user", "https://shop.example@other.example/paid", "remove it and the @"),
    pay("failed page on another host", HOSTS, "/failedUrl", failedUrl="https://other.example/no"),
    bind("link's page on another host", HOSTS, "/successUrl", successUrl="https://other.example/linked"),
]
