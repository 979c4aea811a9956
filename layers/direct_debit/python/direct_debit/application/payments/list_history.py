"""The life of a payment so far, step by step."""

from collections.abc import Sequence

from direct_debit.application.ports.history import HistoryEntry
from direct_debit.domain.evidence import EvidenceSource
from direct_debit.domain.payment import Payment, PaymentState

_FIRST = 1  # the version of a record that was never changed


def list_history(payment: Payment, steps: Sequence[HistoryEntry]) -> Sequence[HistoryEntry]:
    """Return the life of a payment from the steps that were recorded, oldest first; the newest may be missing.

    Its beginning is in the record and needs no item of its own, though older releases wrote one.
    """
    if steps and steps[0].version == _FIRST:
        return steps
    begun = HistoryEntry(_FIRST, payment.created_at, PaymentState.REQUESTED, None, EvidenceSource.CALLER, None)
    return [begun, *steps]
