"""Starts MiniStack (run by the Python of `.tools/ministack`), mended where it differs from AWS in what we rely on.

Six differences, seen with the pinned version:
- every exception of a function is reported as `Runtime.HandlerError`; AWS reports the exception's class, which is what
  `Retry` and `Catch` of a state machine match. The class is the last line of the traceback in the log;
- an event source's `MaximumConcurrency` that comes from a template parameter is text, and stops the poller;
- a task's `TimeoutSeconds` may be a JSONata expression on AWS, and is not evaluated;
- a function that fails in a task with `.waitForTaskToken` fails the task on AWS at once; here the wait goes on;
- streams and queues are read independently of each other on AWS; here no queue is read while a stream's consumer works;
- what a stream's consumer gives back of a batch comes again on AWS; here the stream goes on behind it.

And one for speed: each worker would unpack the layers for itself and compile them anew, which is more than half of its
cold start. They are unpacked once per run, and who imports a module first leaves its bytecode to the others.

Two variables are for it and not for the functions: `LIVE_SOURCES`, a checkout whose functions and layers run as they
are now, and `CALLER_KEY` (`ID:SECRET`), the access key that the first caller gets.
"""

import hashlib
import io
import json
import logging
import os
import re
import sys
import threading
import zipfile
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from pathlib import Path
from typing import Any

# "module.ClassName: message" or "ClassName", as the last line of a traceback begins.
_EXCEPTION_LINE = re.compile(r"^(?:[A-Za-z_]\w*\.)*([A-Za-z_]\w*)(?::\s.*)?$")


def exception_class(log: str) -> str | None:
    """The class named by the last traceback of a log; None without a traceback."""
    _, found, traceback = log.rpartition("Traceback (most recent call last):")
    if not found:
        return None
    names = [match.group(1) for line in traceback.splitlines() if (match := _EXCEPTION_LINE.match(line))]
    return names[-1] if names else None


def with_exception_class(execute: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Wrap the execution of a function so that a failure carries the exception's class."""

    def wrapped(*arguments: object, **options: object) -> dict[str, Any]:
        result = execute(*arguments, **options)
        body = result.get("body")
        if result.get("error") and isinstance(body, dict) and body.get("errorType") == "Runtime.HandlerError":
            name = exception_class(str(result.get("log", "")))
            if name:
                body["errorType"] = name
        return result

    return wrapped


def with_numeric_concurrency(limit: Callable[..., int]) -> Callable[..., int]:
    """Wrap the concurrency of queue workers so that a limit given as text counts."""

    def wrapped(mapping: dict[str, Any], *arguments: object) -> int:
        scaling = {name: int(value) for name, value in (mapping.get("ScalingConfig") or {}).items()}
        return limit(mapping | {"ScalingConfig": scaling}, *arguments)

    return wrapped


# --- the gateway, secrets and workers: further differences ------------------------------------------------------------
#
# A secret for which the template has no value has none on AWS, and an empty one here. A role's permissions boundary is
# forgotten, and of a DynamoDB request the partition keys are (leading_keys.py). The gateway's own answers have
# the form that the API's description gives them, which is not read from it here; nor is the API's policy. SAM's
# transform knows the parameters of a deployment, and here only their defaults. A signature names the service and region
# that it is for, and AWS takes it for no other; here any would do. And for the machine: each call at once would get a
# process of its own, 200 of them 12 GB; a function has a few workers at most, and further calls wait for one.

WORKERS = 16
"""Processes that one function has at most."""
LONGEST_TURN_SECONDS = 25.0
"""How long a call waits for a worker: not quite as long as its caller waits for the answer."""
API_SERVICE = "execute-api"

_CREDENTIAL_SCOPE = re.compile(r"Credential=[^/,\s]+/\d{8}/(?P<region>[^/,\s]*)/(?P<service>[^/,\s]*)/aws4_request")


def with_empty_secrets(
    create: Callable[..., tuple[str, dict[str, Any]]], secrets: dict[str, dict[str, Any]]
) -> Callable[..., tuple[str, dict[str, Any]]]:
    """Wrap the making of a stack's secret so that one without a value has no version that could be read."""

    def wrapped(logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, dict[str, Any]]:
        name, attributes = create(logical_id, properties, stack)
        if not properties.keys() & {"SecretString", "GenerateSecretString"}:
            secrets[name]["Versions"].clear()
        return name, attributes

    return wrapped


def with_bounded_workers(
    execute: Callable[..., dict[str, Any]], refuse: Callable[[str], dict[str, Any]]
) -> Callable[..., dict[str, Any]]:
    """Wrap the execution of a function so that it runs on a few workers at once; the others wait for their turn.

    Who waited as long as a caller would is throttled, as by Lambda's own limit. No function of ours calls itself, so
    nobody waits for a worker that waits for him.
    """
    turns: dict[str, threading.Semaphore] = {}
    lock = threading.Lock()

    def wrapped(function: dict[str, Any], *arguments: object) -> dict[str, Any]:
        name = str((function.get("config") or function).get("FunctionName"))
        with lock:
            turn = turns.setdefault(name, threading.Semaphore(WORKERS))
        if not turn.acquire(timeout=LONGEST_TURN_SECONDS):
            return refuse(name)
        try:
            return execute(function, *arguments)
        finally:
            turn.release()

    return wrapped


def with_gateway_responses(
    import_api: Callable[..., str], put: Callable[[str, str, dict[str, Any]], object]
) -> Callable[..., str]:
    """Wrap the making of an API from its description so that the gateway's own answers are taken from there too."""

    def wrapped(description: dict[str, Any], *arguments: object) -> str:
        api = import_api(description, *arguments)
        for kind, answer in (description.get("x-amazon-apigateway-gateway-responses") or {}).items():
            put(api, kind, answer)
        return api

    return wrapped


def with_resource_policy(import_api: Callable[..., str]) -> Callable[..., str]:
    """Wrap the making of an API from its description so that the policy of who may call it is taken from there too."""

    def wrapped(description: dict[str, Any], given: dict[str, Any] | None = None) -> str:
        policy = description.get("x-amazon-apigateway-policy")
        return import_api(description, (given or {}) | ({"policy": json.dumps(policy)} if policy else {}))

    return wrapped


def with_transform_parameters(
    apply: Callable[..., dict[str, Any]], resolve: Callable[..., dict[str, Any]]
) -> Callable[..., dict[str, Any]]:
    """Wrap the transforms of a template so that SAM's reads the parameters that are given, not their defaults only.

    A parameter where SAM needs its value at once (`DefaultAuthorizer`) has that of the template's default otherwise.
    """

    def wrapped(template: dict[str, Any], given: object = None, previous: object = None) -> dict[str, Any]:
        declared = template.get("Parameters") or {}
        values = resolve(template, given, previous)
        told = {name: one | ({"Default": values[name]} if name in values else {}) for name, one in declared.items()}
        done = apply(template | {"Parameters": told} if told else template, given, previous)
        if "Parameters" in done:
            done["Parameters"] = declared
        return done

    return wrapped


def scope_fault(authorization: str, region: str) -> str | None:
    """What AWS would say of a signature that is for another service or region than this API; None if it would not."""
    scope = _CREDENTIAL_SCOPE.search(authorization)
    if scope is None:
        return None
    if scope["service"] != API_SERVICE:
        return f"Credential should be scoped to correct service: '{API_SERVICE}'. "
    if scope["region"] != region:
        return f"Credential should be scoped to a valid region, not '{scope['region']}'. "
    return None


def with_checked_scope(
    enforce: Callable[..., Any],
    authorised_by_iam: Callable[[str, str, str, str], bool],
    region_of: Callable[[str], str | None],
    refuse: Callable[[str, str, str, dict[str, Any], dict[str, Any]], Any],
) -> Callable[..., Any]:
    """Wrap the authorisation of a call of the API so that the scope of its signature counts."""

    def wrapped(  # noqa: PLR0917 - the emulator's own signature
        api: str,
        stage: str,
        method: str,
        path: str,
        headers: dict[str, Any],
        query: dict[str, Any],
        **action: object,
    ) -> Any:  # noqa: ANN401 - the emulator's answer
        region = region_of(api)
        if region is not None and authorised_by_iam(api, stage, method, path):
            fault = scope_fault(str(headers.get("authorization", "")), region)
            if fault is not None:
                return refuse(api, stage, fault, headers, query)
        return enforce(api, stage, method, path, headers, query, **action)

    return wrapped


def bound_workers(lambda_svc: Any) -> None:  # noqa: ANN401 - a module without types
    """Bound the processes of each function."""

    def throttled(name: str) -> dict[str, Any]:
        answer: dict[str, Any] = lambda_svc._throttle_response(  # noqa: SLF001 - no public hook
            reason_code="ConcurrentInvocationLimitExceeded", msg=f"Rate Exceeded: no worker of {name} became free"
        )
        return answer

    lambda_svc._execute_function_warm = with_bounded_workers(lambda_svc._execute_function_warm, throttled)  # noqa: SLF001 - as above


def mend_secrets() -> None:
    """Mend how the emulator makes a secret without a value."""
    from ministack.services import secretsmanager  # noqa: PLC0415 - exists in the emulator's environment only
    from ministack.services.cloudformation import provisioners  # noqa: PLC0415 - as above

    secret = provisioners._RESOURCE_HANDLERS["AWS::SecretsManager::Secret"]  # noqa: SLF001 - no public hook
    secret["create"] = with_empty_secrets(secret["create"], secretsmanager._secrets)  # noqa: SLF001 - as above


def with_boundary(
    write: Callable[..., tuple[str, dict[str, Any]]], roles: dict[str, dict[str, Any]], position: int
) -> Callable[..., tuple[str, dict[str, Any]]]:
    """Wrap the making or changing of a stack's role so that it has its permissions boundary.

    The role's properties are the argument at `position`.
    """

    def wrapped(*arguments: Any, **options: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401 - as the emulator's own
        name, attributes = write(*arguments, **options)
        roles[name]["PermissionsBoundary"] = arguments[position].get("PermissionsBoundary")
        return name, attributes

    return wrapped


def mend_roles() -> None:
    """Mend how the emulator makes a stack's roles: without their permissions boundary."""
    from ministack.services import iam  # noqa: PLC0415 - exists in the emulator's environment only
    from ministack.services.cloudformation import provisioners  # noqa: PLC0415 - as above

    role = provisioners._RESOURCE_HANDLERS["AWS::IAM::Role"]  # noqa: SLF001 - no public hook
    role["create"] = with_boundary(role["create"], iam._roles, 1)  # noqa: SLF001 - as above
    role["update"] = with_boundary(role["update"], iam._roles, 2)  # noqa: SLF001 - as above


def mend_transforms() -> None:
    """Mend how the emulator's CloudFormation applies SAM's transform."""
    from ministack.services.cloudformation import changesets, engine, handlers  # noqa: PLC0415 - exists in the emulator's environment only

    apply = with_transform_parameters(engine._apply_transforms, engine._transform_parameters)  # noqa: SLF001 - no public hook
    changesets._apply_transforms = handlers._apply_transforms = apply  # noqa: SLF001 - as above


def mend_gateway(app: Any) -> None:  # noqa: ANN401 - a module without types
    """Mend what the emulator's API Gateway says by itself, and how it reads the signatures of the API's callers."""
    from ministack.core.iam_evaluator import AuthError  # noqa: PLC0415 - exists in the emulator's environment only
    from ministack.services import apigateway_v1  # noqa: PLC0415 - as above

    apigateway_v1._import_rest_api = with_gateway_responses(  # noqa: SLF001 - no public hook
        with_resource_policy(apigateway_v1._import_rest_api),  # noqa: SLF001 - as above
        apigateway_v1._put_gateway_response,  # noqa: SLF001 - as above
    )

    def authorised_by_iam(*call: str) -> bool:
        return bool(app._execute_api_authorization_type(*call) == "AWS_IAM")  # noqa: SLF001 - no public hook

    def region_of(api: str) -> str | None:
        scope = apigateway_v1.find_api_scope(api)
        return None if scope is None else str(scope[1])

    def refuse(api: str, stage: str, fault: str, headers: dict[str, Any], query: dict[str, Any]) -> object:
        error = AuthError("SignatureDoesNotMatch", fault)
        return apigateway_v1.authentication_error_response(api, stage, error, headers, query)

    app._enforce_execute_api = with_checked_scope(app._enforce_execute_api, authorised_by_iam, region_of, refuse)  # noqa: SLF001 - as above


# --- state machines, layers and pollers -------------------------------------------------------------------------------


def with_evaluated_timeout(
    execute: Callable[..., Any], evaluate: Callable[[dict[str, Any], Any, Any], float]
) -> Callable[..., Any]:
    """Wrap the execution of a task so that a `TimeoutSeconds` that is an expression becomes its number."""

    def wrapped(state: dict[str, Any], given: Any, execution: Any, context: Any) -> Any:  # noqa: ANN401 - as above
        if isinstance(state.get("TimeoutSeconds"), str):
            state = state | {"TimeoutSeconds": evaluate(state, given, context)}
        return execute(state, given, execution, context)

    return wrapped


def with_failing_callback(
    call: Callable[..., Any], waiting: Callable[[str], dict[str, Any] | None]
) -> Callable[..., Any]:
    """Wrap the call of a function so that its error also ends the wait for the task token that it was given."""

    def wrapped(function: str, event: Any) -> Any:  # noqa: ANN401 - as above
        try:
            return call(function, event)
        except Exception as error:
            for value in event.values() if isinstance(event, dict) else ():
                wait = waiting(value) if isinstance(value, str) else None
                if wait is not None:
                    name, cause = getattr(error, "error", "Lambda.Unknown"), getattr(error, "cause", str(error))
                    wait["error"] = {"Error": name, "Cause": cause}
                    wait["event"].set()
            raise

    return wrapped


def with_shared_layers(
    resolve: Callable[[str | dict[str, Any]], bytes | None], folder: Path, live: "LiveSources | None" = None
) -> Callable[[str | dict[str, Any]], bytes | None]:
    """Wrap the reading of a layer's archive: it is unpacked once below `folder`, and each worker gets a pointer to it.

    The pointer is an archive too, with one `.pth` file at the place that AWS makes a site directory. A layer of which
    there are live sources is found there first.
    """
    lock = threading.Lock()

    def wrapped(attachment: str | dict[str, Any]) -> bytes | None:
        archive = resolve(attachment)
        if archive is None:
            return None
        unpacked = folder / hashlib.sha256(archive).hexdigest()[:16]
        with lock:
            if not unpacked.exists():
                with zipfile.ZipFile(io.BytesIO(archive)) as content:
                    content.extractall(unpacked)
        built = unpacked / "python"
        return _pointer_to(built, *(live.layers_in(built) if live else ()))

    return wrapped


def _pointer_to(*folders: Path) -> bytes:
    site = f"python/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as content:
        # In front, as a layer's own folder would be: a plain path would come behind the emulator's own packages.
        lines = [f"import sys; sys.path.insert(0, {str(folder)!r})\n" for folder in folders]
        content.writestr(f"{site}/layer.pth", "".join(lines))
    return archive.getvalue()


class LiveSources:
    """The functions and layers of a checkout as they are now: an edit shows at a function's next call."""

    def __init__(self, checkout: Path) -> None:
        self._functions = checkout / "functions"
        self._layers = checkout / "layers"

    def layers_in(self, built: Path) -> list[Path]:
        """Return the source folders of the packages that a built layer holds."""
        return [folder for folder in sorted(self._layers.glob("*/python")) if (built / folder.parent.name).is_dir()]

    def archive(self, function: str) -> bytes | None:
        """Return a deployed function's code as it is now; None where no folder has its name."""
        folders = [path for path in self._functions.iterdir() if path.is_dir()]
        named = [path for path in folders if function.endswith("-" + path.name.replace("_", "-"))]
        if not named:
            return None
        folder = max(named, key=lambda path: len(path.name))
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as content:
            for file in sorted(folder.rglob("*.py")):
                content.write(file, file.relative_to(folder))
        return archive.getvalue()

    def stamp(self) -> int:
        """Return a number that is another one once a source was changed, added or removed."""
        files = [*self._functions.rglob("*.py"), *self._layers.rglob("*.py")]
        return hash(tuple((str(file), file.stat().st_mtime_ns) for file in sorted(files)))


def with_live_sources(acquire: Callable[..., tuple[Any, str]], live: LiveSources) -> Callable[..., tuple[Any, str]]:
    """Wrap the choice of a worker so that it has the sources as they are: one that was started before begins anew."""
    started: dict[int, int] = {}  # by worker, the stamp of what it runs

    def wrapped(function: str, configuration: dict[str, Any], code: bytes, **options: object) -> tuple[Any, str]:
        worker, how = acquire(function, configuration, code, **options)
        if worker is None:
            return worker, how
        now = live.stamp()
        if how == "reused" and started.get(id(worker)) == now:
            return worker, how
        if how == "reused":
            worker.kill()  # it is started again when it is called
        worker.code_zip = live.archive(function) or code
        started[id(worker)] = now
        return worker, how

    return wrapped


def beside(poll: Callable[[], bool]) -> Callable[[], bool]:
    """Wrap one source's poll so that it runs in a thread of its own, until it finds nothing, each time it is called.

    The wrapped poll says that nothing was found: its caller has nothing to go on with.
    """
    asked = threading.Event()

    def run() -> None:
        while asked.wait():
            asked.clear()
            try:
                while poll():
                    pass
            except Exception:
                logging.getLogger(__name__).exception("a source could not be polled")  # the next call tries again

    thread = threading.Thread(target=run, name=f"{poll.__name__} beside", daemon=True)

    def wrapped() -> bool:
        if thread.ident is None:
            thread.start()
        asked.set()
        return False

    return wrapped


def with_given_back_records(
    poll: Callable[[], bool], execute: Callable[..., dict[str, Any]]
) -> tuple[Callable[[], bool], Callable[..., dict[str, Any]]]:
    """Wrap the streams' poll and the execution of functions so that what a function gives back of a batch comes again.

    The poll is told of a failure, so that it stands still; the next time the function gets the batch from the first
    record on that it gave back.
    """
    polling = threading.local()
    resume: dict[str, str] = {}  # by stream, the first record that was given back

    def wrapped_poll() -> bool:
        polling.now = True
        try:
            return poll()
        finally:
            polling.now = False

    def wrapped_execute(function: Any, event: Any, *arguments: object, **options: object) -> dict[str, Any]:  # noqa: ANN401 - as above
        if not getattr(polling, "now", False):
            return execute(function, event, *arguments, **options)
        records = event["Records"]
        source = str(records[0]["eventSourceARN"])
        sequences = [str(record["dynamodb"]["SequenceNumber"]) for record in records]
        first = sequences.index(resume[source]) if resume.get(source) in sequences else 0
        result = execute(function, event | {"Records": records[first:]}, *arguments, **options)
        if result.get("error"):
            return result
        given_back = [sequence for sequence in _given_back(result) if sequence in sequences]
        if not given_back:
            resume.pop(source, None)
            return result
        resume[source] = min(given_back, key=sequences.index)
        return result | {"error": True, "body": {"errorType": "BatchItemFailures", "errorMessage": resume[source]}}

    return wrapped_poll, wrapped_execute


def _given_back(result: dict[str, Any]) -> list[str]:
    body = result.get("body")
    answer = json.loads(body) if isinstance(body, str | bytes) and body else body
    failures = answer.get("batchItemFailures", []) if isinstance(answer, dict) else []
    return [str(failure["itemIdentifier"]) for failure in failures]


# --- figures and alarms -----------------------------------------------------------------------------------------------
#
# CloudWatch counts every run of a function, every throttled one and the API's server errors; here only runs that were
# asked for directly are counted, and a throttled one as a run. An alarm looks at the metric with its dimensions, also
# when data are missing; here at all metrics of that name together, and only at data. That is turned off, and
# tools/local_cloud/alarms.py evaluates.

type Record = Callable[[str, str, float, str, dict[str, str]], None]
"""Notes a figure: namespace, metric, value, unit, dimensions (as the emulator's own does)."""


def with_counted_runs(run: Callable[..., dict[str, Any]], record: Record) -> Callable[..., dict[str, Any]]:
    """Wrap the run of a function so that each one counts, whoever asked for it, and whether it failed."""

    def wrapped(function: dict[str, Any], configuration: dict[str, Any], *arguments: object) -> dict[str, Any]:
        dimensions = {"FunctionName": str(configuration["FunctionName"])}
        failed, throttled = True, False
        try:
            result = run(function, configuration, *arguments)
            failed, throttled = bool(result.get("error")), bool(result.get("throttle"))
        finally:
            if throttled:
                record("AWS/Lambda", "Throttles", 1, "Count", dimensions)
            else:
                record("AWS/Lambda", "Invocations", 1, "Count", dimensions)
                record("AWS/Lambda", "Errors", int(failed), "Count", dimensions)
        return result

    return wrapped


def with_counted_throttles[S](
    acquire: Callable[..., tuple[S | None, str | None]], record: Record
) -> Callable[..., tuple[S | None, str | None]]:
    """Wrap the taking of a function's concurrency so that each refusal counts."""

    def wrapped(function: dict[str, Any], configuration: dict[str, Any]) -> tuple[S | None, str | None]:
        slot, limit = acquire(function, configuration)
        if slot is None:
            dimensions = {"FunctionName": str(configuration["FunctionName"])}
            record("AWS/Lambda", "Throttles", 1, "Count", dimensions)
        return slot, limit

    return wrapped


def with_counted_server_errors(
    execute: Callable[..., Coroutine[Any, Any, tuple[int, Any, Any]]], name_of: Callable[[str], str], record: Record
) -> Callable[..., Coroutine[Any, Any, tuple[int, Any, Any]]]:
    """Wrap the answering of a REST API's calls so that each says whether it was a server error."""

    async def wrapped(api: str, stage: str, *arguments: object) -> tuple[int, Any, Any]:
        answer = await execute(api, stage, *arguments)
        dimensions = {"ApiName": name_of(api), "Stage": stage}
        record("AWS/ApiGateway", "5XXError", int(answer[0] >= HTTPStatus.INTERNAL_SERVER_ERROR), "Count", dimensions)
        return answer

    return wrapped


def mend_figures(functions: Any, gateway: Any, cloudwatch: Any) -> None:  # noqa: ANN401 - modules without types
    """Mend what the emulator counts, and leave its alarms to those who evaluate them by AWS's rules."""
    record: Record = cloudwatch.record_metric
    functions._emit_lambda_metrics = lambda *_, **__: None  # noqa: SLF001 - no public hook
    functions._execute_function_dispatch = with_counted_runs(functions._execute_function_dispatch, record)  # noqa: SLF001 - as above
    functions._acquire_execution_slot = with_counted_throttles(functions._acquire_execution_slot, record)  # noqa: SLF001 - as above
    # Within the API's own account and region; outside they are those of the caller's signature.
    gateway._handle_execute_in_scope = with_counted_server_errors(  # noqa: SLF001 - as above
        gateway._handle_execute_in_scope,  # noqa: SLF001 - as above
        lambda api: str(gateway._rest_apis[api]["name"]),  # noqa: SLF001 - as above
        record,
    )
    cloudwatch._evaluate_alarm = lambda *_: None  # noqa: SLF001 - as above


def give_live_sources(lambda_svc: Any, live: LiveSources) -> None:  # noqa: ANN401 - a module without types
    """Let functions run from a checkout's sources."""
    lambda_svc.acquire_worker = with_live_sources(lambda_svc.acquire_worker, live)


def give_caller_key(iam: Any, key: str, secret: str) -> None:  # noqa: ANN401 - a module without types
    """Let the first access key that is made be this one, so that a caller's configuration stays right."""
    new_id, create = iam._gen_access_key_id, iam._create_access_key  # noqa: SLF001 - no public hook

    def create_given(request: object) -> object:
        first = not any(identity == key for identity in iam._access_keys)  # noqa: SLF001 - as above
        iam._gen_access_key_id = (lambda: key) if first else new_id  # noqa: SLF001 - as above
        answer = create(request)
        if first and key in iam._access_keys:  # noqa: SLF001 - as above
            iam._access_keys[key]["SecretAccessKey"] = secret  # noqa: SLF001 - as above
        return answer

    iam._IAM_HANDLERS["CreateAccessKey"] = create_given  # noqa: SLF001 - as above


def mend_state_machines(stepfunctions: Any) -> None:  # noqa: ANN401 - a module without types
    """Mend the emulator's Step Functions."""

    def evaluate(state: dict[str, Any], given: object, context: object) -> float:
        seconds: float = stepfunctions._jsonata_state_field(state, "TimeoutSeconds", "number", given, context)  # noqa: SLF001 - no public hook
        return seconds

    stepfunctions._execute_task = with_evaluated_timeout(stepfunctions._execute_task, evaluate)  # noqa: SLF001 - as above
    stepfunctions._call_lambda = with_failing_callback(stepfunctions._call_lambda, stepfunctions._task_tokens.get)  # noqa: SLF001 - as above


def main() -> None:
    """Mend the emulator and run it until it is told to end."""
    import leading_keys  # type: ignore[import-not-found]  # noqa: PLC0415 - lies beside this file, which runs as a script
    from ministack import app  # noqa: PLC0415 - exists in its own environment only; the functions above are tested in ours
    from ministack.services import apigateway_v1, cloudwatch, iam, lambda_svc, stepfunctions  # noqa: PLC0415 - as above

    # Taken away at once: what is in the environment, the functions inherit.
    sources, key = os.environ.pop("LIVE_SOURCES", ""), os.environ.pop("CALLER_KEY", "")
    live = LiveSources(Path(sources)) if sources else None
    if live:
        give_live_sources(lambda_svc, live)
    if key:
        give_caller_key(iam, *key.split(":"))

    lambda_svc._execute_function_warm = with_exception_class(lambda_svc._execute_function_warm)  # noqa: SLF001 - no public hook
    lambda_svc._sqs_esm_concurrency = with_numeric_concurrency(lambda_svc._sqs_esm_concurrency)  # noqa: SLF001 - as above
    bound_workers(lambda_svc)
    mend_secrets()
    mend_roles()
    leading_keys.mend_leading_keys()
    mend_transforms()
    mend_gateway(app)
    lambda_svc._resolve_layer_zip = with_shared_layers(  # noqa: SLF001 - as above
        lambda_svc._resolve_layer_zip,  # noqa: SLF001 - as above
        Path(os.environ["TMPDIR"], "layers"),
        live,
    )
    poll, lambda_svc._execute_function = with_given_back_records(  # noqa: SLF001 - as above
        lambda_svc._poll_dynamodb_streams,  # noqa: SLF001 - as above
        lambda_svc._execute_function,  # noqa: SLF001 - as above
    )
    lambda_svc._poll_dynamodb_streams = beside(poll)  # noqa: SLF001 - as above
    mend_state_machines(stepfunctions)
    mend_figures(lambda_svc, apigateway_v1, cloudwatch)
    app.main()


if __name__ == "__main__":
    main()
