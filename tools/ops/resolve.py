"""Ask DOKU for a payment's status now, by the deployed inquiry worker."""

import json
from dataclasses import replace
from datetime import timedelta

from direct_debit.application.errors import PaymentChanged
from direct_debit.domain.payment import Payment
from tools.ops.explain_payment import explain_payment
from tools.ops.failure import OpsError
from tools.ops.report import Report, tell_time
from tools.ops.system import System

_ROUNDS = 3


def resolve(ref: str, system: System) -> Report:
    """Make the payment due, have the worker ask, and explain it as it is then.

    DOKU wants no inquiry in the first minute after the sending: then the inquiry is planned for its end. Safe at any
    time: the worker asks, and follows the answer by the same rules as always. Raises OpsError.
    """
    payment = _make_due(ref, system)
    now = system.ports.clock.now()
    if payment.due_at is not None and payment.due_at > now:
        moment = tell_time(payment.due_at, now)
        return Report(
            {"partnerReferenceNo": ref, "asked": False, "dueAt": f"{payment.due_at:%Y-%m-%dT%H:%M:%SZ}"},
            [f"DOKU wants no inquiry so soon after the payment; it is asked at {moment}"],
        )
    record = {"messageId": f"ops-{ref}", "body": json.dumps({"ref": ref, "attempt": payment.version})}
    answer = system.invoke(system.inquire_status, {"Records": [record]})
    if answer.get("batchItemFailures"):
        raise OpsError(f"the worker could not ask about {ref} just now; its log says why, and the sweep asks again")
    report = explain_payment(ref, system)
    return Report({**report.facts, "asked": True}, report.lines, report.status)


def _make_due(ref: str, system: System) -> Payment:
    for _ in range(_ROUNDS):
        payment = system.ports.payments.get(ref)
        if payment is None:
            raise OpsError(f"there is no payment {ref} in the stack {system.name}")
        now = system.ports.clock.now()
        earliest = payment.sent_at + timedelta(seconds=system.environment.settings.first_inquiry)
        try:
            return system.ports.payments.save(payment, replace(payment.noted(now), due_at=max(now, earliest)))
        except PaymentChanged:
            continue
    raise OpsError(f"the payment {ref} changes right now; look again with `explain {ref}`")
