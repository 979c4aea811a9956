"""What a customer's browser gets where a link can not be opened: a page, in Indonesian and English, and no JSON.

It has no script, no picture, no style but its own, and nothing of the request but its id.
"""

from base64 import b64encode
from hashlib import sha256
from html import escape

from direct_debit.entrypoint.errors import Problem

# The shop's customer sees it, in whatever light the telephone is set to.
_STYLE = (
    ":root{color-scheme:light dark}body{font:1.05rem/1.6 system-ui,sans-serif;max-width:34rem;margin:3rem auto;"
    "padding:0 1.25rem}h1{font-size:1.5rem;line-height:1.3}h2{font-size:1.15rem;margin-top:2rem}small{opacity:.7}"
)
_STYLE_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()

CONTENT_TYPE = "text/html; charset=utf-8"
HEADERS = {
    "Content-Type": CONTENT_TYPE,
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; frame-ancestors 'none'",
}

# The link is none of ours, or mistyped; for all else, coming again in a moment is right.
_WRONG_LINK = frozenset({"not-found", "invalid-field", "missing-field", "unknown-field"})
_WRONG = (
    "Tautan ini tidak dapat dibuka",
    "Tautan ini tidak dikenal atau tidak lengkap. Silakan mulai lagi dari toko.",
    "This link can not be opened",
    "It is not known, or not complete. Please start again in the shop.",
)
_LATER = (
    "Mohon tunggu sebentar",
    "Ada gangguan pada layanan kami. Silakan muat ulang halaman ini sebentar lagi.",
    "One moment, please",
    "Our service is disturbed. Please reload this page in a moment.",
)


def write_page(problem: Problem, request_id: str) -> str:
    """Return the page for a problem."""
    title, text, english_title, english = _WRONG if problem.kind.slug in _WRONG_LINK else _LATER
    return (
        '<!doctype html><html lang="id"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body><main><h1>{title}</h1><p>{text}</p>"
        f'<div lang="en"><h2>{english_title}</h2><p>{english}</p></div>'
        f"<p><small>Nomor / No. {escape(request_id)}</small></p></main></body></html>"
    )
