"""Requests for a token at DOKU, signed with keys of one's own choice: what they prove, and DOKU's time.

DOKU probably honours its newest token only. So what is got with keys that are in use, or come into use, is shared at
once: no function is left with a token that this one ended.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from direct_debit.adapters.credentials import FixedCredentials
from direct_debit.adapters.doku import WORKER_READ_SECONDS, DokuAdapter, DokuConnection
from direct_debit.adapters.vault import AesGcmVault
from direct_debit.application.calls.obtain_b2b_token import Proof, obtain_b2b_token
from direct_debit.application.deadline import Deadline
from direct_debit.application.errors import DirectDebitError, Rejected, StoreUnavailable
from direct_debit.application.ports.ports import TokenMemory
from direct_debit.application.ports.telemetry import Metric
from direct_debit.entrypoint.client_settings import make_client_settings
from doku_snap.client import DokuClient
from doku_snap.credentials import Credentials
from doku_snap.tokens import TokenClient
from doku_snap.transport import HttpAnswer, HttpRequest, Timeout, Transport
from tools.ops.secret_content import Content
from tools.ops.secret_versions import read_date
from tools.ops.system import System

_PATIENCE = timedelta(seconds=50)


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """`taken`: DOKU gave a token; None when it did not say. `date` is DOKU's time (UTC), where its answer told it."""

    taken: bool | None
    told: str
    date: datetime | None


def share_token(system: System, content: Content, *, sealed_by: Content) -> TokenAnswer:
    """Ask DOKU for a token with the keys of `content`, and let all functions use it. `sealed_by` is in use."""
    doku, date = _connect(system, content)
    ports = replace(
        system.ports,
        doku=doku,
        vault=AesGcmVault(FixedCredentials(sealed_by.credentials), system.ports.ids),
        telemetry=_Quiet(),
        token_memory=TokenMemory(),
    )
    now = system.ports.clock.now()
    try:
        obtain_b2b_token(ports, Deadline(now + _PATIENCE), proof=Proof(doku.key_id(), now))
    except DirectDebitError as error:
        return TokenAnswer(_judge(error), _tell(error), date())
    return TokenAnswer(taken=True, told="DOKU gave a token", date=date())


def try_key(system: System, content: Content) -> TokenAnswer:
    """Ask DOKU for a token with keys that should be refused. One that is given after all ends the shared one."""
    doku, date = _connect(system, content)
    try:
        doku.request_b2b_token(Deadline(system.ports.clock.now() + _PATIENCE))
    except DirectDebitError as error:
        return TokenAnswer(_judge(error), _tell(error), date())
    return TokenAnswer(taken=True, told="DOKU gave a token", date=date())


def _connect(system: System, content: Content) -> tuple[DokuAdapter, Callable[[], datetime | None]]:
    credentials, clock = content.credentials, system.ports.clock
    listening = _Listening(system.outside.transport)
    keys = Credentials(credentials.client_id, credentials.secret_key, credentials.merchant_private_key)
    settings = make_client_settings(system.environment)
    connection = DokuConnection(
        DokuClient(keys, settings, listening, clock.now), TokenClient(keys, settings, listening, clock.now)
    )
    adapter = DokuAdapter(
        lambda: connection, clock, _Quiet(), read_seconds=WORKER_READ_SECONDS, doubt_keys=lambda: False
    )
    return adapter, lambda: listening.date


def _judge(error: DirectDebitError) -> bool | None:
    refused = isinstance(error, Rejected) or isinstance(error.__cause__, Rejected)
    return False if refused else None


def _tell(error: DirectDebitError) -> str:
    if _judge(error) is False:
        return f"DOKU refused it ({error.code or 'without a code'})"
    if isinstance(error, StoreUnavailable):
        return f"DOKU was not asked: {error.detail}"
    return f"DOKU gave no token ({error.code or error.detail})"


class _Listening:
    """A transport that remembers DOKU's time."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.date: datetime | None = None

    def send(self, request: HttpRequest, timeout: Timeout) -> HttpAnswer:
        """See Transport.send."""
        answer = self._transport.send(request, timeout)
        self.date = read_date(answer.headers.get("date"))
        return answer


class _Quiet:
    """Implements `Telemetry`: what an operator tries is no event of the system's."""

    def count(self, metric: Metric, amount: int = 1) -> None:
        """Count nothing."""

    def note(
        self,
        message: str,
        *,
        ref: str | None = None,
        binding_id: str | None = None,
        state: str | None = None,
        code: str | None = None,
        reason: str | None = None,
        source_address: str | None = None,
    ) -> None:
        """Write nothing."""
