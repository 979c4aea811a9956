"""Which right each merchant route needs: by IAM in a policy, by JWT in a scope, and by its limit of requests.

Four groups, since they are four kinds of damage: somebody reads, takes money, gives it away, or ends links.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache


class RouteGroup(StrEnum):
    """A right, as it stands in a scope behind the deployment's prefix."""

    READ = "read"
    PAY = "pay"  # with the linking of accounts, without which nobody pays
    REFUND = "refund"
    UNLINK = "unlink"


ROUTES_OF: Mapping[RouteGroup, Sequence[tuple[str, str]]] = {
    RouteGroup.READ: (
        ("GET", "/bindings"),
        ("GET", "/bindings/{id}"),
        ("GET", "/bindings/{id}/balance"),
        ("GET", "/payments"),
        ("GET", "/payments/{ref}"),
        ("GET", "/payments/{ref}/refund"),
    ),
    RouteGroup.PAY: (
        ("POST", "/bindings"),
        ("POST", "/payments"),
        ("POST", "/payments/{ref}/otp"),
    ),
    RouteGroup.REFUND: (("POST", "/payments/{ref}/refund"),),
    RouteGroup.UNLINK: (
        ("DELETE", "/bindings/{id}"),
        ("POST", "/bindings/{id}/otp"),
    ),
}


def group_of(method: str, path: str) -> RouteGroup | None:
    """Return the group of a route; None for a public one."""
    return next((group for group, routes in ROUTES_OF.items() if (method, path) in routes), None)


@cache
def list_resources(groups: frozenset[RouteGroup]) -> tuple[str, ...]:
    """Return what a policy names for these groups: METHOD/path, with a star for each parameter, behind the stage.

    A star of IAM's matches slashes too. So no resource may match a route of another group: a test tries all.
    """
    return tuple(sorted(f"{method}{_starred(path)}" for group in groups for method, path in ROUTES_OF[group]))


def _starred(path: str) -> str:
    return "/".join("*" if part.startswith("{") else part for part in path.split("/"))
