"""The secret in Secrets Manager, kept for a while, so that a rotation needs no deployment and costs no request."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol, Unpack

from botocore.exceptions import BotoCoreError, ClientError

from direct_debit.adapters.credentials import MalformedCredentials, SecretPart
from direct_debit.application.errors import NotConfigured, StoreUnavailable
from direct_debit.application.ports.telemetry import Metric

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mypy_boto3_secretsmanager.type_defs import GetSecretValueRequestTypeDef, GetSecretValueResponseTypeDef

    from direct_debit.application.ports.telemetry import Telemetry
    from direct_debit.application.ports.time_and_chance import Clock

LIFETIME = timedelta(seconds=50)
"""So that a change in an emergency is heard by every function within a minute."""

HEARD_EVERYWHERE = LIFETIME + timedelta(seconds=10)
"""After which every function has read a new version: those that asked a moment before it, with clocks that differ."""

REFRESH_PAUSE = timedelta(seconds=60)
"""Between two forced readings, and between attempts while there is nothing better than what is kept."""


class SecretsManager(Protocol):
    """What is used of boto3's client, with its arguments, responses and errors."""

    def get_secret_value(self, **kwargs: Unpack[GetSecretValueRequestTypeDef]) -> GetSecretValueResponseTypeDef:
        """Read a version of a secret."""
        ...


class SecretsManagerCredentials[P: SecretPart]:
    """Implements `CredentialSource`: AWSCURRENT and AWSPREVIOUS, each read when asked for and then kept for 50 s.

    What is kept stays in use while Secrets Manager does not answer, and while what it answers can not be used: a slip
    in a rotation stops nobody who has a good version. Without one it is StoreUnavailable or NotConfigured. Each
    version that can not be used is counted; a previous one counts as absent. `parse` reads and checks the text of a
    version, whole or one part, and raises MalformedCredentials.

    The previous version overlaps for `overlap` from the creation of the current one, by Secrets Manager's clock. Where
    that is not told, it does not overlap.
    """

    def __init__(
        self,
        client: SecretsManager,
        secret_id: str,
        clock: Clock,
        telemetry: Telemetry,
        parse: Callable[[str], P],
        *,
        overlap: timedelta,
    ) -> None:
        self._client = client
        self._secret_id = secret_id
        self._clock = clock
        self._telemetry = telemetry
        self._parse = parse
        self._overlap = overlap
        self._current: P | None = None
        self._current_since: datetime | None = None
        self._current_until: datetime | None = None
        self._confirmed_until: datetime | None = None
        self._previous: P | None = None
        self._previous_until: datetime | None = None
        self._refresh_from: datetime | None = None

    def current(self) -> P:
        """Return AWSCURRENT. Raises NotConfigured (MalformedCredentials), StoreUnavailable."""
        now = self._clock.now()
        if self._current is not None and self._current_until is not None and now < self._current_until:
            return self._current
        try:
            self._current, since = self._read_current()
            if since != self._current_since:
                self._current_since, self._previous_until = since, None  # what was before it, is another version now
            self._current_until = self._confirmed_until = now + LIFETIME
        except StoreUnavailable as error:
            if isinstance(error, NotConfigured):
                self._telemetry.count(Metric.SECRET_UNUSABLE)
            if self._current is None:
                self._current = self._find_one_before(error)
            if isinstance(error, NotConfigured):
                self._telemetry.note("the secret can not be used, the version before it stays", reason=error.fault)
            self._current_until = now + REFRESH_PAUSE
        return self._current

    def previous(self) -> P | None:
        """Return AWSPREVIOUS; None when there is none that can be read."""
        now = self._clock.now()
        if self._previous_until is None or now >= self._previous_until:
            try:
                version = self._read("AWSPREVIOUS")
                self._previous = None if version is None else self._parse(version[0])
                self._previous_until = now + LIFETIME
            except MalformedCredentials:
                self._previous = None
                self._previous_until = now + LIFETIME
            except StoreUnavailable:
                self._previous_until = now + REFRESH_PAUSE
        return self._previous

    def _find_one_before(self, error: StoreUnavailable) -> P:
        """Return the version before one that can not be used, so that a slip stops no function that starts either."""
        before = self.previous() if isinstance(error, MalformedCredentials) else None
        if before is None:
            raise error
        return before

    def overlapping(self) -> P | None:
        """Return AWSPREVIOUS during the overlap, and None after it or where there is none that can be read.

        Raises what `current` raises.
        """
        self.current()
        since = self._current_since
        return None if since is None or self._clock.now() >= since + self._overlap else self.previous()

    def settled(self) -> P:
        """Return AWSPREVIOUS until AWSCURRENT is a minute old, then AWSCURRENT; also where none overlaps with it.

        Raises what `current` raises.
        """
        current = self.current()
        since = self._current_since
        if since is None or self._clock.now() >= since + HEARD_EVERYWHERE:
            return current
        return self.overlapping() or current

    def is_confirmed(self) -> bool:
        """Return whether the version that `current` returned was read within its lifetime.

        Not, while Secrets Manager does not answer or has a version that can not be used: what is kept may be replaced.
        """
        return self._confirmed_until is not None and self._clock.now() < self._confirmed_until

    def refresh(self) -> bool:
        """Make the next questions read anew; False when that was done within the last minute."""
        now = self._clock.now()
        if self._refresh_from is not None and now < self._refresh_from:
            return False
        self._refresh_from = now + REFRESH_PAUSE
        self._current_until = None
        self._previous_until = None
        return True

    def _read_current(self) -> tuple[P, datetime | None]:
        version = self._read("AWSCURRENT")
        if version is None:
            name = self._secret_id.rpartition(":")[2]
            raise NotConfigured(f"the secret {name} has no value: put its credentials in (docs/operations.md, Secrets)")
        text, since = version
        current = self._parse(text)
        for fault in current.faults:
            self._telemetry.count(Metric.SECRET_UNUSABLE)
            self._telemetry.note("a part of the secret can not be used, the rest is", reason=fault)
        return current, since

    def _read(self, stage: str) -> tuple[str, datetime | None] | None:
        try:
            response = self._client.get_secret_value(SecretId=self._secret_id, VersionStage=stage)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ResourceNotFoundException":  # also of a secret that is there, and has no value
                return None
            raise StoreUnavailable(f"Secrets Manager answered {code}", code=code) from error
        except BotoCoreError as error:
            raise StoreUnavailable(f"Secrets Manager did not answer: {type(error).__name__}") from error
        return response.get("SecretString", ""), response.get("CreatedDate")
