"""DOKU does not take our signature, client id or key (401xx00, contract section 5): an operator has to know."""

from direct_debit.application.ports.ports import Ports
from direct_debit.application.ports.telemetry import Metric


def note_refused_key(ports: Ports, code: str | None) -> None:
    """Count it, if `code` says so. Of a customer's tokens (service 74) the same code may mean the customer."""
    if code is not None and code.startswith("401") and code.endswith("00"):
        ports.telemetry.count(Metric.CREDENTIALS_REFUSED)
        ports.telemetry.note("DOKU does not take our signature, client id or key", code=code)
