"""What a customer's browser gets where a link can not be opened: a page, in Indonesian and English, and no JSON.

It has no script, no picture, no style from elsewhere, and nothing of the request but its id.
"""

from html import escape

from direct_debit.entrypoint.errors import Problem

CONTENT_TYPE = "text/html; charset=utf-8"
HEADERS = {
    "Content-Type": CONTENT_TYPE,
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
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
        f"<title>{title}</title></head><body><main><h1>{title}</h1><p>{text}</p>"
        f'<div lang="en"><h2>{english_title}</h2><p>{english}</p></div>'
        f"<p><small>{escape(request_id)}</small></p></main></body></html>"
    )
