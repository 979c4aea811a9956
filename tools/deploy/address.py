"""What a deployment finds out by itself: the API's address, and where the credentials of a stack that stands are."""

from collections.abc import Mapping
from dataclasses import replace

from tools.deploy.secret_layout import kept_layout
from tools.deploy.stack import Stack
from tools.deploy.target import Target

# Nobody's (RFC 2606): a notification for it can not arrive, and a browser sent there sees that it is no page of ours.
NOT_YET = "https://not-yet-deployed.invalid/v1"


def found_values(target: Target, stack: Stack | None) -> Mapping[str, str]:
    """Return what counts unless somebody sets it: `PublicBaseUrl` (the own domain, or the address that the API got
    from AWS), and the `SecretLayout` that the stack has.
    """
    domain = target.named.get("DomainName")
    of_aws = NOT_YET if stack is None else stack.outputs.get("ApiUrl", NOT_YET)
    return {"PublicBaseUrl": f"https://{domain}" if domain else of_aws, **kept_layout(stack)}


def first_values(target: Target) -> Target:
    """Return the target of a first creation: a table that is protected at once could not be rolled back."""
    return replace(target, given={**target.given, "DeletionProtection": "false"})
