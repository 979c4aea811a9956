"""One call to DOKU with the tokens it needs: renewed once when DOKU does not take them, then given up."""

from collections.abc import Callable
from functools import partial

from direct_debit.application.calls.circuit import record_answer, record_failure
from direct_debit.application.calls.obtain_b2b_token import obtain_b2b_token
from direct_debit.application.calls.obtain_customer_token import obtain_customer_token, require_relink
from direct_debit.application.calls.refused_key import note_refused_key
from direct_debit.application.deadline import Deadline
from direct_debit.application.errors import (
    B2BTokenRefused,
    CustomerTokenRefused,
    DokuSilent,
    FreshTokenRefused,
    NotDone,
    OutcomeUnknown,
)
from direct_debit.application.ports.doku import DokuCall
from direct_debit.application.ports.ports import Ports
from direct_debit.application.references import make_external_id
from direct_debit.domain.binding import Binding


def call_doku[T](
    ports: Ports,
    deadline: Deadline,
    send: Callable[[DokuCall], T],
    *,
    binding_id: str | None = None,
    binding: Binding | None = None,
    external_id: str | None = None,
    renew_external_id: Callable[[], str] | None = None,
    device_id: str | None = None,
    ip_address: str | None = None,
) -> T:
    """Call `send` with valid tokens and return its answer.

    With `binding_id` the customer's token of that binding goes along; with `binding` that of the record as the caller
    has just read or written it, which is read again only when it has changed and DOKU does not take its token. A call
    that was refused for its token had no effect and is repeated once per kind of token under a new request id;
    `renew_external_id` makes (and records) it. Raises what `send` raises except the two token errors: NotDone or
    RelinkRequired (the binding is then RELINK_REQUIRED) stand for those.
    """
    owner = binding_id if binding is None else binding.id
    renew = renew_external_id or (lambda: make_external_id(ports.clock, ports.ids))
    request_id = external_id or make_external_id(ports.clock, ports.ids)
    refused_b2b: str | None = None
    refused_customer: str | None = None
    while True:  # three times at most: a token of each kind is renewed once
        b2b_token = _note_silence(ports, partial(obtain_b2b_token, ports, deadline, refused_b2b))
        access = None
        if owner is not None:
            obtain = partial(obtain_customer_token, ports, owner, deadline, refused_customer, known=binding)
            access = _note_silence(ports, obtain)
        if refused_b2b is not None or refused_customer is not None:
            request_id = renew()  # with the tokens in hand: what it checks in the record holds for the sending
        call = DokuCall(
            b2b_token=b2b_token,
            external_id=request_id,
            deadline=deadline,
            customer_token=None if access is None else access.token,
            device_id=device_id,
            ip_address=ip_address,
        )
        try:
            answer = _send(ports, partial(send, call))
        except B2BTokenRefused as error:
            if refused_b2b is not None:
                raise NotDone("DOKU does not take a fresh access token; nothing was done", code=error.code) from error
            refused_b2b = b2b_token
        except CustomerTokenRefused as error:
            if access is None:
                raise NotDone("DOKU asks for a customer token on this call", code=error.code) from error
            if refused_customer is not None:
                require_relink(ports, access.binding, error.code, FreshTokenRefused)
            refused_customer = access.token
        else:
            record_answer(ports)
            return answer


def _send[T](ports: Ports, send: Callable[[], T]) -> T:
    try:
        return _note_silence(ports, send)
    except NotDone as error:
        note_refused_key(ports, error.code)
        raise


def _note_silence[T](ports: Ports, send: Callable[[], T]) -> T:
    """Tell the circuit breaker when DOKU does not answer, or answers that it can not; nothing of our own making."""
    try:
        return send()
    except (DokuSilent, OutcomeUnknown) as error:
        if isinstance(error, DokuSilent) or error.silent:
            record_failure(ports)
        raise
