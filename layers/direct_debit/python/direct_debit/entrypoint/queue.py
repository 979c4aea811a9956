"""The door of the queue workers: one record at a time, each with its own outcome (partial batch response).

A record that fails stays in its queue and is delivered again after its visibility; what fails five times ends in the
dead-letter queue. One bad record never takes its neighbours along. Only what was tried and failed by its own fault may
end there: a worker is given one record at a time, and one that met a store in trouble on its last delivery is let go.
Its record is due, and the minute's sweep sends a new message (decision 0030).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from direct_debit.application.chains import continue_chain
from direct_debit.application.errors import InvalidRequest, NotDone
from direct_debit.application.ports.telemetry import Metric
from direct_debit.entrypoint import container
from direct_debit.entrypoint.container import Services, Use
from direct_debit.entrypoint.doors import Call, make_deadline
from direct_debit.entrypoint.events import Context, Handler, as_mapping
from direct_debit.entrypoint.parsing import read_json

MAX_RECEIVES = 5
"""The queues' maxReceiveCount: after so many deliveries SQS puts a message aside."""

# Of a batch (the template gives single records), what can not be begun with this much time left comes again, instead of
# dying halfway. The first record is always begun: a delivery counts.
_LAST_START = timedelta(seconds=10)

type Message = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Worker:
    name: str
    step: Callable[[Message, Call], None]


def open_queue_door(name: str, step: Callable[[Message, Call], None], *, uses: Sequence[Use]) -> Handler:
    """Return the handler of a queue worker. `step` handles one message, a JSON object; raising keeps the record.

    `uses`: see `open_doors`.
    """
    container.start(*uses)
    worker = _Worker(name, step)

    def handler(event: object, context: Context) -> Mapping[str, object]:
        services = container.current()
        records = as_mapping(event).get("Records")
        if not isinstance(records, list):
            raise InvalidRequest("Records", "this function takes messages of its queue: an event with Records")
        failed = [
            message_id
            for number, record in enumerate(map(as_mapping, records))
            if isinstance(message_id := record.get("messageId"), str)
            and not (
                (number == 0 or _has_time(services, context)) and _handle(worker, services, record, message_id, context)
            )
        ]
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    return handler


def read_text(message: Message, name: str) -> str:
    """Return a text member of a message. Raises InvalidRequest."""
    value = message.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidRequest(name, f"the message has no {name}")
    return value


def read_chain(message: Message) -> int:
    """Return how many workers led to a message; 0 when it does not say (written by earlier releases)."""
    value = message.get("chain")
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def is_last_delivery(receives: int) -> bool:
    """Whether a message that is given back now, after so many deliveries, is put aside."""
    return receives >= MAX_RECEIVES


def _has_time(services: Services, context: Context) -> bool:
    left = make_deadline(services.ports.clock, context).remaining(services.ports.clock.now())
    return left >= _LAST_START.total_seconds()


def _handle(
    worker: _Worker,
    services: Services,
    record: Mapping[str, object],
    message_id: str,
    context: Context,
) -> bool:
    """Handle one record; return whether it is done with."""
    log = services.observability
    log.begin(operation=worker.name, request_id=message_id)
    try:
        body = record.get("body")
        message = as_mapping(read_json(body.encode() if isinstance(body, str) else b""))
        ports = continue_chain(services.ports, read_chain(message))
        worker.step(message, Call(ports, make_deadline(services.ports.clock, context)))
    except InvalidRequest as error:
        # It will never be readable: counted now, and put aside by the queue after its last delivery.
        services.ports.telemetry.count(Metric.POISONED_MESSAGE)
        log.failed("message can not be read", error, item=message_id)
        return False
    except NotDone as error:
        # Trouble that passes. The record is due whatever becomes of its message, so nobody needs to look at this one.
        let_go = is_last_delivery(_read_receives(record))
        what = "message let go, left to the sweep" if let_go else "message comes again"
        services.ports.telemetry.note(what, code=error.code, reason=type(error).__name__)
        return let_go
    except Exception as error:  # noqa: BLE001 - one bad record must not take the batch along; the queue counts its deliveries
        services.ports.telemetry.count(Metric.POISONED_MESSAGE)
        log.failed("message not handled", error, item=message_id)
        return False
    return True


def _read_receives(record: Mapping[str, object]) -> int:
    """Return how often SQS has delivered a record, this time included; 0 when it does not say."""
    count = as_mapping(record.get("attributes")).get("ApproximateReceiveCount")
    return int(count) if isinstance(count, str) and count.isdecimal() else 0
