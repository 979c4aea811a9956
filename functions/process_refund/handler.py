"""RefundRetryQueue: do the step of a refund that is due."""

from direct_debit.application.process_refund import process_refund
from direct_debit.entrypoint.doors import Call
from direct_debit.entrypoint.queue import MAX_DELAY, Message, open_queue_door, read_attempt, read_text


def step(message: Message, call: Call) -> None:
    """Do the step, and plan the next one by a fresh message: a retry must not use up the deliveries that count crashes.

    A longer wait than a queue can hold is left to resolve_pending: the record's due time has it.
    """
    ref = read_text(message, "ref")
    outcome = process_refund(ref, call.ports, call.deadline)
    if outcome.retry_after is not None and outcome.retry_after <= MAX_DELAY:
        call.ports.queues.send_refund(ref, read_attempt(message) + 1, outcome.retry_after)


handler = open_queue_door("process_refund", step)
