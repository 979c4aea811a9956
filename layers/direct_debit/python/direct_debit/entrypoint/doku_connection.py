"""How this process speaks to DOKU: the signing layer's clients, made from the settings and the secret."""

from functools import partial

from direct_debit.adapters.credentials import CredentialSource, MalformedCredentials, SigningSecret
from direct_debit.adapters.doku import DokuConnection
from direct_debit.application.ports.telemetry import Metric, Telemetry
from direct_debit.application.ports.time_and_chance import Clock
from doku_snap.client import DokuClient
from doku_snap.credentials import Credentials
from doku_snap.errors import InvalidSetting
from doku_snap.keys import load_private_key
from doku_snap.settings import ClientSettings
from doku_snap.tokens import TokenClient
from doku_snap.transport import RequestsTransport, Transport


class DokuConnector:
    """Makes the signing layer's clients, anew only when the secret has changed; the connections stay open."""

    def __init__(
        self,
        settings: ClientSettings,
        credentials: CredentialSource[SigningSecret],
        clock: Clock,
        transport: Transport | None = None,
        *,
        telemetry: Telemetry,
    ) -> None:
        self._credentials = credentials
        self._clock = clock
        self._telemetry = telemetry
        self._transport = transport or RequestsTransport()
        self._settings = settings
        self._made: tuple[SigningSecret, DokuConnection] | None = None

    def __call__(self) -> DokuConnection:
        """Return the clients of the current secret, or those before where its key turns out to be none.

        Where there are none before, the key is left to its first use: to find out whether its numbers fit each other
        takes as long as all else of a cold start's first request. Raises NotConfigured (MalformedCredentials),
        StoreUnavailable.
        """
        content = self._credentials.current()
        if self._made is not None and self._made[0] == content:
            return self._made[1]
        try:
            connection = self._connect(content)
            if self._made is not None:
                load_private_key(content.merchant_private_key)
        except InvalidSetting as error:
            fault = self._count(error)
            if self._made is None:
                raise fault from None
            self._telemetry.note("the secret can not be used, the version before it stays", reason=fault.fault)
            connection = self._made[1]
        self._made = (content, connection)
        return connection

    def _connect(self, content: SigningSecret) -> DokuConnection:
        keys = Credentials(content.client_id, content.secret_key, content.merchant_private_key)
        client = DokuClient(keys, self._settings, self._transport, self._clock.now)
        tokens = TokenClient(keys, self._settings, self._transport, self._clock.now)
        return DokuConnection(client, tokens, partial(self._check_key, content.merchant_private_key))

    def _check_key(self, pem: str) -> None:
        try:
            load_private_key(pem)
        except InvalidSetting as error:
            raise self._count(error) from None

    def _count(self, error: InvalidSetting) -> MalformedCredentials:
        self._telemetry.count(Metric.SECRET_UNUSABLE)
        return MalformedCredentials((error.setting, error.rule))
