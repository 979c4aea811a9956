"""The webhooks' own secret: one or two keys as the Standard Webhooks convention writes them, kept for a while.

The text is `whsec_` and base64; while one key replaces another both stand there, the newer one first, with a blank
between. Both sign then, so that a receiver may change over at any time.
"""

from __future__ import annotations

import base64
import binascii
from datetime import timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from direct_debit.application.errors import StoreUnavailable
from direct_debit.application.ports.telemetry import Metric
from direct_debit.application.ports.webhooks import WebhookSecretUnusable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from direct_debit.adapters.secrets import SecretsManager
    from direct_debit.application.ports.telemetry import Telemetry
    from direct_debit.application.ports.time_and_chance import Clock

PREFIX = "whsec_"
LIFETIME = timedelta(seconds=50)
"""So that a key that leaked is out of use within a minute."""

_MOST_KEYS = 2
_FEWEST_BYTES, _MOST_BYTES = 24, 64  # the convention's bounds of a key


class SecretsManagerWebhookKeys:
    """Implements `WebhookKeys`.

    Keys stay in use while Secrets Manager does not answer, and while what it answers can not be used; a worker that
    starts then takes the version before it (AWSPREVIOUS).
    """

    def __init__(self, client: SecretsManager, secret_id: str, clock: Clock, telemetry: Telemetry) -> None:
        self._client = client
        self._secret_id = secret_id
        self._clock = clock
        self._telemetry = telemetry
        self._keys: Sequence[bytes] = ()
        self._until: datetime | None = None

    def read(self) -> Sequence[bytes]:
        """Return the keys. Raises WebhookSecretUnusable, StoreUnavailable."""
        now = self._clock.now()
        if self._until is not None and now < self._until:
            return self._keys
        try:
            self._keys = parse_webhook_keys(self._ask("AWSCURRENT"))
        except StoreUnavailable:
            if not self._keys:
                raise
        except WebhookSecretUnusable as error:
            self._keys = self._keys or self._find_keys_before(error)
            self._telemetry.count(Metric.SECRET_UNUSABLE)
            self._telemetry.note(
                "the secret of the webhooks can not be used, the version before it stays", reason=error.detail
            )
        self._until = now + LIFETIME
        return self._keys

    def _find_keys_before(self, error: WebhookSecretUnusable) -> Sequence[bytes]:
        try:
            return parse_webhook_keys(self._ask("AWSPREVIOUS"))
        except WebhookSecretUnusable:
            raise error from None  # what is wrong with the current one is to be mended

    def _ask(self, stage: str) -> str:
        try:
            response = self._client.get_secret_value(SecretId=self._secret_id, VersionStage=stage)
            return response.get("SecretString", "")
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ResourceNotFoundException":  # also of a secret that is there, and has no value
                return ""
            raise StoreUnavailable(f"Secrets Manager answered {code}", code=code) from error
        except BotoCoreError as error:
            raise StoreUnavailable(f"Secrets Manager did not answer: {type(error).__name__}") from error


def parse_webhook_keys(text: str) -> Sequence[bytes]:
    """Read the secret's text. Raises WebhookSecretUnusable, which says what to put in and never what is there."""
    words = text.removeprefix("\ufeff").split()
    if not 1 <= len(words) <= _MOST_KEYS:
        raise WebhookSecretUnusable(
            "put one key in, whsec_ and base64 of 32 random bytes, or two with a blank between (docs/webhooks.md)"
        )
    keys = []
    for position, word in enumerate(words, start=1):
        key = _decode(word)
        if key is None:
            raise WebhookSecretUnusable(f"key {position} is not {PREFIX} and base64")
        if not _FEWEST_BYTES <= len(key) <= _MOST_BYTES:
            raise WebhookSecretUnusable(f"key {position} must have {_FEWEST_BYTES} to {_MOST_BYTES} bytes")
        keys.append(key)
    return tuple(keys)


def _decode(word: str) -> bytes | None:
    try:
        return base64.b64decode(word.removeprefix(PREFIX), validate=True) if word.startswith(PREFIX) else None
    except binascii.Error:
        return None
