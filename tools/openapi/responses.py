"""What an operation answers: each status with the answers that were recorded, each problem by name."""

from direct_debit.entrypoint import page
from direct_debit.entrypoint.command import Command
from direct_debit.entrypoint.errors import PROBLEMS, ProblemKind
from direct_debit.entrypoint.route import Route
from tools.openapi.gateway import ANSWERS, PROBLEM_TYPE, refer_gateway
from tools.openapi.headers import LOCATION, REPLAYED, REQUEST_ID, RETRY_AFTER
from tools.openapi.json_values import Json, as_object, refer
from tools.openapi.recorded import find_answers, find_problem
from tools.openapi.schemas import take_schema

# What any route may answer besides its own problems.
_ALWAYS = ("invalid-field", "unknown-field", "missing-field", "internal-error")
_WITH_BODY = ("malformed-request", "body-too-large")
# Where API Gateway, too, may answer: a body above 10 MB, a fault of its own.
_ALSO_BY_GATEWAY = (413, 500)
_TO_WHO_PROVES_NOTHING = (401, 403)
_UNAVAILABLE = 503


def describe_responses(route: Route[Command], schemas: Json, examples: Json) -> Json:
    """Return `responses`; examples that several operations share go into `examples`."""
    answers: Json = {str(status): _answer(route, status, schemas) for status in route.answers}
    slugs = [*_ALWAYS, *(_WITH_BODY if route.method != "GET" else ()), *route.problems]
    by_status: dict[int, list[ProblemKind]] = {}
    for slug in dict.fromkeys(slugs):
        by_status.setdefault(PROBLEMS[slug].status, []).append(PROBLEMS[slug])
    for status, kinds in by_status.items():
        answers[str(status)] = _problems(route, status, kinds, examples)
    for status in ANSWERS:
        if not (route.public and status in _TO_WHO_PROVES_NOTHING):
            answers[str(status)] = refer_gateway(status)
    return dict(sorted(answers.items()))


def _answer(route: Route[Command], status: int, schemas: Json) -> Json:
    recorded = find_answers(route.name, status)
    if not recorded:
        raise LookupError(f"tests/integration/handlers/recordings.py: record {route.name} answering {status}")
    headers = dict(REQUEST_ID)
    if any("Idempotency-Replayed" in one.headers for one in recorded):
        headers |= REPLAYED
    answer: Json = {"description": route.answers[status], "headers": headers}
    if route.response is None:
        headers |= LOCATION
        return answer
    name = route.response.__name__
    schemas[name] = take_schema(route.response, schemas, mode="serialization")
    examples = {one.case: one.example() for one in recorded}
    answer["content"] = {"application/json": {"schema": refer("schemas", name), "examples": examples}}
    return answer


def _problems(route: Route[Command], status: int, kinds: list[ProblemKind], shared: Json) -> Json:
    examples: Json = {}
    for kind in kinds:
        recorded, own = find_problem(route.name, kind.slug)
        if own:
            examples[kind.slug] = recorded.example()
        else:
            shared[kind.slug] = recorded.example()
            examples[kind.slug] = refer("examples", kind.slug)
    schema = refer("schemas", "Problem")
    if status in _ALSO_BY_GATEWAY:
        schema = {"anyOf": [schema, refer("schemas", "GatewayProblem")]}
    headers = {**REQUEST_ID, **(RETRY_AFTER if status == _UNAVAILABLE else {})}
    response: Json = {
        "description": "\n".join(f"- `{kind.slug}`: {kind.when}" for kind in kinds),
        "headers": headers,
        "content": {PROBLEM_TYPE: {"schema": schema, "examples": examples}},
    }
    if route.public:  # for a browser
        as_object(response["content"])[page.CONTENT_TYPE] = {"schema": {"type": "string"}}
    return response
