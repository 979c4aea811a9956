"""The door of the schedule: one sweep per minute, bounded."""

from collections.abc import Mapping, Sequence

from direct_debit.application.resolve_pending import resolve_pending
from direct_debit.entrypoint import container
from direct_debit.entrypoint.container import Use
from direct_debit.entrypoint.doors import make_deadline
from direct_debit.entrypoint.events import Context, Handler, as_mapping

_HANDED_TO_A_WORKER = 40  # records of each kind in a minute: what one gets done, at a second or so for DOKU's answer
_WORKERS = 5
_MOST_WORKERS = 100


def open_schedule_door(name: str, *, uses: Sequence[Use]) -> Handler:
    """Return the handler of the sweep. Anything in the event but `workers` is ignored.

    `workers`: how many copies of each queue worker run at once, five where it is not said. The sweep hands over no more
    than they get done until the next one. `uses`: see `open_doors`.
    """
    container.start(*uses)

    def handler(event: object, context: Context) -> Mapping[str, object]:
        services = container.current()
        services.observability.begin(operation=name, request_id=context.aws_request_id)
        said = as_mapping(event).get("workers")
        workers = said if isinstance(said, int) and 0 < said <= _MOST_WORKERS else _WORKERS
        resolved = resolve_pending(
            _HANDED_TO_A_WORKER * workers, services.ports, make_deadline(services.ports.clock, context)
        )
        return {"visited": resolved.visited, "failed": resolved.failed}

    return handler
