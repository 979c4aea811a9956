"""What all processes share: the merchant's token and the circuit."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SharedToken:
    """The merchant's B2B token as the fleet shares it; `token` is sealed. Times are UTC.

    That DOKU issued it proves that it took the key `signed_with` at `issued_at`.
    """

    token: str = field(repr=False)
    signed_with: str
    issued_at: datetime
    expires_at: datetime
    generation: int


@dataclass(frozen=True, slots=True)
class SharedTokenRecord:
    """The shared token, if there is one, and until when somebody may be renewing it (UTC)."""

    token: SharedToken | None = field(default=None, repr=False)
    lease_until: datetime | None = None


class B2BTokens(Protocol):
    """The one shared B2B token, and the lease of the one who may renew it."""

    def read(self) -> SharedTokenRecord:
        """Read consistently."""
        ...

    def take_lease(self, owner: str, generation: int, now: datetime, until: datetime) -> bool:
        """Become the one who renews generation `generation`; False while another lease runs or it was renewed."""
        ...

    def publish(self, owner: str, token: SharedToken) -> bool:
        """Replace the token and give up the lease; False when the lease had passed to somebody else."""
        ...

    def release_lease(self, owner: str) -> None:
        """Give up the lease after a failed renewal."""
        ...


@dataclass(frozen=True, slots=True)
class CircuitState:
    """Failures in a row since the last success, and until when new payments are refused. UTC."""

    failures: int = 0
    since: datetime | None = None
    open_until: datetime | None = None


class Circuit(Protocol):
    """The fleet's shared memory of whether DOKU answers."""

    def read(self) -> CircuitState:
        """Read (eventually consistent is enough)."""
        ...

    def replace(self, before: CircuitState, after: CircuitState) -> bool:
        """Write `after` if the state is still `before`; False otherwise."""
        ...
