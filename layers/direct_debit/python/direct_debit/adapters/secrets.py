"""The secret in Secrets Manager, kept for a while, so that a rotation needs no deployment and costs no request."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from direct_debit.adapters.credentials import MalformedCredentials, parse_credentials
from direct_debit.application.errors import StoreUnavailable

if TYPE_CHECKING:
    from datetime import datetime

    from mypy_boto3_secretsmanager import SecretsManagerClient

    from direct_debit.adapters.credentials import Credentials
    from direct_debit.application.ports import Clock

LIFETIME = timedelta(seconds=300)
REFRESH_PAUSE = timedelta(seconds=60)
"""Between two forced readings, and between attempts while Secrets Manager does not answer."""


class SecretsManagerCredentials:
    """Implements `CredentialSource`: AWSCURRENT and AWSPREVIOUS, each read when asked for and then kept for 300 s.

    While Secrets Manager does not answer, what is kept stays in use; without anything kept it is StoreUnavailable.
    A current version that can not be read is MalformedCredentials; a previous one that can not counts as absent (the
    first version of a new stack is a placeholder).
    """

    def __init__(self, client: SecretsManagerClient, secret_id: str, clock: Clock) -> None:
        self._client = client
        self._secret_id = secret_id
        self._clock = clock
        self._current: Credentials | None = None
        self._current_until: datetime | None = None
        self._previous: Credentials | None = None
        self._previous_until: datetime | None = None
        self._refresh_from: datetime | None = None

    def current(self) -> Credentials:
        """Return AWSCURRENT. Raises MalformedCredentials, StoreUnavailable."""
        now = self._clock.now()
        if self._current is not None and self._current_until is not None and now < self._current_until:
            return self._current
        try:
            text = self._read("AWSCURRENT")
        except StoreUnavailable:
            if self._current is None:
                raise
            self._current_until = now + REFRESH_PAUSE
            return self._current
        if text is None:
            raise StoreUnavailable("the secret does not exist", code="ResourceNotFoundException")
        self._current = parse_credentials(text)
        self._current_until = now + LIFETIME
        return self._current

    def previous(self) -> Credentials | None:
        """Return AWSPREVIOUS; None when there is none that can be read."""
        now = self._clock.now()
        if self._previous_until is None or now >= self._previous_until:
            try:
                text = self._read("AWSPREVIOUS")
                self._previous = None if text is None else parse_credentials(text)
                self._previous_until = now + LIFETIME
            except MalformedCredentials:
                self._previous = None
                self._previous_until = now + LIFETIME
            except StoreUnavailable:
                self._previous_until = now + REFRESH_PAUSE
        return self._previous

    def refresh(self) -> bool:
        """Make the next questions read anew; False when that was done within the last minute."""
        now = self._clock.now()
        if self._refresh_from is not None and now < self._refresh_from:
            return False
        self._refresh_from = now + REFRESH_PAUSE
        self._current_until = None
        self._previous_until = None
        return True

    def _read(self, stage: str) -> str | None:
        try:
            response = self._client.get_secret_value(SecretId=self._secret_id, VersionStage=stage)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ResourceNotFoundException":
                return None
            raise StoreUnavailable(f"Secrets Manager answered {code}", code=code) from error
        except BotoCoreError as error:
            raise StoreUnavailable(f"Secrets Manager did not answer: {type(error).__name__}") from error
        return response.get("SecretString", "")
