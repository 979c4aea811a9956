"""How requests prove who sends them: AWS Signature V4 (the API's default) or a bearer token (`AuthMode` JWT).

Both are `httpx.Auth`; any other one does too. Each try is signed anew, so that a repeat is never too old.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import dataclass, field

import anyio.to_thread
import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.session import Session

_SERVICE = "execute-api"
# What a proxy may change on its way is not signed.
_SIGNED_HEADERS = ("content-type", "idempotency-key")


@dataclass(frozen=True)
class SigV4(httpx.Auth):
    """Signs as an IAM user or role. `credentials` are asked at each request, so that a role's keys may be renewed."""

    region: str
    credentials: Callable[[], ReadOnlyCredentials] = field(repr=False)

    requires_request_body = True

    @classmethod
    def from_environment(cls, region: str | None = None, *, profile: str | None = None) -> SigV4:
        """Find credentials as AWS's tools do: variables, profile, container, machine; and the region likewise.

        Raises ValueError where there are none.
        """
        session = Session(profile=profile)
        credentials = session.get_credentials()
        if credentials is None:
            raise ValueError("no AWS credentials found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile")
        # AWS_REGION is what AWS sets in functions and containers; botocore reads AWS_DEFAULT_REGION only.
        found = region or os.environ.get("AWS_REGION") or session.get_config_variable("region")
        if not found:
            raise ValueError("no AWS region found: give `region`, or set AWS_REGION")
        return cls(found, credentials.get_frozen_credentials)

    @classmethod
    def from_keys(
        cls, region: str, access_key_id: str, secret_access_key: str, session_token: str | None = None
    ) -> SigV4:
        """Sign with these keys."""
        keys = Credentials(access_key_id, secret_access_key, session_token)
        return cls(region, keys.get_frozen_credentials)

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign a request of the blocking client."""
        request.read()
        self._sign(request, self.credentials())
        yield request

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Sign a request of the async client; credentials may be fetched from the network, so in a thread."""
        await request.aread()
        self._sign(request, await anyio.to_thread.run_sync(self.credentials))
        yield request

    def _sign(self, request: httpx.Request, credentials: ReadOnlyCredentials) -> None:
        headers = {name: request.headers[name] for name in _SIGNED_HEADERS if name in request.headers}
        signed = AWSRequest(request.method, str(request.url), data=request.content, headers=headers)
        SigV4Auth(credentials, _SERVICE, self.region).add_auth(signed)
        for name, value in signed.headers.items():
            request.headers[name] = value


@dataclass(frozen=True)
class Bearer(httpx.Auth):
    """Sends a JWT of your identity provider. `token` is the token, or a function that returns the one of now."""

    token: str | Callable[[], str] = field(repr=False)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the token."""
        token = self.token if isinstance(self.token, str) else self.token()
        request.headers["Authorization"] = f"Bearer {token}"
        yield request
