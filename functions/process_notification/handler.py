"""NotificationQueue: work out what a stored notification means."""

from direct_debit.application.notifications.process_notification import process_notification
from direct_debit.entrypoint.doors import Call
from direct_debit.entrypoint.queue import Message, open_queue_door, read_text


def step(message: Message, call: Call) -> None:
    """Process the notification that the message names."""
    process_notification(read_text(message, "inboxId"), call.ports, call.deadline)


handler = open_queue_door("process_notification", step, uses=("inbox", "vault", "payments", "bindings"))
