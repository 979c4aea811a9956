"""Where AWS is found, and with which keys, in what is usual for a function; anything else is botocore's to find."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# The end of services' names, by how a region's name begins (botocore's partitions.json; the tests compare).
_SUFFIX = "amazonaws.com"
_SUFFIXES = {
    **dict.fromkeys(("af", "ap", "ca", "eu", "il", "me", "mx", "sa", "us"), _SUFFIX),
    "cn": f"{_SUFFIX}.cn",
}
_OTHER_PARTITIONS = "iso"  # begins the second word of their regions

_OWN_WAYS = (
    "AWS_CA_BUNDLE",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
)
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
_ENDPOINT = "AWS_ENDPOINT_URL"
_SNAPSHOT = ("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")


@dataclass(frozen=True, slots=True)
class AwsPlace:
    """A region's services, and the keys of a role there. `endpoint` is where all of them are; None: the usual names."""

    region: str
    suffix: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    session_token: str | None = field(repr=False)
    endpoint: str | None

    @property
    def is_encrypted(self) -> bool:
        """Whether its services are spoken to over TLS."""
        return not (self.endpoint or "").startswith("http:")

    def find(self, prefix: str) -> str:
        """Return the URL of a service."""
        return self.endpoint or f"https://{prefix}.{self.region}.{self.suffix}"


def find_place(variables: Mapping[str, str]) -> AwsPlace | None:
    """Read what Lambda tells a function; None where it is told more, or less, than is usual.

    Less: a function that is restored from a snapshot gets its keys from an address, and renews them; whatever its
    environment has, none may be copied with the snapshot. More: proxies, certificates and addresses of the owner's.

    Source: AWS Lambda Developer Guide, "Defined runtime environment variables" and "SnapStart".
    """
    region, access_key, secret_key = (
        variables.get(name, "") for name in ("AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    )
    first, _, rest = region.partition("-")
    suffix = None if rest.startswith(_OTHER_PARTITIONS) else _SUFFIXES.get(first)
    unusual = (
        variables.get(_SNAPSHOT[0]) == _SNAPSHOT[1]
        or any(variables.get(name) for name in (*_OWN_WAYS, *_PROXIES))
        or any(name.startswith(f"{_ENDPOINT}_") for name in variables)
    )
    if unusual or suffix is None or not access_key or not secret_key:
        return None
    session_token, endpoint = (variables.get(name) or None for name in ("AWS_SESSION_TOKEN", _ENDPOINT))
    return AwsPlace(region, suffix, access_key, secret_key, session_token, endpoint)
