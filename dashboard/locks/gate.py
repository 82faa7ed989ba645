"""The gate before everything that the server answers: pages, their websockets, media, uploads, components, own routes.

What is not named here as free is closed to whoever has to sign in and has not. A websocket lives as long as the sign-in
that opened it: signing out ends every tab at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from urllib.parse import quote

import anyio.to_thread
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboard.door import DOOR, Door
from dashboard.locks.cookies import cookie_value, session_cookie, without_cookie
from dashboard.locks.leash import Leashed
from dashboard.locks.passes import HEADER, write_pass
from dashboard.locks.rule import must_sign_in
from dashboard.plain_page import plain_page
from dashboard.sparing import Sparing
from services.acting import acting_as
from services.domain.actors import Actor, Role
from services.domain.errors import UpstoxError
from services.domain.sign_ins import SignedIn
from services.runtime import Runtime
from services.settings import Settings

SIGN_IN = "/sign-in"
ISSUER = "/sign-in/issuer"
NOTICE = "/login/notice"
LOOK_SECONDS = 5.0

FREE = {
    SIGN_IN: ("GET", "HEAD", "POST"),
    NOTICE: ("POST",),  # from the broker, which signs in nowhere: the route believes nothing without proof
    "/livez": ("GET", "HEAD"),  # these three look at their caller themselves
    "/readyz": ("GET", "HEAD"),
    "/metrics": ("GET", "HEAD"),
}
ISSUER_FREE = {ISSUER: ("GET",), "/auth/login": ("GET",), "/oauth2callback": ("GET",)}
"""Only where an issuer is set up."""
CLOSED = ("/_stcore/metrics", "/_stcore/agent", "/_stcore/script-health-check", "/auth/logout")
"""To everybody, always: Streamlit's own, of which the desk has better or needs none."""

_STEPPED = "desk-step=1"
NOBODY = Actor("nobody who signed in", Role.VIEWER)

log = logging.getLogger(__name__)


class Gate:
    """The ASGI layer. `runtime()` may raise what the desk's set-up is wrong with: then nobody signs in."""

    def __init__(self, app: ASGIApp, runtime: Callable[[], Runtime]) -> None:
        self._app = app
        self._runtime = runtime
        self._open: dict[int, set[asyncio.Event]] = {}
        self._listens_to: object = None
        self._refusals = Sparing(log)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        scope = {**scope, "headers": [one for one in scope["headers"] if one[0] != HEADER.encode()]}
        settings = self._settings()
        if _is_closed(scope["path"], settings):
            self._note("closed", scope)
            await _refuse(scope, receive, send, PlainTextResponse("Not here.", 404))
            return
        headers = Headers(scope=scope)
        peer = scope["client"][0] if scope.get("client") else None
        if not must_sign_in(settings, peer, headers.get("host"), headers.keys()):
            await self._app(_with_door(scope, Door(False, None), settings), receive, send)
            return
        secret = cookie_value(scope, session_cookie(scope, settings))
        try:
            person = await self._person(secret)
        except (UpstoxError, SQLAlchemyError, OSError) as error:
            log.warning("nobody can be let in: %s", type(error).__name__)
            await _refuse(scope, receive, send, PlainTextResponse("The desk cannot look who you are. Try later.", 503))
            return
        door = Door(True, person)
        if person is None:
            if _is_free(scope, settings):
                with acting_as(NOBODY):
                    await self._app(_with_door(scope, door, settings), receive, send)
            else:
                self._note("not signed in", scope)
                await _refuse(scope, receive, send, _gate_page(scope, headers))
            return
        if (onward := _stepped_back(scope)) is not None:
            await onward(scope, receive, send)
            return
        with acting_as(person.actor()):
            if scope["type"] == "websocket":
                await self._serve(_with_door(scope, door, settings), receive, send, secret, person)
            else:
                await self._app(_with_door(scope, door, settings), receive, send)

    def _note(self, why: str, scope: Scope) -> None:
        """In the log, without the query: there may be a code in it."""
        peer = scope["client"][0] if scope.get("client") else "somebody"
        what = scope.get("method", "websocket")
        self._refusals.info("refused to %s, %s: %s %r", peer, why, what, scope["path"][:80])

    def _settings(self) -> Settings | None:
        try:
            return self._runtime().settings
        except UpstoxError:
            return None

    async def _person(self, secret: str) -> SignedIn | None:
        if not secret:
            return None
        runtime = self._runtime()
        if runtime.built("sign_ins") and (seen := runtime.sign_ins.seen(secret)) is not None:
            return seen
        return await anyio.to_thread.run_sync(lambda: runtime.sign_ins.look(secret))

    # -- websockets ----------------------------------------------------------------------------------------------

    async def _serve(self, scope: Scope, receive: Receive, send: Send, secret: str, person: SignedIn) -> None:
        """Carry the connection until either side ends, or the sign-in does."""
        self._listen()
        with self._kept(person.number) as ended:
            watching = asyncio.create_task(self._watch(secret, person, ended))
            watching.add_done_callback(lambda task: _unwatched(task, ended))
            connection = Leashed(receive, send, ended)
            try:
                await self._app(scope, connection.receive, connection.send)
            finally:
                watching.cancel()
                connection.close()

    @contextmanager
    def _kept(self, number: int) -> Iterator[asyncio.Event]:
        ended = asyncio.Event()
        self._open.setdefault(number, set()).add(ended)
        try:
            yield ended
        finally:
            self._open[number].discard(ended)
            if not self._open[number]:
                del self._open[number]

    def _listen(self) -> None:
        """Hear of sign-ins that are ended in this process, from whatever thread."""
        sign_ins = self._runtime().sign_ins
        if self._listens_to is sign_ins:
            return
        self._listens_to, loop = sign_ins, asyncio.get_running_loop()
        sign_ins.when_ended(lambda numbers: _from_outside(loop, lambda: self._end(numbers)))

    def _end(self, numbers: frozenset[int]) -> None:
        for number in numbers:
            for ended in self._open.get(number, ()):
                ended.set()

    async def _watch(self, secret: str, person: SignedIn, ended: asyncio.Event) -> None:
        """Time-outs, and what another process has ended. Where the ledger cannot tell, the time that it told holds."""
        while not ended.is_set():
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await ended.wait()
            except TimeoutError:
                try:
                    found = await self._person(secret)
                except (UpstoxError, SQLAlchemyError, OSError) as error:
                    log.warning("a sign-in could not be looked at: %s", type(error).__name__)
                    found = None if self._runtime().sign_ins.is_over(person) else person
                if found is None:
                    return
                person = found


def _unwatched(watching: asyncio.Task[None], ended: asyncio.Event) -> None:
    """A connection that nobody watches is closed, whatever ended the watching."""
    ended.set()
    if not watching.cancelled() and (error := watching.exception()) is not None:
        log.error("a page is closed, for its sign-in cannot be watched", exc_info=error)


def _from_outside(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    try:
        loop.call_soon_threadsafe(call)
    except RuntimeError:  # the server has ended
        log.debug("nobody is connected any more")


def _with_door(scope: Scope, door: Door, settings: Settings | None) -> Scope:
    """The scope with what was found. A page's connection carries the pass, and not the secret."""
    made = {**scope, DOOR: door}
    if scope["type"] == "websocket":
        kept = without_cookie(scope["headers"], session_cookie(scope, settings))
        made["headers"] = [*kept, (HEADER.encode(), write_pass(door.owner).encode())]
    return made


def _is_closed(path: str, settings: Settings | None) -> bool:
    if any(place in path for place in CLOSED):  # with a base path before it too
        return True
    return path in ISSUER_FREE and path != ISSUER and (settings is None or settings.oidc_metadata_url is None)


def _is_free(scope: Scope, settings: Settings | None) -> bool:
    if scope["type"] != "http":
        return False
    free = FREE.get(scope["path"])
    if free is None and settings is not None and settings.oidc_metadata_url is not None:
        free = ISSUER_FREE.get(scope["path"])
    return free is not None and scope["method"] in free


def _gate_page(scope: Scope, headers: Headers) -> Response:
    """What stands at the gate: for a page the way to the sign-in, for everything else a refusal."""
    wants_page = scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and _takes_pages(headers)
    if not wants_page:
        return PlainTextResponse("Sign in first.", 401, {"Cache-Control": "no-store"})
    query = scope["query_string"].decode("latin-1")
    if _STEPPED not in query and headers.get("sec-fetch-site", "cross-site") == "cross-site":
        # The cookie does not come with a link from elsewhere. One step on our own page, and it does, if there is one.
        target = escape(_address(scope, f"{query}&{_STEPPED}" if query else _STEPPED), quote=True)
        onward = f'<meta http-equiv="refresh" content="0; url={target}"><p>One moment.</p><a href="{target}">Go on</a>'
        return plain_page("Upstox Desk", onward, status=401)
    page = scope["path"]
    target = f"{SIGN_IN}?next={quote(page)}" if page != "/" else SIGN_IN
    return RedirectResponse(target, 303, {"Cache-Control": "no-store"})


def _stepped_back(scope: Scope) -> Response | None:
    """To the address as it was, after the step."""
    query = scope["query_string"].decode("latin-1")
    if scope["type"] != "http" or scope["method"] != "GET" or not query.endswith(_STEPPED):
        return None
    kept = query.removesuffix(_STEPPED).removesuffix("&")
    return RedirectResponse(_address(scope, kept), 303, {"Cache-Control": "no-store"})


def _address(scope: Scope, query: str) -> str:
    """The address on this desk, and on no other: two slashes at its beginning would name one."""
    path = "/" + quote(scope["path"].lstrip("/\\"), safe="/-._~")
    return f"{path}?{quote(query, safe='&=%+-._~:/')}" if query else path


def _takes_pages(headers: Headers) -> bool:
    return headers.get("sec-fetch-mode", "navigate") == "navigate" and "text/html" in headers.get("accept", "")


async def _refuse(scope: Scope, receive: Receive, send: Send, answer: Response) -> None:
    if scope["type"] == "websocket":
        await receive()  # the request to open it
        await send({"type": "websocket.close", "code": 1008})
        return
    await answer(scope, receive, send)
