"""The pages to which the customer comes back."""

from tests.integration.handlers.mistakes.mistake import Mistake, bind, pay

SUCCESS = "/successUrl"
HTTPS = "An https URL"
WHOLE = "Give the whole URL, from https:// on."
SCHEME = "Another scheme came: give an https page"
NAME = "give yours another name"


def _page(did: str, value: object, *says: str) -> Mistake:
    return pay(f"page {did}", (*says, HTTPS), SUCCESS, successUrl=value)


MISTAKES = [
    _page("over http", "http://shop.example/paid", "use https", "AllowedReturnHosts"),
    _page("on localhost", "http://localhost:3000/paid", "AllowedReturnHosts"),
    _page("without a scheme", "shop.example/paid", WHOLE),
    _page("of localhost without a scheme", "localhost:3000", WHOLE),
    _page("as a path", "/paid", WHOLE),
    _page("with two slashes in front", "//shop.example/paid", WHOLE),
    _page("with one slash", "https:/shop.example/paid", WHOLE),
    _page("without the colon", "https//shop.example/paid", WHOLE),
    _page("of an app", "myapp://paid", SCHEME),
    _page("of a script", "javascript:alert(1)", SCHEME),
    _page("as a file", "file:///tmp/paid.html", SCHEME),
    _page("with a blank", "https://shop.example/thank you", "write %20"),
    _page("with an accent", "https://shop.example/terimakasíh", "percent-encoded"),
    _page("on a host with an accent", "https://tokō.example/", "xn--"),
    _page("with a name and a password", "https://user:secret@shop.example/", "remove it and the @"),
    _page("with port 99999", "https://shop.example:99999/", "host or port can not be read"),
    _page("without a host", "https://", "host or port can not be read"),
    _page("with a broken IPv6", "https://[::1/paid", "host or port can not be read"),
    _page("too long", "https://shop.example/" + "x" * 2048, "longer than 2048"),
    _page("with a blank in front", " https://shop.example/paid", "begins or ends with a blank"),
    _page("with a line feed", "https://shop.example/paid\n", "control character U+000A"),
    _page("empty", "", "It is empty."),
    _page("in an array", ["https://shop.example/paid"], "An array came"),
    _page("as an object", {"url": "https://shop.example/paid"}, "An object came"),
    _page("of a template", "{{returnUrl}}", "placeholder that was not filled in"),
    pay("failed page over http", ("use https", HTTPS), "/failedUrl", failedUrl="http://shop.example/no"),
    bind("link's page over http", "use https", SUCCESS, successUrl="http://shop.example/linked"),
    bind("link's page with state", ("Its parameter state", NAME), SUCCESS, successUrl="https://shop.example/a?state=x"),
    bind(
        "link's page with bindingId",
        ("Its parameter bindingId", NAME),
        SUCCESS,
        successUrl="https://shop.example/a?cart=1&bindingId=",
    ),
    bind(
        "link's page with both",
        "bindingId and state",
        "/failedUrl",
        failedUrl="https://shop.example/a?state=x&bindingId=y",
    ),
]
