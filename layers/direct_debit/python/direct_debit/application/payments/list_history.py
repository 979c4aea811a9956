"""The life of a payment so far, step by step."""

from collections.abc import Sequence

from direct_debit.application.ports.payments import HistoryEntry
from direct_debit.application.ports.ports import Ports
from direct_debit.domain.evidence import EvidenceSource
from direct_debit.domain.payment import Payment, PaymentState

_FIRST = 1  # the version of a record that was never changed


def list_history(payment: Payment, ports: Ports) -> Sequence[HistoryEntry]:
    """Return the steps of a payment, oldest first; the newest may be missing for a moment. Raises StoreUnavailable.

    Its beginning is in the record and needs no item of its own, though older releases wrote one.
    """
    steps = ports.payments.history(payment.ref)
    if steps and steps[0].version == _FIRST:
        return steps
    begun = HistoryEntry(_FIRST, payment.created_at, PaymentState.REQUESTED, None, EvidenceSource.CALLER, None)
    return [begun, *steps]
