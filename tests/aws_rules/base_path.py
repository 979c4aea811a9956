"""How a REST API's proxy event names the path, depending on the way by which the request came.

The route (`resource`, `requestContext.resourcePath`) is always the API's own. `path` begins with the base path of the
domain's mapping, and with the stage where the mapping names none; `requestContext.path` is the path as it was asked
for. So `path` is the API's own only without a domain, or with one that is mapped at its root to a stage.

Source: https://github.com/localstack/localstack/pull/12296 (read off AWS, case by case);
https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mappings.html
"""

from collections.abc import Mapping
from dataclasses import dataclass

type Event = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Way:
    """A way to the API: what stands before the route for the world, and before the route in the event's `path`."""

    public_base_url: str
    before_path: str
    domain: str

    def arrive(self, event: Event) -> dict[str, object]:
        """Return the event, made for no domain, as one that came this way."""
        context = event["requestContext"]
        assert isinstance(context, Mapping)
        public = self.public_base_url.removeprefix(f"https://{self.domain}")
        return {
            **event,
            "path": f"{self.before_path}{event['path']}",
            "requestContext": {**context, "path": f"{public}{event['path']}", "domainName": self.domain},
        }


_GATEWAY = "a1b2c3d4e5.execute-api.ap-southeast-3.amazonaws.com"
_SHOP = "api.shop.example"

WAYS: Mapping[str, Way] = {
    "no domain": Way(f"https://{_GATEWAY}/v1", "", _GATEWAY),
    "a domain at its root": Way(f"https://{_SHOP}", "", _SHOP),
    "a domain without a stage": Way(f"https://{_SHOP}/v1", "/v1", _SHOP),
    "a base path": Way(f"https://{_SHOP}/dd", "/dd", _SHOP),
    "a base path of several segments": Way(f"https://{_SHOP}/pay/dd", "/pay/dd", _SHOP),
    "a base path without a stage": Way(f"https://{_SHOP}/dd/v1", "/dd/v1", _SHOP),
    "a base path that looks like the route": Way(f"https://{_SHOP}/doku", "/doku", _SHOP),
}
