"""RefundRetryQueue: do the step of a refund that is due."""

from direct_debit.application.refunds.process_refund import process_refund
from direct_debit.entrypoint.container import CALLS_DOKU
from direct_debit.entrypoint.doors import Call
from direct_debit.entrypoint.queue import Message, open_queue_door, read_text


def step(message: Message, call: Call) -> None:
    """Do the step of the refund that the message names, if it is time."""
    process_refund(read_text(message, "ref"), call.ports, call.deadline)


handler = open_queue_door("process_refund", step, uses=("payments", "bindings", *CALLS_DOKU))
