"""CIMB's pages for the customer: phone, OTP, PIN, and back to the merchant. Server-rendered, no script."""

import re
from dataclasses import replace
from html import escape
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from tools.doku_simulator.bindings import Bindings, PageView
from tools.doku_simulator.records import PageStep
from tools.doku_simulator.server.html import page
from tools.doku_simulator.server.service import Service
from tools.doku_simulator.server.texts import TEXTS

_STEPS = (PageStep.PHONE, PageStep.OTP, PageStep.PIN)
# Room for the blanks with which people paste a code; it is judged when it is sent.
_INPUTS = {
    PageStep.PHONE: 'type="tel" autocomplete="off"',
    PageStep.OTP: 'type="text" inputmode="numeric" autocomplete="one-time-code" maxlength="16"',
    PageStep.PIN: 'type="password" inputmode="numeric" autocomplete="off" maxlength="16"',
}
_LARGEST_FORM = 10_000
_BETWEEN = re.compile(r"[\s-]+")
_SIX_DIGITS = re.compile(r"[0-9]{6}")


def binding_routes(service: Service) -> list[BaseRoute]:
    """Return the routes of the customer's pages, on the core and the legacy path."""

    async def show(request: Request) -> Response:
        code, language = request.path_params["code"], _language(request)
        try:
            view = service.simulator.customer.open(code)
        except KeyError:
            return _unknown(language)
        return _render(service, code, view, language)

    async def submit(request: Request) -> Response:
        code, language = request.path_params["code"], _language(request)
        form = await _form(request)
        try:
            view = _act(service.simulator.customer, code, form)
        except KeyError:
            return _unknown(language)
        service.wake()
        if view.error is not None:  # told before the customer goes anywhere
            return _render(service, code, view, language)
        if view.redirect_url is not None:
            return RedirectResponse(view.redirect_url, 303)
        return RedirectResponse(f"{request.url.path}?lang={language}", 303)

    paths = ("/direct-debit/ui/binding/core/{code}", "/direct-debit/ui/binding/{code}")
    return [
        Route(path, endpoint, methods=[method])
        for path in paths
        for method, endpoint in (("GET", show), ("POST", submit))
    ]


def _act(customer: Bindings, code: str, form: dict[str, str]) -> PageView:
    action, value = form.get("action", ""), form.get("value", "").strip()
    match action:
        case "cancel":
            return customer.refuse(code)
        case "resend":
            return customer.resend_otp(code)
        case "phone":
            return customer.enter_phone(code, value)
        case "otp" | "pin":
            return _enter_digits(customer, code, action, value)
        case _:
            return customer.open(code)


def _enter_digits(customer: Bindings, code: str, action: str, value: str) -> PageView:
    """Enter an OTP or a PIN without the blanks and hyphens between its digits; one that is incomplete is no try."""
    digits = _BETWEEN.sub("", value)
    if not _SIX_DIGITS.fullmatch(digits):
        view = customer.open(code)
        return replace(view, error=f"incomplete_{action}") if view.step.value == action else view
    return customer.enter_otp(code, digits) if action == "otp" else customer.enter_pin(code, digits)


def _render(service: Service, code: str, view: PageView, language: str) -> HTMLResponse:
    texts = TEXTS[language]
    if view.step is PageStep.DONE:
        return _finished(view, language)
    binding = service.simulator.world.bindings[code]
    step = view.step.value
    error = None if view.error is None else texts[f"error_{view.error}"]
    lead = texts[f"lead_{step}"].replace("{phone}", view.masked_phone)
    value = f' value="{escape(view.masked_phone)}"' if view.step is PageStep.PHONE else ""
    problem = f' aria-invalid="true" aria-describedby="error hint-{step}"' if error else ""
    described = problem or f' aria-describedby="hint-{step}"'
    alert = ""
    if error:
        alert = f'<div class="error" role="alert" id="error"><strong>{texts["problem"]}.</strong> {escape(error)}</div>'
    resend = ""
    if view.step is PageStep.OTP:
        resend = (
            f'<button class="quiet" name="action" value="resend" formnovalidate="formnovalidate">'
            f"{texts['resend']}</button>"
        )
    main = (
        f"{_progress(view.step, texts)}"
        f'<div class="card"><h1>{texts[f"title_{step}"]}</h1><p>{escape(lead)}</p>'
        f"<dl><dt>{texts['customer']}</dt><dd>{escape(binding.customer)}</dd>"
        f"<dt>{texts['phone']}</dt><dd>{escape(view.masked_phone)}</dd>"
        f"<dt>{texts['reference']}</dt><dd>{binding.reference_no}</dd></dl>{alert}"
        f'<form method="post" action="?lang={language}" novalidate="novalidate">'
        f'<label for="value">{texts[f"label_{step}"]}</label>'
        f'<span class="hint" id="hint-{step}">{texts[f"hint_{step}"]}</span>'
        f'<input id="value" name="value" {_INPUTS[view.step]}{value}{described} required autofocus>'
        f'<div class="buttons"><button name="action" value="{step}">{texts[f"next_{step}"]}</button>{resend}'
        f'<button class="plain" name="action" value="cancel" formnovalidate="formnovalidate">{texts["cancel"]}</button>'
        f'</div></form><p class="try">{texts[f"try_{step}"]}</p></div>'
    )
    title = texts[f"title_{step}"]
    if error:
        title = f"{texts['problem']}: {title}"
    status = 422 if error else 200
    return page(title=title, main=main, language=language, aside=_switch(language), status=status)


def _progress(current: PageStep, texts: dict[str, str]) -> str:
    items: list[str] = []
    for step in _STEPS:
        mark = ""
        if step is current:
            mark = ' aria-current="step"'
        elif _STEPS.index(step) < _STEPS.index(current):
            mark = ' class="done"'
        items.append(f"<li{mark}>{texts[f'step_{step.value}']}</li>")
    return f'<ol class="steps" aria-label="{texts["steps"]}">{"".join(items)}</ol>'


def _finished(view: PageView, language: str) -> HTMLResponse:
    texts = TEXTS[language]
    kind = "linked" if view.linked else "failed"
    alert = ""
    if view.error is not None:
        alert = f'<div class="error" role="alert">{escape(texts[f"error_{view.error}"])}</div>'
    link = f'<a class="button" href="{escape(view.redirect_url or "")}">{texts["back"]}</a>'
    main = f'<div class="card"><h1>{texts[f"title_{kind}"]}</h1>{alert}<p>{texts[f"lead_{kind}"]}</p>{link}</div>'
    status = 200 if view.error is None else 422
    return page(title=texts[f"title_{kind}"], main=main, language=language, aside=_switch(language), status=status)


def _unknown(language: str) -> HTMLResponse:
    texts = TEXTS[language]
    main = f'<div class="card"><h1>{texts["title_unknown"]}</h1><p>{texts["lead_unknown"]}</p></div>'
    return page(title=texts["title_unknown"], main=main, language=language, aside=_switch(language), status=404)


def _switch(language: str) -> str:
    other = "en" if language == "id" else "id"
    return f'<a href="?lang={other}" lang="{other}" hreflang="{other}">{TEXTS[other]["name"]}</a>'


def _language(request: Request) -> str:
    asked = request.query_params.get("lang", "id")
    return asked if asked in TEXTS else "id"


async def _form(request: Request) -> dict[str, str]:
    body = await request.body()
    if len(body) > _LARGEST_FORM:
        return {}
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[0] for name, values in fields.items()}
