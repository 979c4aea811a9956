"""Which use case works on a message: what the queues' doors do, for those who deliver messages themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from direct_debit.application.notifications.process_notification import process_notification
from direct_debit.application.payments.inquire_status import inquire_status
from direct_debit.application.refunds.process_refund import process_refund

if TYPE_CHECKING:
    from direct_debit.application.deadline import Deadline
    from direct_debit.application.ports.ports import Ports
    from tests.fakes.queues import Message


def handle_message(message: Message, ports: Ports, deadline: Deadline) -> None:
    """Let the worker of its queue have a message."""
    if message.queue == "notification":
        process_notification(message.subject, ports, deadline)
    elif message.queue == "inquiry":
        inquire_status(message.subject, ports, deadline)
    else:
        process_refund(message.subject, ports, deadline)
