"""Why a link can not be used now, and who does what about it."""

from collections.abc import Mapping

from direct_debit.application.errors import Conflict
from direct_debit.domain.binding import BindingState

_ANEW = "link the account again with POST /bindings and use the new bindingId"
_WHY: Mapping[BindingState, str] = {
    BindingState.REQUESTED: "it is not known yet whether DOKU has begun; repeat POST /bindings",
    BindingState.PENDING: "the customer has not finished; send the browser to redirectUrl and wait for ACTIVE",
    BindingState.RELINK_REQUIRED: "the bank no longer accepts this link; the customer has to link the account again "
    "(POST /bindings)",
    BindingState.UNBIND_OTP_PENDING: "the account is being unlinked; finish that, or wait until it has expired",
    BindingState.UNBOUND: f"the account was unlinked; {_ANEW}",
    BindingState.FAILED: f"linking failed; {_ANEW}",
}


def explain_not_active(state: BindingState) -> Conflict:
    """Return the error of a link that is not ACTIVE."""
    why = _WHY.get(state, "read it with GET /bindings/{id}")
    return Conflict(f"the binding is {state}, not ACTIVE: {why}; nothing was sent")
