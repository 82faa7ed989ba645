"""Pages of their own, beside those of Streamlit: one card, no script, nothing loaded from anywhere."""

from __future__ import annotations

from html import escape

from starlette.responses import HTMLResponse

POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 "Source Sans", system-ui, sans-serif }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: light-dark(#fff, #0e131b);
       color: light-dark(#152033, #dce3ec) }
main { max-width: 26rem; margin: 1rem; padding: 1.75rem 2rem; border: 1px solid light-dark(#d5dde8, #273142);
       border-radius: 8px }
h1 { font-size: 1.3rem; margin: 0 0 .6rem } p { margin: 0 0 1.25rem }
a, button { display: inline-block; padding: .45rem 1rem; border: 0; border-radius: 6px; font: inherit; font-weight: 600;
    background: light-dark(#1f5fe0, #2f6be8); color: #fff; text-decoration: none; cursor: pointer }
a:focus-visible, button:focus-visible, input:focus-visible { outline: 2px solid light-dark(#1f5fe0, #7aa5ff);
    outline-offset: 2px }
form { display: grid; gap: .35rem; min-width: min(20rem, 70vw) } label { font-size: .9rem }
input { font: inherit; padding: .45rem .6rem; margin-bottom: .6rem; border: 1px solid light-dark(#8593a6, #5c6b80);
    border-radius: 6px; background: light-dark(#fff, #161d28); color: inherit }
.trouble { color: light-dark(#b3261e, #ff8a80) } .or { margin: 1rem 0 .6rem }
"""


def plain_page(title: str, inside: str, *, status: int = 200, headers: dict[str, str] | None = None) -> HTMLResponse:
    """A page with `inside` (markup, everything foreign in it escaped by the caller) below its title. Never kept by a
    browser. A form on it tells where it comes from, which no other page of the desk does."""
    content = (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} · Upstox Desk</title><style>{STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{inside}</main></body></html>"
    )
    return HTMLResponse(
        content, status, {"Cache-Control": "no-store", "Content-Security-Policy": POLICY, **(headers or {})}
    )
