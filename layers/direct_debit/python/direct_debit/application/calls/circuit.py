"""The circuit breaker: when DOKU does not answer, new payments are refused at once instead of becoming UNKNOWN.

Only new payments are held back. Status inquiries, refunds, OTPs and notifications go on, and their answers close the
circuit again; a single new payment at a time may probe.

A circuit without a failure is remembered for a few seconds, so that the whole fleet does not read one item around each
call (docs/decisions/0038). Any other is read each time, and who sees a failure looks again.
"""

from dataclasses import replace
from datetime import timedelta

from direct_debit.application.errors import CircuitOpen, StoreUnavailable
from direct_debit.application.ports.fleet import CircuitState
from direct_debit.application.ports.ports import Ports
from direct_debit.application.ports.telemetry import Metric

QUIET_FOR = timedelta(seconds=5)
"""How long a process takes the circuit to be as quiet as it saw it: by so much it may learn late that it is open."""


def is_open(ports: Ports) -> bool:
    """Return whether new payments are held back, or one of them may probe. Raises StoreUnavailable."""
    return not _is_quiet(ports) and _look(ports).open_until is not None


def pass_circuit(ports: Ports) -> None:
    """Let a new payment through, or raise CircuitOpen.

    Once the circuit has been open for its time, one caller becomes the probe and the others wait for its result.
    """
    if _is_quiet(ports):
        return
    state = _look(ports)
    if state.open_until is None:
        return
    now = ports.clock.now()
    window = timedelta(seconds=ports.settings.circuit_open)
    if now >= state.open_until and ports.circuit.replace(state, replace(state, open_until=now + window)):
        return
    wait = max(state.open_until - now, timedelta(seconds=1))
    raise CircuitOpen("DOKU does not answer at the moment; nothing was sent", retry_after=wait)


def record_answer(ports: Ports) -> None:
    """Note that DOKU answered: any failures so far are forgotten, those of the last seconds perhaps by a later answer.

    Never raises: the answer that was just had matters more than this note of it.
    """
    if _is_quiet(ports):
        return
    try:
        state = _look(ports)
        if state != CircuitState():
            ports.circuit.replace(state, CircuitState())
    except StoreUnavailable:
        ports.telemetry.note("answer not noted by the circuit breaker")


def record_failure(ports: Ports) -> None:
    """Note that DOKU did not answer; enough of these within the window open the circuit. Never raises."""
    ports.circuit_memory.quiet_at = None
    try:
        _count_failure(ports)
    except StoreUnavailable:
        ports.telemetry.note("failure not noted by the circuit breaker")


def _is_quiet(ports: Ports) -> bool:
    quiet_at = ports.circuit_memory.quiet_at
    # A clock that was set back must not make the memory longer.
    return quiet_at is not None and timedelta(0) <= ports.clock.now() - quiet_at < QUIET_FOR


def _look(ports: Ports) -> CircuitState:
    """Read the circuit, and remember one that is quiet, since before it was read."""
    now = ports.clock.now()
    state = ports.circuit.read()
    ports.circuit_memory.quiet_at = now if state == CircuitState() else None
    return state


def _count_failure(ports: Ports) -> None:
    settings = ports.settings
    now = ports.clock.now()
    state = ports.circuit.read()
    if state.since is None or now - state.since > timedelta(seconds=settings.circuit_window):
        following = CircuitState(failures=1, since=now, open_until=state.open_until)
    else:
        following = replace(state, failures=state.failures + 1)
    if following.failures >= settings.circuit_failures:
        following = replace(following, open_until=now + timedelta(seconds=settings.circuit_open))
    if ports.circuit.replace(state, following) and state.open_until is None and following.open_until is not None:
        ports.telemetry.count(Metric.CIRCUIT_OPENED)
        ports.telemetry.note("circuit opened", reason="DOKU does not answer")
