"""The door of the schedule: one sweep per minute, bounded."""

from collections.abc import Mapping

from direct_debit.application.resolve_pending import resolve_pending
from direct_debit.entrypoint import container
from direct_debit.entrypoint.doors import Handler, make_deadline
from direct_debit.entrypoint.events import Context, as_mapping

DEFAULT_LIMIT = 200  # due records of each kind per sweep: what one function can hand over well within its minute
_MAX_LIMIT = 1000


def open_schedule_door(name: str) -> Handler:
    """Return the handler of the sweep. The event may carry `limit`; anything else in it is ignored."""
    container.start()

    def handler(event: object, context: Context) -> Mapping[str, object]:
        services = container.current()
        services.observability.begin(operation=name, request_id=context.aws_request_id)
        wanted = as_mapping(event).get("limit")
        limit = wanted if isinstance(wanted, int) and 0 < wanted <= _MAX_LIMIT else DEFAULT_LIMIT
        resolved = resolve_pending(limit, services.ports, make_deadline(services.ports.clock, context))
        return {"visited": resolved.visited, "failed": resolved.failed}

    return handler
