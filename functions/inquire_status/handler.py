"""StatusInquiryQueue: ask what became of a payment whose answer was lost."""

from direct_debit.application.payments.inquire_status import inquire_status
from direct_debit.entrypoint.container import CALLS_DOKU
from direct_debit.entrypoint.doors import Call
from direct_debit.entrypoint.queue import Message, open_queue_door, read_text


def step(message: Message, call: Call) -> None:
    """Ask DOKU about the payment that the message names, if it is time."""
    inquire_status(read_text(message, "ref"), call.ports, call.deadline)


handler = open_queue_door("inquire_status", step, uses=("payments", *CALLS_DOKU))
