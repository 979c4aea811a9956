"""The frame of every page: one style sheet, no script, nothing from elsewhere."""

import base64
import hashlib
from html import escape

from starlette.responses import HTMLResponse

STYLE = """
:root{color-scheme:light dark;--ink:#1c1b1f;--soft:#5b5560;--page:#f4f1f0;--card:#fff;--line:#d9d2d0;--brand:#7a0c1e;
--brand-ink:#fff;--bar:#7a0c1e;--bar-ink:#fff;--focus:#0b57d0;--bad:#a3150f;--bad-page:#fdecea;--hint:#f2ecdf;--good:#1d6b35}
@media (prefers-color-scheme:dark){:root{--ink:#ece7ea;--soft:#b7afb6;--page:#161315;--card:#221d20;--line:#473f44;
--brand:#e08a97;--brand-ink:#2a060c;--bar:#3d0a14;--bar-ink:#f7e9eb;
--focus:#8ab4f8;--bad:#ffb4ab;--bad-page:#4a1512;--hint:#332c1e;--good:#8fd3a3}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);
font:1rem/1.5 system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
a{color:var(--brand)}
header{background:var(--bar);color:var(--bar-ink)}
header div{max-width:30rem;margin:0 auto;padding:.9rem 1.25rem;display:flex;justify-content:space-between;
align-items:center;gap:1rem}
header a{color:inherit;padding:.5rem 0;white-space:nowrap}
header strong{letter-spacing:.01em}
main{max-width:30rem;margin:0 auto;padding:1.25rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:.9rem;padding:1.5rem}
h1{font-size:1.4rem;line-height:1.25;margin:.25rem 0 .75rem}
p{margin:0 0 1rem}
.soft{color:var(--soft);font-size:.925rem}
ol.steps{display:flex;gap:.5rem;list-style:none;margin:0 0 1.25rem;padding:0;font-size:.85rem;color:var(--soft)}
ol.steps li{flex:1;border-top:.25rem solid var(--line);padding-top:.4rem}
ol.steps li[aria-current]{border-color:var(--brand);color:var(--ink);font-weight:600}
ol.steps li.done{border-color:var(--good)}
label{display:block;font-weight:600;margin-bottom:.35rem}
.hint{display:block;color:var(--soft);font-size:.925rem;margin-bottom:.5rem}
input{width:100%;font:inherit;font-size:1.25rem;letter-spacing:.08em;padding:.7rem .8rem;border:2px solid var(--soft);
border-radius:.5rem;background:var(--card);color:var(--ink)}
input[aria-invalid=true]{border-color:var(--bad)}
:focus-visible{outline:3px solid var(--focus);outline-offset:2px}
.error{background:var(--bad-page);color:var(--bad);border-left:.3rem solid var(--bad);border-radius:.3rem;
padding:.7rem .9rem;margin-bottom:1rem}
button.plain{border-color:transparent;background:transparent;color:var(--brand);text-decoration:underline;
text-underline-offset:.2em}
.try{background:var(--hint);border-radius:.5rem;padding:.7rem .9rem;margin:1.25rem 0 0;font-size:.925rem}
.buttons{display:grid;gap:.75rem;margin-top:1.25rem}
button,.button{display:block;width:100%;font:inherit;font-weight:600;min-height:3rem;padding:.7rem 1rem;
border-radius:.5rem;border:2px solid var(--brand);background:var(--brand);color:var(--brand-ink);text-align:center;
text-decoration:none;cursor:pointer}
button.quiet{background:transparent;color:var(--brand)}
dl{display:grid;grid-template-columns:auto 1fr;gap:.25rem 1rem;margin:0 0 1.25rem;font-size:.925rem}
dt{color:var(--soft)}dd{margin:0;text-align:right;font-variant-numeric:tabular-nums}
form.tools{display:flex;flex-wrap:wrap;gap:.5rem;align-items:center;margin:0 0 1rem}
form.tools button{width:auto;min-height:2.25rem;padding:.3rem .8rem;font-size:.9rem}
form.tools input{width:16rem;font-size:.95rem;letter-spacing:0;padding:.35rem .6rem}
form.tools label{margin:0;font-size:.9rem}
main.wide{max-width:72rem}header div.wide{max-width:72rem}
.scroll{overflow-x:auto;margin-bottom:1.5rem;background:var(--card);border:1px solid var(--line);border-radius:.6rem}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:600;padding:.8rem .9rem .4rem}
th,td{text-align:left;padding:.4rem .9rem;border-top:1px solid var(--line);white-space:nowrap}
th{color:var(--soft);font-weight:600}
"""

_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode("ascii")
_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def page(
    *,
    title: str,
    main: str,
    language: str = "en",
    aside: str = "",
    wide: bool = False,
    status: int = 200,
    again_after: int | None = None,
) -> HTMLResponse:
    """Return a whole page; `main` and `aside` are HTML, `title` is text.

    `again_after`: the browser loads it again after so many seconds.
    """
    again = "" if again_after is None else f'<meta http-equiv="refresh" content="{again_after}">'
    kind = ' class="wide"' if wide else ""
    return HTMLResponse(
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1">{again}<title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head><body><header><div{kind}><strong>CIMB · DOKU simulator</strong>{aside}</div>"
        f"</header><main{kind}>{main}</main></body></html>",
        status_code=status,
        headers=_HEADERS,
    )
