"""The doors for DOKU: token requests and notifications, answered in SNAP's words (contract 3.5, 3.10).

Verified over the bytes that came and over the public path, which is the path of PUBLIC_BASE_URL and the event's from
its route on: what API Gateway puts in front (a stage, the base path of a domain) differs from way to way and is not
looked at. The event has the query in parts only; it is put together again, and a signature over the path alone
counts too (contract 12.2).
"""

from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode, urlsplit

from direct_debit.application.errors import DirectDebitError, InvalidRequest, InvalidSignature
from direct_debit.application.notifications.accept_notification import accept_notification
from direct_debit.application.notifications.inbound_ports import InboundCall, SnapReply
from direct_debit.application.ports.inbox import InboxKind
from direct_debit.application.ports.telemetry import Metric
from direct_debit.entrypoint import container
from direct_debit.entrypoint.container import Services, Use
from direct_debit.entrypoint.events import BROWSER_SAFETY, ApiRequest, Context, Handler, is_api_event, read_api_event

_TOKEN_SERVICE = "73"  # noqa: S105 - a service code
_SERVICES = {InboxKind.PAYMENT: "56", InboxKind.BINDING: "07"}


def open_token_door(*, uses: Sequence[Use]) -> Handler:
    """Return the handler of DOKU's token request. `uses`: see `open_doors`."""
    container.start(*uses)

    def handler(event: object, context: Context) -> Mapping[str, object]:
        services = container.current()
        request = _read(event, context, services, "issue_token")
        try:
            reply = services.inbound.grant_token(_call(request, services, _TOKEN_SERVICE))
        except InvalidSignature as refusal:
            services.ports.telemetry.count(Metric.TOKEN_REQUEST_REFUSED)
            _note_refusal("token request refused", refusal, request, services)
            reply = services.inbound.refuse(refusal)
        except DirectDebitError as error:
            reply = _outage(services, error, _TOKEN_SERVICE)
        except Exception as error:  # noqa: BLE001 - the last line: DOKU gets 5007300 and comes again
            reply = _outage(services, error, _TOKEN_SERVICE)
        return _write(services, request, reply)

    return handler


def open_notification_door(kind: InboxKind, *, uses: Sequence[Use]) -> Handler:
    """Return the handler of a notification: verified, stored, then answered; what it means is worked out later.

    `uses`: see `open_doors`.
    """
    container.start(*uses)

    def handler(event: object, context: Context) -> Mapping[str, object]:
        services = container.current()
        request = _read(event, context, services, f"receive_{kind}_notification")
        service = _SERVICES[kind]
        try:
            command = services.inbound.read_notification(kind, _call(request, services, service))
            if command.signed_form is not None:
                services.ports.telemetry.note("notification signed over another form of it", reason=command.signed_form)
            accept_notification(command, services.ports)
            reply = services.inbound.accept(kind)
        except InvalidSignature as refusal:
            services.ports.telemetry.count(Metric.NOTIFICATION_REFUSED)
            _note_refusal("notification refused", refusal, request, services)
            reply = services.inbound.refuse(refusal)
        except DirectDebitError as error:
            reply = _outage(services, error, service)
        except Exception as error:  # noqa: BLE001 - the last line: DOKU gets 500xx00 and sends it again
            reply = _outage(services, error, service)
        return _write(services, request, reply)

    return handler


def _read(event: object, context: Context, services: Services, operation: str) -> ApiRequest:
    if not is_api_event(event):
        raise InvalidRequest("", "this function answers DOKU's HTTP calls only; it takes no plain command")
    request = read_api_event(event, context)
    services.observability.begin(operation=operation, request_id=request.request_id)
    return request


def _call(request: ApiRequest, services: Services, service: str) -> InboundCall:
    try:
        body = request.read_body()
    except InvalidRequest:
        raise InvalidSignature(400, f"400{service}00", "Bad Request") from None
    prefix = urlsplit(services.ports.settings.public_base_url).path.rstrip("/")
    query = urlencode(request.query_pairs, quote_via=quote, errors="replace")
    path = f"{prefix}{request.path}?{query}" if query else prefix + request.path
    return InboundCall(path=path, headers=request.headers, body=body)


def _note_refusal(message: str, refusal: InvalidSignature, request: ApiRequest, services: Services) -> None:
    """Note who was refused: DOKU, whose keys have changed, or a stranger. No customer's browser calls these doors."""
    services.ports.telemetry.note(
        message, code=refusal.code, reason=refusal.detail, source_address=request.source_address
    )


def _outage(services: Services, error: Exception, service: str) -> SnapReply:
    services.observability.failed("inbound call not handled", error)
    refusal = InvalidSignature(500, f"500{service}00", "General Error")
    return services.inbound.refuse(refusal)


def _write(services: Services, request: ApiRequest, reply: SnapReply) -> Mapping[str, object]:
    services.observability.answered(door="doku", status=reply.status)
    headers = {**reply.headers, "Cache-Control": "no-store", **BROWSER_SAFETY, "X-Request-Id": request.request_id}
    return {"statusCode": reply.status, "headers": headers, "body": reply.body}
