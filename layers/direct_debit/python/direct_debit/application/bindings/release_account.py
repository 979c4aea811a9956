"""Let the account of a settled payment go: from then on it may be unlinked (invariant B2)."""

from direct_debit.application.errors import PaymentChanged, RecordUnreadable
from direct_debit.application.ports.ports import Ports


def release_account(binding_id: str, ref: str, ports: Ports) -> bool:
    """Take a settled payment off its binding's list of open ones; False while money may still move.

    What was read and what is written are tied together: a refund that is asked for in between keeps the account.
    Raises StoreUnavailable. Harmless when repeated.
    """
    while True:
        try:
            payment = ports.payments.get(ref)
        except RecordUnreadable:
            return False  # money may move in it, for all that this code knows
        if payment is not None and payment.is_open:
            return False
        try:
            ports.payments.release_account(binding_id, ref, payment)
        except PaymentChanged:
            continue  # it moved meanwhile: look again
        return True
