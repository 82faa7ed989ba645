"""The two pages that a person sees of the broker itself: the login dialog and the list of token requests."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from starlette.requests import Request
from starlette.responses import Response

from services.paper.envelope import send_bytes

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { margin: 0; min-height: 100vh; display: grid; place-items: center }
main { max-width: 26rem; padding: 2rem; border: 1px solid #8886; border-radius: 12px; overflow-wrap: anywhere }
h1 { font-size: 1.25rem; margin: 0 0 .75rem }
p { margin: 0 0 1rem }
button { font: inherit; font-weight: 600; width: 100%; padding: .7rem; border: 0; border-radius: 8px;
         background: #5a2d91; color: #fff; cursor: pointer }
button:focus-visible { outline: 3px solid #5a2d9188; outline-offset: 2px }
textarea { font: .8rem ui-monospace, monospace; width: 100%; box-sizing: border-box; height: 7rem }
"""
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}


def page(request: Request, title: str, content: str, *, status: int = 200) -> Response:
    """A page without scripts, outside resources or frames around it. `content` is HTML, already escaped."""
    html = (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head>\n<body><main><h1>{escape(title)}</h1>\n{content}\n</main></body></html>\n"
    )
    return send_bytes(request, html.encode(), status=status, media="text/html; charset=utf-8", headers=_HEADERS)


def one_button(action: str, fields: Mapping[str, str], label: str) -> str:
    """A form of hidden fields and one button."""
    hidden = "".join(f'<input type="hidden" name="{escape(n)}" value="{escape(v)}">' for n, v in fields.items())
    return (
        f'<form method="post" action="{escape(action)}">{hidden}<button type="submit">{escape(label)}</button></form>'
    )


def paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def shown_token(token: str) -> str:
    """A token to copy."""
    return f'<textarea readonly aria-label="access token">{escape(token)}</textarea>'
