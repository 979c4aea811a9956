"""B2B and customer (B2B2C) tokens (contract 3.1, 3.2)."""

import base64
import json
from datetime import datetime, timedelta

from tools.doku_simulator.gate import Checked
from tools.doku_simulator.operations import Json
from tools.doku_simulator.records import Binding, CustomerToken, Refused
from tools.doku_simulator.world import World, wib_text


class Tokens:
    """Issues tokens; their texts look like JWTs but mean nothing to anybody but DOKU."""

    def __init__(self, world: World) -> None:
        self._world = world

    def issue_b2b(self, request: Checked) -> Json:
        """Answer operation 1."""
        world = self._world
        expires = request.at + timedelta(seconds=world.config.b2b_token_seconds)
        token = self._token(expires, {})
        if world.variant.newest_b2b_token_only:
            world.b2b_tokens.clear()
        world.b2b_tokens[token] = expires
        return {
            "accessToken": token,
            "tokenType": "Bearer",
            "expiresIn": world.config.b2b_token_seconds,
            "additionalInfo": "",
        }

    def issue_customer(self, request: Checked) -> Json:
        """Answer operation 2: by auth code while the binding lives, or by refresh token."""
        world, values = self._world, request.values
        if values["grantType"] == "authorization_code":
            if "authCode" not in values:
                raise Refused("40002", "authCode")
            binding = world.bindings.get(values["authCode"])
            if binding is None or not binding.linked:
                raise Refused("40100", "Invalid Auth Code")
        else:
            binding = self._refreshed(values, request.at)
        expires = request.at + timedelta(seconds=world.config.customer_token_seconds)
        refresh_expires = request.at + timedelta(seconds=world.config.refresh_token_seconds)
        if world.variant.newest_customer_token_only:
            self.revoke(binding, refresh=False)
        token = self._token(expires, {"accountId": f"{world.random.getrandbits(128):032x}"})
        refresh = f"{world.random.getrandbits(128):032x}"
        world.access_tokens[token] = CustomerToken(binding, expires)
        world.refresh_tokens[refresh] = CustomerToken(binding, refresh_expires)
        binding.customer_token = token
        return {
            "accessToken": token,
            "tokenType": "Bearer",
            "accessTokenExpiryTime": wib_text(expires),
            "refreshToken": refresh,
            "refreshTokenExpiryTime": wib_text(refresh_expires),
            "additionalInfo": {},
        }

    def revoke(self, binding: Binding, *, refresh: bool = True) -> None:
        """Forget the binding's access tokens, and its refresh tokens too."""
        world = self._world
        world.access_tokens = {
            text: known for text, known in world.access_tokens.items() if known.binding is not binding
        }
        if refresh:
            kept = {text: known for text, known in world.refresh_tokens.items() if known.binding is not binding}
            world.refresh_tokens = kept

    def expire_b2b(self) -> None:
        """Let every B2B token expire now."""
        now = self._world.now()
        for token in self._world.b2b_tokens:
            self._world.b2b_tokens[token] = now

    def expire_customer(self, customer: str | None, *, refresh: bool = False) -> None:
        """Let the access tokens (and the refresh tokens) of one customer, or of all, expire now."""
        world, now = self._world, self._world.now()
        stores = (world.access_tokens, world.refresh_tokens) if refresh else (world.access_tokens,)
        for store in stores:
            for known in store.values():
                if customer is None or known.binding.customer == customer:
                    known.expires_at = now

    def _refreshed(self, values: dict[str, str], now: datetime) -> Binding:
        world = self._world
        if "refreshToken" not in values:
            raise Refused("40002", "refreshToken")
        known = world.refresh_tokens.get(values["refreshToken"])
        if known is None or known.expires_at <= now or not known.binding.linked:
            raise Refused("40100", "Invalid Refresh Token")
        if world.variant.refresh_token_rotates:
            del world.refresh_tokens[values["refreshToken"]]
        return known.binding

    def _token(self, expires: datetime, claims: Json) -> str:
        world = self._world
        content: Json = {"exp": int(expires.timestamp()), "iss": "DOKU", "clientId": world.config.client_id, **claims}
        parts = (b'{"alg":"RS256"}', json.dumps(content, separators=(",", ":")).encode(), world.random.randbytes(48))
        return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode("ascii") for part in parts)
