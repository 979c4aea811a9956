"""Each minute: whatever is due goes on. The net beneath queues and notifications."""

from direct_debit.entrypoint.schedule import open_schedule_door

handler = open_schedule_door("resolve_pending", uses=("payments", "inbox", "bindings"))
