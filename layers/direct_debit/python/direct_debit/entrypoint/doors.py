"""The two doors of every merchant operation: API Gateway, and a plain command (Step Functions, `aws lambda invoke`).

Both read the same model, run the same use case and show the same result; only the wrapping differs. A plain command
gets the result itself, or an exception whose class name is stable (entrypoint.errors.ERROR_NAMES).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from direct_debit.application.deadline import Deadline
from direct_debit.application.errors import DirectDebitError, InvalidRequest
from direct_debit.application.ports.ports import Ports
from direct_debit.application.ports.time_and_chance import Clock
from direct_debit.entrypoint import container
from direct_debit.entrypoint.command import Command
from direct_debit.entrypoint.container import Services, Use
from direct_debit.entrypoint.errors import ERRORS_FOR_OPERATORS, InternalError, Problem, describe, name_error
from direct_debit.entrypoint.events import BROWSER_SAFETY, ApiRequest, Context, Handler, is_api_event, read_api_event
from direct_debit.entrypoint.parsing import place_faults, read_command, read_request
from direct_debit.entrypoint.route import Route
from direct_debit.entrypoint.views.view import View
from direct_debit.starting.start import in_lambda

# A workflow's call: one that says so, or that brings a task token. What it is answered stays in the history.
_BRIEF = "brief"
_TASK_TOKEN = "taskToken"  # noqa: S105 - a name

# Answers are about money and customers: no cache may keep them.
_HEADERS = {"Cache-Control": "no-store", **BROWSER_SAFETY}


@dataclass(frozen=True, slots=True)
class Call:
    """What an operation works with: the ports, and the moment at which it must have answered.

    `caller` is who called, as far as AWS tells: None for a plain command, of which Lambda does not say whose it is.
    """

    ports: Ports
    deadline: Deadline
    caller: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of an operation: what is shown, and the HTTP status that goes with it at the API."""

    status: int
    view: View
    replayed: bool = False
    location: str | None = field(default=None, repr=False)  # where a browser goes on: 302 without a body
    brief: View | None = None  # for workflows, where they get something else


def open_doors[C: Command](route: Route[C], operate: Callable[[C, Call], Answer], *, uses: Sequence[Use]) -> Handler:
    """Return the Lambda handler of an operation. In Lambda, a wrong configuration already fails here.

    `uses`: the ports that most requests need, which are loaded before the first one comes. So are the validators of
    what comes in and goes out; those of other models are built where they are used.
    """
    if in_lambda():
        route.request.model_rebuild()
        if route.response is not None:
            route.response.model_rebuild()
    container.start(*uses)

    def handler(event: object, context: Context) -> Mapping[str, object]:
        services = container.current()
        if is_api_event(event):
            return _answer_api(route, operate, services, read_api_event(event, context), context)
        return _answer_command(route, operate, services, event, context)

    return handler


def make_deadline(clock: Clock, context: Context) -> Deadline:
    """Return the moment at which Lambda would end this invocation; the adapters keep their distance from it."""
    return Deadline(clock.now() + timedelta(milliseconds=context.get_remaining_time_in_millis()))


def _answer_api[C: Command](
    route: Route[C],
    operate: Callable[[C, Call], Answer],
    services: Services,
    request: ApiRequest,
    context: Context,
) -> Mapping[str, object]:
    log = services.observability
    log.begin(operation=route.name, request_id=request.request_id)
    call = Call(services.ports, make_deadline(services.ports.clock, context), request.caller)
    try:
        answer = _operate(route, operate, read_request(route, request, services.ports.settings), call)
    except DirectDebitError as error:
        problem = describe(error)
        if isinstance(error, ERRORS_FOR_OPERATORS):
            log.failed("for the operator", error)
    except Exception as error:  # noqa: BLE001 - the last line: the caller gets a problem, the log no text of unknown content
        log.failed("unforeseen error", error)
        problem = describe(error)
    else:
        log.answered(door="api", status=answer.status)
        return _write_answer(answer, request.request_id)
    log.answered(door="api", status=problem.kind.status, problem=problem.kind.slug)
    if route.public and _wants_page(request.headers.get("accept")):
        return _write_page(problem, request.request_id)
    return _write_problem(problem, request.request_id, services.ports.settings.problem_base)


def _operate[C: Command](route: Route[C], operate: Callable[[C, Call], Answer], command: C, call: Call) -> Answer:
    try:
        return operate(command, call)
    except InvalidRequest as error:
        raise place_faults(route, error) from None


def _answer_command[C: Command](
    route: Route[C],
    operate: Callable[[C, Call], Answer],
    services: Services,
    event: object,
    context: Context,
) -> Mapping[str, object]:
    log = services.observability
    log.begin(operation=route.name, request_id=context.aws_request_id)
    call = Call(services.ports, make_deadline(services.ports.clock, context))
    is_brief, event = _read_brief(event)
    try:
        answer = operate(read_command(route, event, services.ports.settings), call)
    except DirectDebitError as error:
        problem = describe(error)
        if isinstance(error, ERRORS_FOR_OPERATORS):
            log.failed("for the operator", error)
        log.answered(door="command", status=problem.kind.status, problem=problem.kind.slug)
        raise name_error(error) from None
    except Exception as error:  # noqa: BLE001 - its text would go into logs and workflow histories: only ours may
        log.failed("unforeseen error", error)
        raise InternalError(describe(error).detail) from None
    log.answered(door="command", status=answer.status)
    return (answer.brief or answer.view).to_brief() if is_brief else answer.view.to_json()


def _read_brief(event: object) -> tuple[bool, object]:
    """Return whether a plain command is a workflow's, and the command without that word."""
    if not isinstance(event, Mapping):
        return False, event
    if event.get(_BRIEF) is not True:
        return _TASK_TOKEN in event, event
    return True, {name: value for name, value in event.items() if name != _BRIEF}


def _write_answer(answer: Answer, request_id: str) -> Mapping[str, object]:
    headers = {**_HEADERS, "X-Request-Id": request_id}
    if answer.location is not None:
        return {"statusCode": answer.status, "headers": {**headers, "Location": answer.location}, "body": ""}
    headers["Content-Type"] = "application/json"
    if answer.replayed:
        headers["Idempotency-Replayed"] = "true"
    return {"statusCode": answer.status, "headers": headers, "body": _dump(answer.view.to_json())}


def _wants_page(accept: str | None) -> bool:
    """Whether a caller is a browser: programs name no HTML."""
    return accept is not None and "text/html" in accept.lower()


def _write_page(problem: Problem, request_id: str) -> Mapping[str, object]:
    from direct_debit.entrypoint import page  # noqa: PLC0415 - one function has a route for browsers

    headers = {**_HEADERS, **page.HEADERS, "X-Request-Id": request_id}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    body = page.write_page(problem, request_id)
    return {"statusCode": problem.kind.status, "headers": headers, "body": body}


def _write_problem(problem: Problem, request_id: str, base: str) -> Mapping[str, object]:
    headers = {**_HEADERS, "X-Request-Id": request_id, "Content-Type": "application/problem+json"}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    return {"statusCode": problem.kind.status, "headers": headers, "body": _dump(problem.body(request_id, base))}


def _dump(body: Mapping[str, object]) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
