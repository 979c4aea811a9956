"""Start a refund again that needs a review, or that DOKU refused: same number, so that nothing is given back twice."""

from direct_debit.application.errors import PaymentChanged, Rejected
from direct_debit.application.payments.advance_payment import queue_refund
from direct_debit.application.refunds.process_refund import redrive_refund as restart
from direct_debit.domain.transitions import TransitionRefused
from tools.ops.failure import OpsError
from tools.ops.report import Report
from tools.ops.system import System


def redrive_refund(ref: str, system: System) -> Report:
    """Put the payment's refund on its way again. Raises OpsError when there is none that stands still."""
    try:
        payment = restart(ref, system.ports)
    except Rejected as error:
        raise OpsError(f"{error.detail}: {ref}") from None
    except TransitionRefused as error:
        reason = f"the refund of {ref} is {error.situation}; only NEEDS_REVIEW and FAILED can be started again"
        raise OpsError(reason) from None
    except PaymentChanged:
        raise OpsError(f"the payment {ref} changed just now; look again with `explain {ref}`") from None
    queue_refund(system.ports, payment)
    number = None if payment.refund is None else payment.refund.number
    state = None if payment.refund is None else payment.refund.state
    return Report(
        {"partnerReferenceNo": ref, "partnerRefundNo": number, "state": state},
        [
            f"the refund {number} of {ref} is {state}: DOKU is asked first, and it is sent if DOKU does not know it",
            f"watch it with `explain {ref}`",
        ],
    )
