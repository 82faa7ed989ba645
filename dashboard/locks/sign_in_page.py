"""The sign-in: a page of its own with one form, and the route that takes it. Nothing of Streamlit is served before."""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
from collections.abc import Callable, Mapping
from html import escape
from math import ceil
from urllib.parse import parse_qsl, urlsplit

import anyio.to_thread
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from dashboard.bodies import BodyRefused, read_body
from dashboard.door import door_of
from dashboard.formatting import duration
from dashboard.locks.cookies import KEPT_SECONDS, cookie_value, form_cookie, put_cookie, session_cookie
from dashboard.locks.gate import ISSUER, SIGN_IN
from dashboard.locks.issuer import forget_identity, has_issuer, issued_identity, way_to_issuer
from dashboard.plain_page import plain_page
from dashboard.sealing_keys import key_for
from dashboard.sparing import Sparing
from services.domain.errors import SignInPaused, SignInRefused, UpstoxError
from services.domain.sign_ins import NewSignIn
from services.runtime import Runtime
from services.settings import Settings

MOST_BYTES = 4096
FORM_SECONDS = 3600
_NEXT = re.compile(r"/[a-z][a-z0-9_-]{0,40}")
_FORM = re.compile(r"[A-Za-z0-9_-]{43}")
_FIELDS = {"form", "next", "name", "password"}
_POST = "application/x-www-form-urlencoded"

log = logging.getLogger(__name__)


def sign_in_routes(runtime: Callable[[], Runtime]) -> list[BaseRoute]:
    """`/sign-in`, read and sent."""
    refusals = Sparing(log)

    async def sign_in(request: Request) -> Response:
        try:
            desk = runtime()
        except UpstoxError as error:
            refusals.info("nobody can sign in: %s", type(error).__name__)
            return PlainTextResponse("The desk is not set up right. At its own machine it says what to do.", 503)
        door = door_of(request.scope)
        if not door.needed or (door.person is not None and request.method != "POST"):
            return RedirectResponse(_next(request.query_params.get("next")), 303, {"Cache-Control": "no-store"})
        if request.method != "POST":
            return await _show(request, desk)
        try:
            given = await _read(request, desk.settings)
        except BodyRefused as error:
            refusals.info("a sign-in form was refused: %s", error)
            return PlainTextResponse(f"{error} Go back, load the page again, and try again.", error.status)
        return await _take(request, desk, given)

    async def ask_issuer(request: Request) -> Response:
        if not has_issuer(runtime().settings):
            return PlainTextResponse("Not here.", 404)
        return RedirectResponse(way_to_issuer(), 303, {"Cache-Control": "no-store"})

    return [Route(SIGN_IN, sign_in, methods=["GET", "POST"]), Route(ISSUER, ask_issuer, methods=["GET"])]


async def _show(request: Request, runtime: Runtime) -> Response:
    """The form, unless the issuer has just vouched for somebody."""
    onward = _next(request.query_params.get("next"))
    if not has_issuer(runtime.settings):
        return _form_page(request, runtime, onward, await anyio.to_thread.run_sync(_nobody_may, runtime))
    try:
        vouched = issued_identity(request, runtime.settings)
        if vouched is None:
            return _form_page(request, runtime, onward)
        email, once = vouched
        address, browser = _whence(request)
        answer = await _begin(
            request,
            runtime,
            onward,
            lambda: runtime.sign_ins.sign_in_issued(email, once, address=address, browser=browser),
        )
    except SignInRefused as error:
        answer = _form_page(request, runtime, onward, f"{error}.", status=401)
    forget_identity(request, answer)
    return answer


def _nobody_may(runtime: Runtime) -> str:
    """What to say where nobody can sign in yet. It happens to who comes to their own machine through a tunnel."""
    try:
        anybody = runtime.sign_ins.any_user()
    except (UpstoxError, SQLAlchemyError, OSError) as error:
        log.warning("the users cannot be read: %s", type(error).__name__)
        return "The desk cannot read who may sign in. Try again later."
    if anybody:
        return ""
    return "Nobody has a password yet. At the desk's own machine: python3 -m dashboard users add NAME"


async def _take(request: Request, runtime: Runtime, given: Mapping[str, str]) -> Response:
    before = cookie_value(request.scope, session_cookie(request.scope, runtime.settings))
    address, browser = _whence(request)

    def sign_in() -> NewSignIn:
        return runtime.sign_ins.sign_in(
            given["name"], given["password"], address=address, browser=browser, before=before or None
        )

    return await _begin(request, runtime, _next(given["next"]), sign_in)


def _whence(request: Request) -> tuple[str, str]:
    """The address of the connection, and what the browser calls itself."""
    browser = "".join(letter for letter in request.headers.get("user-agent", "") if letter.isprintable())[:120]
    return (request.client.host if request.client else ""), browser


async def _begin(request: Request, runtime: Runtime, onward: str, sign_in: Callable[[], NewSignIn]) -> Response:
    """Begin a sign-in on this browser in the place of what it had; or say why not."""
    scope = request.scope
    cookie = session_cookie(scope, runtime.settings)
    before = cookie_value(scope, cookie)

    def begin() -> NewSignIn:
        made = sign_in()
        if before and (old := runtime.sign_ins.look(before)) is not None:
            runtime.sign_ins.end(old.number, actor=old.actor(), why="signed in anew on this browser")
        return made

    try:
        made = await anyio.to_thread.run_sync(begin)
    except SignInPaused as error:
        wait = ceil(error.wait_seconds)
        words = f"Too many attempts. Try again in {duration(max(1.0, error.wait_seconds))}."
        return _form_page(request, runtime, onward, words, status=429, headers={"Retry-After": str(wait)})
    except SignInRefused as error:
        return _form_page(request, runtime, onward, f"{error}.", status=401)
    except (UpstoxError, SQLAlchemyError, OSError) as error:
        log.warning("nobody can sign in: %s", type(error).__name__)
        return _form_page(request, runtime, onward, "The desk cannot look who you are. Try again later.", status=503)
    answer = RedirectResponse(onward, 303, {"Cache-Control": "no-store"})
    put_cookie(answer, scope, runtime.settings, cookie, made.secret, KEPT_SECONDS)
    return answer


async def _read(request: Request, settings: Settings) -> dict[str, str]:
    """The fields of the form. Refuses what does not come from a form of this desk in this browser."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "same-origin")
    if origin is None or origin.partition("://")[2].lower() != request.headers.get("host", "").lower():
        raise BodyRefused(403, "This form came from another page.")
    if site != "same-origin":
        raise BodyRefused(403, "This form came from another page.")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _POST:
        raise BodyRefused(415, "This is not the form of this page.")
    try:
        pairs = parse_qsl(
            (await read_body(request, MOST_BYTES)).decode("utf-8"),
            keep_blank_values=True,
            max_num_fields=8,
            errors="strict",
        )
    except (UnicodeDecodeError, ValueError):
        raise BodyRefused(400, "This form cannot be read.") from None
    given = dict(pairs)
    if len(given) != len(pairs) or given.keys() != _FIELDS:
        raise BodyRefused(400, "This form cannot be read.")
    mark = cookie_value(request.scope, form_cookie(request.scope, settings))
    if not _FORM.fullmatch(mark) or not hmac.compare_digest(_sealed(mark, settings), given["form"].encode("utf-8")):
        raise BodyRefused(403, "This form is out of date.")
    return given


def _form_page(
    request: Request,
    runtime: Runtime,
    onward: str,
    trouble: str = "",
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    settings = runtime.settings
    cookie = form_cookie(request.scope, settings)
    mark = cookie_value(request.scope, cookie)
    if not _FORM.fullmatch(mark):
        mark = secrets.token_urlsafe(32)
    told = f'<p class="trouble" role="alert">{escape(trouble)}</p>' if trouble else ""
    other = ""
    if settings.oidc_metadata_url:
        issuer = urlsplit(settings.oidc_metadata_url).hostname or "the issuer"
        other = f'<p class="or">or</p><a href="{ISSUER}">Sign in by {escape(issuer)}</a>'
    inside = (
        f'{told}<form method="post" action="{SIGN_IN}">'
        f'<input type="hidden" name="form" value="{_sealed(mark, settings).decode()}">'
        f'<input type="hidden" name="next" value="{escape(onward)}">'
        '<label for="name">Name</label>'
        '<input id="name" name="name" autocomplete="username" maxlength="80" required autofocus spellcheck="false">'
        '<label for="password">Password</label>'
        '<input id="password" name="password" type="password" autocomplete="current-password" maxlength="256" required>'
        f"<div><button>Sign in</button></div></form>{other}"
    )
    # Without the referrer policy the browser would not tell where the form comes from.
    answer = plain_page("Sign in", inside, status=status, headers={"Referrer-Policy": "same-origin", **(headers or {})})
    put_cookie(answer, request.scope, settings, cookie, mark, FORM_SECONDS)
    return answer


def _sealed(mark: str, settings: Settings) -> bytes:
    return hmac.new(key_for("sign-in form", settings), mark.encode(), hashlib.sha256).hexdigest().encode()


def _next(wanted: str | None) -> str:
    """A page of this desk, whatever somebody wrote into the address."""
    return wanted if wanted and _NEXT.fullmatch(wanted) else "/"
