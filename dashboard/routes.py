"""Routes beside the pages: `/livez`, `/readyz`, `/metrics`, `/calendar.ics`, the drawing library of the charts, and
where the browser comes back to after the broker's login dialog."""

from __future__ import annotations

import logging
from html import escape
from urllib.parse import parse_qs, urlsplit

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboard.calendar_ics import MIME, PATH, calendar_file, chosen_kinds, chosen_market, file_name
from dashboard.chart_asset import asset_routes
from dashboard.formatting import ist_moment
from dashboard.plain_page import plain_page
from dashboard.probe_access import guarded
from dashboard.readiness import Readiness
from dashboard.resources import desk, exposition, opening
from dashboard.words import in_words
from services.domain.errors import ConfigurationError, InvalidRequest, LoginRequired, UpstoxError
from services.settings import Settings

CALLBACK = "/login/callback"
DONE = "/login/done"
_MOST_CODE = 2048

log = logging.getLogger(__name__)
_readiness = Readiness(opening, desk)


async def livez(request: Request) -> Response:
    """The process answers."""
    return JSONResponse({"alive": True})


async def readyz(request: Request) -> Response:
    """Every check with pass, warn or fail; 200 when the desk can do its work, else 503."""
    found = await anyio.to_thread.run_sync(_readiness.look)
    return JSONResponse(found.as_json(), 200 if found.ready else 503, {"Cache-Control": "no-store"})


async def metrics(request: Request) -> Response:
    """The measures, for Prometheus; 503 while the desk opens."""
    if not opening().ready.is_set():
        return JSONResponse({"problem": "The desk is not ready yet."}, 503, {"Retry-After": "5"})
    shown = exposition()
    content, media_type = await anyio.to_thread.run_sync(shown.text, request.headers.get("accept", ""))
    return Response(content, headers={"Content-Type": media_type, "Cache-Control": "no-store"})


async def market_calendar(request: Request) -> Response:
    """The market calendar for a calendar program: `?market=NSE&kinds=holiday,special`. Nothing of the account is in it.
    A word that is none is 400 with those that are; 503 while the desk opens."""
    try:
        market = chosen_market(request.query_params.get("market"))
        kinds = chosen_kinds(request.query_params.get("kinds"))
    except InvalidRequest as error:
        return JSONResponse({"problem": _sentence(str(error))}, 400)
    if not opening().ready.is_set():
        return JSONResponse({"problem": "The desk is not ready yet."}, 503, {"Retry-After": "5"})
    runtime = desk()
    content = await anyio.to_thread.run_sync(
        lambda: calendar_file(runtime.calendar.current, now=runtime.clock.now(), market=market, kinds=kinds)
    )
    headers = {"Content-Disposition": f'inline; filename="{file_name(market)}"', "Cache-Control": "no-cache"}
    return Response(content, headers=headers, media_type=MIME)


async def login_callback(request: Request) -> Response:
    """The broker sends the browser here with a code and our state. The code is exchanged once and never shown; the page
    that follows has an address without it, so that it stays out of the browser's history."""
    query = request.query_params
    code, state = query.get("code", ""), query.get("state", "")
    if not code:
        reason = "The broker sent no code. The login was cancelled, or this address was opened by itself."
        return _page("Not logged in", reason, status=400)
    if len(code) > _MOST_CODE or not opening().ready.is_set():
        return _page("Not logged in", "The desk is not ready yet. Start the login again in a moment.", status=503)
    try:
        await anyio.to_thread.run_sync(desk().login.complete, code, state)
    except (LoginRequired, InvalidRequest) as error:
        return _page("Not logged in", f"{_sentence(str(error))} Start the login again on the account page.", status=400)
    except UpstoxError as error:
        log.warning("login by the browser failed: %s", error)
        words = in_words(error)
        return _page("Not logged in", f"{words.title}: {words.text} Start the login again.", status=502)
    return RedirectResponse(DONE, 303, {"Cache-Control": "no-store"})


async def login_done(request: Request) -> Response:
    """What a login came to."""
    if not opening().ready.is_set():
        return _page("Not logged in", "The desk is not ready yet. Start the login again in a moment.", status=503)
    state = await anyio.to_thread.run_sync(desk().login.state)
    if state.kind is None:
        return _page("Not logged in", "There is no valid token. Start the login again on the account page.")
    who = f" as {state.user}" if state.user else ""
    return _page("Logged in", f"You are logged in{who}, until {ist_moment(state.expires)}.")


class RegisteredCallback:
    """Serves the callback also at the path that the app is registered with (`UPSTOX_REDIRECT_URI`), whatever it is.

    Looked up per request: settings are read when the runtime is made, after this module is imported.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET" and _is_registered_callback(scope):
            scope = {**scope, "path": CALLBACK, "raw_path": CALLBACK.encode()}
        await self._app(scope, receive, send)


def routes() -> list[BaseRoute]:
    """The desk's own routes."""
    return [
        Route("/livez", guarded(livez, _settings), methods=["GET"]),
        Route("/readyz", guarded(readyz, _settings), methods=["GET"]),
        Route("/metrics", guarded(metrics, _settings), methods=["GET"]),
        Route(PATH, market_calendar, methods=["GET"]),
        *asset_routes(),
        Route(CALLBACK, login_callback, methods=["GET"]),
        Route(DONE, login_done, methods=["GET"]),
    ]


def _settings() -> Settings | None:
    try:
        return desk().settings
    except ConfigurationError:  # a page tells what is wrong with them
        return None


def _is_registered_callback(scope: Scope) -> bool:
    """Only with a code and a state: the registered path may be one of the desk's own pages, even `/`."""
    given = parse_qs(scope["query_string"].decode("latin-1"))
    if not ({"code", "state"} <= given.keys()) or not opening().ready.is_set():
        return False
    registered = desk().settings.redirect_uri
    return registered is not None and scope["path"].rstrip("/") == urlsplit(registered).path.rstrip("/")


def _page(title: str, text: str, *, status: int = 200) -> Response:
    """A page of its own, without script: one sentence and the way back."""
    return plain_page(title, f'<p>{escape(text)}</p><a href="/account">Back to the desk</a>', status=status)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
