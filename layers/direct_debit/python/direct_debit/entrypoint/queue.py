"""The door of the queue workers: one record at a time, each with its own outcome (partial batch response).

A record that fails stays in its queue and is delivered again after its visibility; what fails five times ends in the
dead-letter queue. One bad record never takes its neighbours along.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from direct_debit.application.errors import DirectDebitError, InvalidRequest
from direct_debit.application.ports import Metric
from direct_debit.entrypoint import container
from direct_debit.entrypoint.container import Services
from direct_debit.entrypoint.doors import Call, Handler, make_deadline
from direct_debit.entrypoint.events import Context, as_mapping
from direct_debit.entrypoint.parsing import read_json

# A record is begun only with this much time left; the rest of the batch comes again, instead of dying halfway.
LAST_START = timedelta(seconds=10)
MAX_DELAY = 900.0  # seconds; what SQS can hold a message back

type Message = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Worker:
    name: str
    step: Callable[[Message, Call], None]


def open_queue_door(name: str, step: Callable[[Message, Call], None]) -> Handler:
    """Return the handler of a queue worker. `step` handles one message, a JSON object; raising keeps the record."""
    container.start()
    worker = _Worker(name, step)

    def handler(event: object, context: Context) -> Mapping[str, object]:
        services = container.current()
        records = as_mapping(event).get("Records")
        if not isinstance(records, list):
            raise InvalidRequest("Records", "this function takes messages of its queue: an event with Records")
        failed = [
            message_id
            for record in map(as_mapping, records)
            if isinstance(message_id := record.get("messageId"), str)
            and not _handle(worker, services, record, message_id, context)
        ]
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    return handler


def read_text(message: Message, name: str) -> str:
    """Return a text member of a message. Raises InvalidRequest."""
    value = message.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidRequest(name, f"the message has no {name}")
    return value


def read_attempt(message: Message) -> int:
    """Return the attempt that a message carries; 0 when it has none."""
    value = message.get("attempt")
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


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
    deadline = make_deadline(services.ports.clock, context)
    if deadline.remaining(services.ports.clock.now()) < LAST_START.total_seconds():
        return False
    try:
        body = record.get("body")
        message = as_mapping(read_json(body.encode() if isinstance(body, str) else b""))
        worker.step(message, Call(services.ports, deadline))
    except InvalidRequest as error:
        # It will never be readable: counted now, and put aside by the queue after its last delivery.
        services.ports.telemetry.count(Metric.POISONED_MESSAGE)
        log.failed("message can not be read", error, item=message_id)
        return False
    except DirectDebitError as error:
        services.ports.telemetry.note("message comes again", code=error.code, reason=type(error).__name__)
        return False
    except Exception as error:  # noqa: BLE001 - one bad record must not take the batch along; the queue counts its deliveries
        services.ports.telemetry.count(Metric.POISONED_MESSAGE)
        log.failed("message not handled", error, item=message_id)
        return False
    return True
