"""The pages that problems' `type` opens: functions/explain_problem/pages."""

import re
from collections.abc import Mapping
from html import escape

from direct_debit.entrypoint.errors import PROBLEMS, ProblemKind
from tools.gateway_answers import GatewayAnswer, read_gateway_answers
from tools.openapi.problems import CATCH_NAMES, show_example

_STYLE = (
    "body{max-width:44rem;margin:2rem auto;padding:0 1rem;font:1rem/1.5 system-ui,sans-serif;color:#1b1b1b;"
    "background:#fff}pre{padding:1rem;overflow-x:auto;background:#f2f2f2}dt{font-weight:600}dd{margin:0 0 1rem}"
    "@media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#1b1b1b}pre{background:#2a2a2a}a{color:#9cf}}"
)


def write_pages() -> Mapping[str, str]:
    """Return the pages by name: one for each problem, and `index` with all of them."""
    gateway = {answer.slug: _gateway_page(answer) for answer in read_gateway_answers() if answer.slug not in PROBLEMS}
    return {"index": _index(), **{kind.slug: _page(kind) for kind in PROBLEMS.values()}, **gateway}


def _page(kind: ProblemKind) -> str:
    return _frame(
        kind.title,
        f"<p><code>{kind.slug}</code>, HTTP {kind.status}</p>"
        f"<dl><dt>When</dt><dd>{_prose(kind.when)}</dd><dt>What to do</dt><dd>{_prose(kind.remedy)}</dd>"
        f"<dt>Name for <code>Catch</code> (Step Functions)</dt><dd><code>{CATCH_NAMES[kind.slug]}</code></dd></dl>"
        f"<h2>Example</h2><pre>{escape(show_example(kind.slug))}</pre>"
        '<p><a href="index">All problems</a></p>',
    )


def _gateway_page(answer: GatewayAnswer) -> str:
    status = "" if answer.status is None else f", HTTP {answer.status}"
    return _frame(
        answer.title,
        f"<p><code>{answer.slug}</code>{status}</p>"
        f"<dl><dt>When</dt><dd>API Gateway answered before, or instead of, this service "
        f"(<code>{answer.kind}</code>).</dd><dt>What to do</dt><dd>{escape(answer.detail)}</dd></dl>"
        '<p><a href="index">All problems</a></p>',
    )


def _index() -> str:
    known = [(kind.slug, kind.title, str(kind.status)) for kind in PROBLEMS.values()]
    known += [
        (answer.slug, answer.title, "API Gateway") for answer in read_gateway_answers() if answer.slug not in PROBLEMS
    ]
    rows = "".join(
        f'<li><a href="{slug}">{escape(title)}</a> (<code>{slug}</code>, {by})</li>' for slug, title, by in known
    )
    return _frame("Problems", f"<p>What this API's errors mean, and what to do.</p><ul>{rows}</ul>")


def _frame(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="icon" href="data:,">'  # asks for no picture
        f"<style>{_STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>\n"
    )


def _prose(text: str) -> str:
    """HTML of a sentence with `names` in it."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
