"""The control API under /_control: the truth about money, the log, the dials."""

import json
from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from tools.doku_simulator.bank import wire_amount
from tools.doku_simulator.bindings import mask_phone
from tools.doku_simulator.config import ConfigError, read_merchant, read_variant
from tools.doku_simulator.core import Simulator
from tools.doku_simulator.dials import read_dial
from tools.doku_simulator.notifications import FORGERIES, NOTICE_FAULTS, Delivery, Forgery, NoticeDial
from tools.doku_simulator.records import Binding, Payment, RequestRecord
from tools.doku_simulator.server.service import Service
from tools.doku_simulator.world import utc_text

type Json = dict[str, object]
type Action = Callable[[Simulator, Json, Mapping[str, str]], Json]


class _BadControlError(ValueError):
    """The control document is wrong; the message says how."""


def control_routes(service: Service) -> list[BaseRoute]:
    """Return the routes of the control API."""

    def read(action: Action) -> Callable[[Request], Response]:
        def endpoint(request: Request) -> Response:
            return JSONResponse(action(service.simulator, {}, {**request.query_params, **request.path_params}))

        return endpoint

    def write(action: Action) -> Callable[[Request], object]:
        async def endpoint(request: Request) -> Response:
            try:
                document = _document(await request.body())
                answer = action(service.simulator, document, request.path_params)
            except (ConfigError, ValueError) as error:
                return JSONResponse({"error": str(error)}, 400)
            except KeyError as error:
                return JSONResponse({"error": f"unknown: {error.args[0]}"}, 404)
            service.wake()
            return JSONResponse(answer)

        return endpoint

    async def reset(_: Request) -> Response:
        service.reset()
        return JSONResponse({"status": "fresh"})

    reads: dict[str, Action] = {
        "health": _health,
        "ledger": _ledger,
        "state": _state,
        "requests": _requests,
        "deliveries": _deliveries,
    }
    writes: dict[str, Action] = {
        "clock": _clock,
        "dials": _add_dial,
        "dials/clear": _clear_dials,
        "variant": _variant,
        "merchant": _merchant,
        "accounts": _account,
        "notifications/resend": _resend,
        "notifications/{fault}": _notification_fault,
        "tokens/expire": _expire_tokens,
        "customers/{customer}/unlink": _unlink,
        "bindings/{code}/complete": _complete,
    }
    return [
        *(Route(f"/_control/{path}", read(action), methods=["GET"]) for path, action in reads.items()),
        *(Route(f"/_control/{path}", write(action), methods=["POST"]) for path, action in writes.items()),
        Route("/_control/reset", reset, methods=["POST"]),
    ]


# -- reading ---------------------------------------------------------------------------------------------------------


def _health(simulator: Simulator, _: Json, __: Mapping[str, str]) -> Json:
    return {"status": "ok", "now": utc_text(simulator.now)}


def _ledger(simulator: Simulator, _: Json, query: Mapping[str, str]) -> Json:
    wanted = query.get("reference")
    entries = [
        {
            "sequence": entry.sequence,
            "kind": entry.kind,
            "reference": entry.reference,
            "partnerRefundNo": entry.partner_refund_no,
            "amount": {"value": entry.value, "currency": entry.currency},
            "customer": entry.customer,
            "at": utc_text(entry.at),
        }
        for entry in simulator.bank.ledger
        if wanted is None or entry.reference == wanted
    ]
    return {"entries": entries}


def _state(simulator: Simulator, _: Json, __: Mapping[str, str]) -> Json:
    world = simulator.world
    due = simulator.next_event_at()
    return {
        "now": utc_text(simulator.now),
        "shiftSeconds": world.shifted_by,
        "nextEventAt": None if due is None else utc_text(due),
        "merchant": None if world.merchant is None else world.merchant.notify_url,
        "variant": {name: getattr(world.variant, name) for name in world.variant.__slots__},
        "dials": [{"operation": d.operation, "fault": d.fault, "count": d.count} for d in simulator.dials.active],
        "bindings": [_binding(binding) for binding in world.bindings.values()],
        "payments": [_payment(payment) for payment in world.all_payments()],
        "tokens": {"b2b": len(world.b2b_tokens), "customer": len(world.access_tokens)},
    }


def _binding(binding: Binding) -> Json:
    return {
        "referenceNo": binding.reference_no,
        "customer": binding.customer,
        "phone": mask_phone(binding.phone),
        "state": binding.state.value,
        "page": binding.step.value,
        "createdAt": utc_text(binding.created_at),
    }


def _payment(payment: Payment) -> Json:
    return {
        "reference": payment.reference,
        "referenceNo": payment.reference_no,
        "customer": payment.binding.customer,
        "amount": {"value": wire_amount(payment.amount), "currency": payment.currency},
        "state": payment.state.value,
        "createdAt": utc_text(payment.created_at),
        "refunds": [{"partnerRefundNo": item.partner_refund_no, "status": item.status} for item in payment.refunds],
    }


def _requests(simulator: Simulator, _: Json, query: Mapping[str, str]) -> Json:
    operation = query.get("operation")
    return {
        "requests": [_request(item) for item in simulator.requests if operation in (None, item.operation)],
    }


def _request(record: RequestRecord) -> Json:
    return {
        "at": utc_text(record.at),
        "method": record.method,
        "path": record.path,
        "operation": record.operation,
        "externalId": record.external_id,
        "reference": record.reference,
        "status": record.status,
        "responseCode": record.code,
        "fault": record.fault,
    }


def _deliveries(simulator: Simulator, _: Json, query: Mapping[str, str]) -> Json:
    reference = query.get("reference")
    found = simulator.notifications.deliveries
    return {"deliveries": [_delivery(item) for item in found if reference in (None, item.reference)]}


def _delivery(delivery: Delivery) -> Json:
    return {
        "id": delivery.id,
        "kind": delivery.kind,
        "reference": delivery.reference,
        "status": delivery.body.get("latestTransactionStatus"),
        "state": delivery.state,
        "attempt": delivery.attempt,
        "due": utc_text(delivery.due),
        "results": delivery.results,
        "forgery": delivery.forgery,
    }


# -- changing --------------------------------------------------------------------------------------------------------


def _clock(simulator: Simulator, document: Json, _: Mapping[str, str]) -> Json:
    simulator.shift_clock(_number(document, "shift"))
    return {"now": utc_text(simulator.now), "shiftSeconds": simulator.world.shifted_by}


def _add_dial(simulator: Simulator, document: Json, _: Mapping[str, str]) -> Json:
    simulator.add_dial(read_dial(document))
    return {"dials": len(simulator.dials.active)}


def _clear_dials(simulator: Simulator, _: Json, __: Mapping[str, str]) -> Json:
    simulator.dials.clear()
    simulator.notifications.dials.clear()
    return {"dials": 0}


def _variant(simulator: Simulator, document: Json, _: Mapping[str, str]) -> Json:
    simulator.set_variant(read_variant(document, simulator.world.variant))
    return {"variant": {name: getattr(simulator.world.variant, name) for name in simulator.world.variant.__slots__}}


def _merchant(simulator: Simulator, document: Json, _: Mapping[str, str]) -> Json:
    simulator.set_merchant(read_merchant(document))
    return {"status": "set"}


def _account(simulator: Simulator, document: Json, _: Mapping[str, str]) -> Json:
    balance = _number(document, "balance")
    if balance < 0 or balance != int(balance):
        raise _BadControlError("balance is whole rupiah, 0 or more")
    simulator.bank.set_balance(_text(document, "phone"), int(balance) * 100)
    return {"balance": wire_amount(int(balance) * 100)}


def _resend(simulator: Simulator, document: Json, _: Mapping[str, str]) -> Json:
    return {"delivery": _delivery(simulator.notifications.resend(_text(document, "reference")))}


def _notification_fault(simulator: Simulator, document: Json, path: Mapping[str, str]) -> Json:
    fault = path["fault"]
    forgery = document.get("forgery", "signature")
    if forgery not in FORGERIES or not isinstance(forgery, str):
        raise _BadControlError(f"forgery must be one of {', '.join(FORGERIES)}")
    if fault == "forge" and "reference" in document:
        named: Forgery = forgery  # type: ignore[assignment]  # checked against FORGERIES above
        return {"delivery": _delivery(simulator.notifications.forge(_text(document, "reference"), named))}
    if fault not in NOTICE_FAULTS:
        raise KeyError(fault)
    count = int(_number(document, "count", 1))
    kind = document.get("kind")
    seconds = _number(document, "seconds", 0)
    dial = NoticeDial(fault, count, seconds, forgery, kind)  # type: ignore[arg-type]  # values checked in __post_init__
    simulator.notifications.dials.append(dial)
    return {"dials": len(simulator.notifications.dials)}


def _expire_tokens(simulator: Simulator, document: Json, _: Mapping[str, str]) -> Json:
    kind = document.get("kind", "all")
    if kind not in ("all", "b2b", "customer"):
        raise _BadControlError("kind is all, b2b or customer")
    customer = _text(document, "customer") if "customer" in document else None
    if kind in ("all", "b2b"):
        simulator.expire_b2b_tokens()
    if kind in ("all", "customer"):
        simulator.expire_customer_tokens(customer, refresh=document.get("refresh") is True)
    return {"status": "expired"}


def _unlink(simulator: Simulator, _: Json, path: Mapping[str, str]) -> Json:
    return {"unlinked": simulator.unlink_customer(path["customer"])}


def _complete(simulator: Simulator, document: Json, path: Mapping[str, str]) -> Json:
    outcome = document.get("outcome", "success")
    if outcome not in ("success", "failed") or not isinstance(outcome, str):
        raise _BadControlError("outcome is success or failed")
    view = simulator.customer.complete(path["code"], outcome)
    return {"linked": view.linked, "redirectUrl": view.redirect_url}


def _document(body: bytes) -> Json:
    if not body:
        return {}
    document = json.loads(body)
    if not isinstance(document, dict):
        raise _BadControlError("the body must be a JSON object")
    return document


def _number(document: Json, key: str, default: float | None = None) -> float:
    value = document.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _BadControlError(f"{key} must be a number")
    return value


def _text(document: Json, key: str) -> str:
    value = document.get(key)
    if not isinstance(value, str) or not value:
        raise _BadControlError(f"{key} must be a text")
    return value
