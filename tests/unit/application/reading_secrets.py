"""A world whose functions read their keys from Secrets Manager, two secrets of three: each reading is a side effect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import cast

from direct_debit.adapters.credentials import SecretPart, parse_data
from direct_debit.adapters.doku import WORKER_READ_SECONDS, DokuAdapter
from direct_debit.adapters.secrets import SecretsManager, SecretsManagerCredentials
from direct_debit.adapters.vault import AesGcmVault
from direct_debit.application.ports.ports import Ports
from direct_debit.entrypoint.check_credentials import read_signing
from direct_debit.entrypoint.doku_connection import DokuConnector
from doku_snap.settings import ClientSettings
from tests.benchmarks.speed.secret import secret_texts
from tests.fakes.clock import FakeClock
from tests.fakes.secrets_manager import FakeSecretsManager
from tests.fakes.world import AWS_FAILURES, BankTransport, World


class WorldOfSecrets(World):
    """What signs and what seals are secrets of their own, as new stacks have them, and a day old."""

    def process(self) -> Ports:
        """Return the ports of a fresh process, which has read no secret yet."""
        signing, data = self._source("signing", read_signing), self._source("data", parse_data)
        transport = BankTransport(self.simulator, lambda: self.weather, lambda: self.bend)
        connect = DokuConnector(ClientSettings(), signing, self.clock, transport, telemetry=self.telemetry)
        doku = DokuAdapter(
            connect, self.clock, self.telemetry, read_seconds=WORKER_READ_SECONDS, doubt_keys=signing.refresh
        )
        return replace(super().process(), vault=AesGcmVault(data, self.ids), doku=doku)

    def _source[P: SecretPart](self, part: str, read: Callable[[str], P]) -> SecretsManagerCredentials[P]:
        secret = FakeSecretsManager(FakeClock(self.clock.now() - timedelta(days=1)))
        secret.put_secret_value(SecretString=secret_texts()[part])
        client = cast("SecretsManager", _Weathered(self, secret))
        return SecretsManagerCredentials(client, part, self.clock, self.telemetry, read, overlap=timedelta(days=1))


class _Weathered:
    def __init__(self, world: World, secret: FakeSecretsManager) -> None:
        self._world = world
        self._secret = secret

    def get_secret_value(self, **asked: str) -> Mapping[str, object]:
        return self._world.weather.effect("secret.read", lambda: self._secret.get_secret_value(**asked), AWS_FAILURES)
