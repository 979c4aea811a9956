"""What happened, for people: ledger, payments, notifications, requests. Nothing secret is shown."""

from collections.abc import Iterable, Sequence
from html import escape
from itertools import islice

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tools.doku_simulator.bank import wire_amount
from tools.doku_simulator.bindings import mask_phone
from tools.doku_simulator.core import Simulator
from tools.doku_simulator.server.html import page
from tools.doku_simulator.server.service import Service
from tools.doku_simulator.world import utc_text

_ROWS = 50


def dashboard_route(service: Service) -> Route:
    """Return the route of `/`."""

    async def show(_: Request) -> Response:
        return page(title="CIMB · DOKU simulator", main=_tables(service.simulator), wide=True)

    return Route("/", show, methods=["GET"])


def _tables(simulator: Simulator) -> str:
    world, ledger = simulator.world, simulator.bank.ledger
    debits = sum(entry.amount for entry in ledger if entry.kind == "debit")
    refunds = sum(entry.amount for entry in ledger if entry.kind == "refund")
    summary = (
        f'<h1>What the bank did</h1><p class="soft">Time at DOKU {utc_text(simulator.now)} (shifted by '
        f"{world.shifted_by:.0f} s) · debited {wire_amount(debits)} IDR · refunded {wire_amount(refunds)} IDR · "
        'machine-readable at <a href="/_control/ledger">ledger</a>, <a href="/_control/state">state</a>, '
        '<a href="/_control/requests">requests</a>, <a href="/_control/deliveries">deliveries</a>. '
        "Newest first.</p>"
    )
    return summary + "".join(
        (
            _table(
                "Ledger",
                ("#", "Time", "Kind", "Reference", "Refund no", "Amount", "Customer"),
                (
                    (
                        str(entry.sequence),
                        utc_text(entry.at),
                        entry.kind,
                        entry.reference,
                        entry.partner_refund_no or "",
                        f"{entry.value} {entry.currency}",
                        entry.customer,
                    )
                    for entry in reversed(ledger)
                ),
            ),
            _table(
                "Payments",
                ("Time", "Reference", "Customer", "Amount", "State"),
                (
                    (
                        utc_text(item.created_at),
                        item.reference,
                        item.binding.customer,
                        f"{wire_amount(item.amount)} {item.currency}",
                        item.state.value,
                    )
                    for item in reversed(world.all_payments())
                ),
            ),
            _table(
                "Bindings",
                ("Time", "Reference", "Customer", "Account", "State", "Page"),
                (
                    (
                        utc_text(item.created_at),
                        item.reference_no,
                        item.customer,
                        mask_phone(item.phone),
                        item.state.value,
                        item.step.value,
                    )
                    for item in reversed(world.bindings.values())
                ),
            ),
            _table(
                "Notifications",
                ("#", "Kind", "Reference", "Status", "State", "Attempt", "Due", "Answers", "Forged"),
                (
                    (
                        str(item.id),
                        item.kind,
                        item.reference,
                        str(item.body.get("latestTransactionStatus", "")),
                        item.state,
                        str(item.attempt),
                        utc_text(item.due),
                        ", ".join("none" if result is None else str(result) for result in item.results),
                        item.forgery or "",
                    )
                    for item in reversed(simulator.notifications.deliveries)
                ),
            ),
            _table(
                "Requests",
                ("Time", "Operation", "Reference", "X-EXTERNAL-ID", "HTTP", "Response code", "Fault"),
                (
                    (
                        utc_text(item.at),
                        f"{item.operation}",
                        item.reference,
                        item.external_id,
                        str(item.status),
                        item.code,
                        item.fault,
                    )
                    for item in reversed(simulator.requests)
                ),
            ),
        )
    )


def _table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{text}</th>' for text in heads)
    lines = [f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in islice(rows, _ROWS)]
    body = "".join(lines) or f'<tr><td colspan="{len(heads)}">nothing yet</td></tr>'
    return (
        f'<div class="scroll" role="region" aria-label="{caption}" tabindex="0"><table><caption>{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
