"""The two cookies of the lock: the secret of a sign-in, and the mark that ties a sign-in form to its browser."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.responses import Response
from starlette.types import Scope

from services.settings import Settings

KEPT_SECONDS = 90 * 24 * 3600
"""The browser keeps it longer than it opens anything: by it the desk knows the browser again."""


def is_secure(scope: Scope, settings: Settings | None) -> bool:
    """Does the browser see the desk over TLS?"""
    public = None if settings is None else settings.public_url
    return public.startswith("https:") if public else scope["scheme"] in ("https", "wss")


def session_cookie(scope: Scope, settings: Settings | None) -> str:
    """The name of the cookie. Ports share cookies, so the port is part of it: two desks on one machine stay apart."""
    return f"{_prefix(scope, settings)}desk-session-{_port(scope, settings)}"


def form_cookie(scope: Scope, settings: Settings | None) -> str:
    """The name of the cookie of the form."""
    return f"{_prefix(scope, settings)}desk-form-{_port(scope, settings)}"


def cookie_value(scope: Scope, name: str) -> str:
    """The value of that cookie, empty if the browser sent none or something that is no cookie."""
    for header, value in scope["headers"]:
        if header == b"cookie":
            for part in value.decode("latin-1").split(";"):
                given, _, text = part.strip().partition("=")
                if given == name:
                    return str(text)
    return ""


def without_cookie(headers: list[tuple[bytes, bytes]], name: str) -> list[tuple[bytes, bytes]]:
    """`headers` without that cookie: what a page cannot see it cannot show."""
    kept = []
    for header, value in headers:
        if header == b"cookie":
            parts = [part for part in value.split(b";") if part.strip().partition(b"=")[0] != name.encode("latin-1")]
            value = b";".join(parts).strip()
            if not value:
                continue
        kept.append((header, value))
    return kept


def put_cookie(answer: Response, scope: Scope, settings: Settings | None, name: str, value: str, seconds: int) -> None:
    """Set a cookie that no script reads and no other site's page sends."""
    answer.set_cookie(
        name, value, max_age=seconds, path="/", httponly=True, samesite="strict", secure=is_secure(scope, settings)
    )


def _prefix(scope: Scope, settings: Settings | None) -> str:
    """Browsers take a `__Host-` cookie over TLS only, and from no neighbour of another name."""
    return "__Host-" if is_secure(scope, settings) else ""


def _port(scope: Scope, settings: Settings | None) -> int:
    """The port by which browsers know the desk. Behind a proxy that is the proxy's: several processes on different
    ports may stand there, and a sign-in is good at each of them."""
    if settings is not None and settings.public_url:
        public = urlsplit(settings.public_url)
        return public.port or (443 if public.scheme == "https" else 80)
    return int((scope.get("server") or ("", 0))[1] or 0)
