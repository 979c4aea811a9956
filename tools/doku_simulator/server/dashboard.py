"""What happened, for people: ledger, payments, notifications, requests. Nothing secret is shown."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from itertools import islice
from urllib.parse import parse_qs, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from tools.doku_simulator.bank import wire_amount
from tools.doku_simulator.bindings import mask_phone
from tools.doku_simulator.core import Simulator
from tools.doku_simulator.dials import Dial
from tools.doku_simulator.magic_values import (
    DECLINED_AMOUNTS,
    EXPIRED_OTP,
    FAILS_AFTER_OTP_AMOUNT,
    IN_PROGRESS_AMOUNT,
    INACTIVE_PHONE_SUFFIX,
    LOST_ANSWER_AMOUNT,
    RIGHT_OTP,
    TAKEN_PHONE_SUFFIX,
    WRONG_PIN,
)
from tools.doku_simulator.server.html import page
from tools.doku_simulator.server.service import Service
from tools.doku_simulator.world import utc_text

_ROWS = 50
_WATCH_SECONDS = 5
_LARGEST_FORM = 1_000


def _clear(simulator: Simulator) -> None:
    simulator.dials.clear()
    simulator.notifications.dials.clear()


# What a click does, by the name that the form sends.
_ACTIONS: Mapping[str, tuple[str, Callable[[Simulator], None]]] = {
    "minute": ("DOKU's clock +61 s", lambda simulator: simulator.shift_clock(61)),
    "hour": ("+1 h", lambda simulator: simulator.shift_clock(3_600)),
    "day": ("+1 day", lambda simulator: simulator.shift_clock(86_400)),
    "lose": ("Lose the next payment's answer", lambda simulator: simulator.add_dial(Dial("payment", "drop"))),
    "clear": ("Remove all faults", _clear),
}
_MAGIC = (
    ("OTP", RIGHT_OTP, "right, on CIMB's page and in the API"),
    ("OTP", EXPIRED_OTP, "expired"),
    ("OTP", "any other", "wrong; the third one ends it"),
    ("PIN", WRONG_PIN, "wrong; any other six digits are right"),
    ("phone", f"ending {TAKEN_PHONE_SUFFIX}", "the account belongs to somebody else (4030715)"),
    ("phone", f"ending {INACTIVE_PHONE_SUFFIX}", "the account is inactive (4030718)"),
    *(
        ("amount", f"{wire_amount(amount)}", f"declined: {case[:3]}54{case[3:]}")
        for amount, case in DECLINED_AMOUNTS.items()
    ),
    ("amount", wire_amount(LOST_ANSWER_AMOUNT), "debited, but answered as a time-out (5045400)"),
    ("amount", wire_amount(IN_PROGRESS_AMOUNT), "in progress (2025400), debited 2 s later"),
    ("amount", wire_amount(FAILS_AFTER_OTP_AMOUNT), "the OTP is taken, and the payment fails afterwards"),
)


def dashboard_route(service: Service) -> Route:
    """Return the route of `/`."""

    async def show(request: Request) -> Response:
        wanted = request.query_params.get("q", "").strip()
        watching = "watch" in request.query_params
        if request.method == "POST":
            form = parse_qs((await request.body())[:_LARGEST_FORM].decode("utf-8", "replace"))
            _, act = _ACTIONS.get(form.get("do", [""])[0], ("", None))
            if act is not None:
                act(service.simulator)
                service.wake()
            return RedirectResponse(f"/?{request.url.query}", 303)
        main = _tools(wanted, watching=watching) + _tables(service.simulator, wanted) + _magic()
        return page(
            title="CIMB · DOKU simulator", main=main, wide=True, again_after=_WATCH_SECONDS if watching else None
        )

    return Route("/", show, methods=["GET", "POST"])


def _tools(wanted: str, *, watching: bool) -> str:
    query = urlencode({**({"q": wanted} if wanted else {}), **({"watch": "1"} if watching else {})})
    other = urlencode({**({"q": wanted} if wanted else {}), **({} if watching else {"watch": "1"})})
    link = "stop" if watching else f"load again every {_WATCH_SECONDS} s"
    kept = '<input type="hidden" name="watch" value="1">' if watching else ""
    buttons = "".join(f'<button name="do" value="{name}">{text}</button>' for name, (text, _) in _ACTIONS.items())
    return (
        f'<form class="tools" method="get" action="/"><label for="q">Rows with</label>'
        f'<input id="q" name="q" value="{escape(wanted)}">{kept}<button>Show</button>'
        f'<a href="/?{other}">{link}</a></form>'
        f'<form class="tools" method="post" action="/?{escape(query)}">{buttons}</form>'
    )


def _magic() -> str:
    return _write_table("Magic values", ("Where", "Value", "What happens"), _MAGIC)


def _tables(simulator: Simulator, wanted: str) -> str:
    def _table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
        return _write_table(caption, heads, (row for row in rows if not wanted or _has(row, wanted)))

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


def _has(row: Sequence[str], wanted: str) -> bool:
    return any(wanted.casefold() in cell.casefold() for cell in row)


def _write_table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{text}</th>' for text in heads)
    lines = [f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in islice(rows, _ROWS)]
    body = "".join(lines) or f'<tr><td colspan="{len(heads)}">nothing yet</td></tr>'
    return (
        f'<div class="scroll" role="region" aria-label="{caption}" tabindex="0"><table><caption>{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
