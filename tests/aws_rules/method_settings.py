"""The paths of a stage's method settings.

"Forward slashes (/) are encoded as ~1 and the initial slash must include a forward slash. For example, the path value
/resource/subresource must be encoded as /~1resource~1subresource. To specify the root path, use only a slash (/)."
All methods and resources are `*` and `/*`. Anything else is "Invalid method setting path", when the stage is made; a
path that no route has is taken, and limits nothing.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-apigateway-stage-methodsetting.html
"""

from collections.abc import Iterable, Mapping

EVERYTHING = ("*", "/*")


class InvalidMethodSetting(Exception):
    """API Gateway would not take the setting, or it would mean nothing."""


def read_method_setting(setting: Mapping[str, object], routes: Iterable[tuple[str, str]]) -> tuple[str, str]:
    """Return the (method, path) that a setting is for, as routes are written. Raises InvalidMethodSetting."""
    method, encoded = str(setting["HttpMethod"]), str(setting["ResourcePath"])
    if (method, encoded) == EVERYTHING:
        return EVERYTHING
    first, rest = encoded[:1], encoded[1:]
    if first != "/" or "/" in rest or (rest and not rest.startswith("~1")):
        raise InvalidMethodSetting(f"Invalid method setting path: {encoded}")
    route = method, rest.replace("~1", "/") or "/"
    if route not in set(routes):
        raise InvalidMethodSetting(f"no route is {method} {route[1]}")
    return route
