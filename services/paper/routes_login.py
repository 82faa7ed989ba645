"""Login: the dialog with its one button, the code exchange, and the access-token request with its approval."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import parse_qsl

import requests
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.domain.clock import epoch_ms, next_token_end
from services.domain.errors import BrokerError
from services.paper.broker import Broker, Handlers
from services.paper.envelope import failure, read_body, read_object, refusal, send_json, success
from services.paper.logins import Dialog, is_local_http, landing
from services.paper.pages import one_button, page, paragraph, shown_token
from services.paper.routes_account import person, refuse_foreign_page
from services.wire.endpoints import LOGIN_DIALOG

APPROVALS = "/_paper/token-requests"
_TITLE = "Paper broker: log in"
_NOTIFY_SECONDS = 5.0
_TOKEN_FIELDS = ("code", "client_id", "client_secret", "redirect_uri", "grant_type")


async def dialog(broker: Broker, request: Request) -> Response:
    """GET: the page. POST: its button was pressed, so the browser goes back with a code."""
    if request.method == "POST":
        refuse_foreign_page(request)
        opened = broker.logins.dialogs.take((await _form(request)).get("dialog", ""))
        if opened is None:
            return page(request, _TITLE, paragraph("This page has expired. Start the login again."), status=400)
        code = broker.logins.codes.keep(opened)
        return RedirectResponse(landing(opened, code), 302, {"Cache-Control": "no-store"})
    try:
        opened = _opened(broker, request.query_params)
    except BrokerError as refused:
        if "text/html" in request.headers.get("accept", ""):
            return page(request, _TITLE, paragraph(f"{refused.plain} ({refused.code})."), status=refused.status)
        return failure(request, refused)
    name = broker.accounts.account().user_name
    content = paragraph(
        f"The app “{opened.client_id}” asks to use the paper account of {name}. No real money is involved."
    ) + one_button(LOGIN_DIALOG.path, {"dialog": broker.logins.dialogs.keep(opened)}, f"Log in as {name}")
    return page(request, _TITLE, content)


async def token(broker: Broker, request: Request) -> Response:
    """Code for token. The answer is flat, without envelope; the code is spent by any attempt to use it.

    The secret of an app that is not known yet is remembered here, where a person has pressed the button for that app.
    """
    refuse_foreign_page(request)
    form = await _form(request)
    opened = broker.logins.codes.take(form.get("code", ""))
    for name in _TOKEN_FIELDS:
        if not form.get(name):
            raise refusal("UDAPI100036", property_path=name, message=f"{name} is required")
    if form["grant_type"] != "authorization_code":
        raise refusal("UDAPI100036", property_path="grant_type", invalid_value=form["grant_type"])
    agreed = opened is not None and (opened.client_id, opened.redirect_uri) == (form["client_id"], form["redirect_uri"])
    if not broker.accounts.opens(form["client_id"], form["client_secret"], remember=agreed):
        raise refusal("UDAPI100069")
    if opened is None or opened.client_id != form["client_id"]:
        raise refusal("UDAPI100057")
    if opened.redirect_uri != form["redirect_uri"]:
        raise refusal("UDAPI100070")
    account = broker.accounts.account()
    secret, _ = broker.tokens.issue(account.user_id)
    return send_json(request, person(account) | {"access_token": secret, "extended_token": None})


async def token_request(broker: Broker, request: Request) -> Response:
    """An app asks for a token; a person approves on the page `/_paper/token-requests`."""
    refuse_foreign_page(request)
    client_id = request.path_params["client_id"]
    secret = (await read_object(request)).get("client_secret")
    if not isinstance(secret, str) or not secret:
        raise refusal("UDAPI100036", property_path="client_secret", message="client_secret is required")
    if not broker.accounts.opens(client_id, secret):
        raise refusal("UDAPI100069")
    broker.logins.requests.keep(client_id)
    expiry = epoch_ms(next_token_end(broker.clock.now()))
    return success(request, {"authorization_expiry": str(expiry), "notifier_url": broker.notifier_url})


async def approvals(broker: Broker, request: Request) -> Response:
    """GET: the waiting token requests. POST: approve one; the token goes to the notifier, or is shown to be pasted."""
    title = "Paper broker: token requests"
    if request.method == "GET":
        waiting = broker.logins.requests.waiting()
        forms = [
            paragraph(f"The app “{client_id}” asks for a token.") + one_button(APPROVALS, {"request": name}, "Approve")
            for name, client_id in waiting.items()
        ]
        return page(request, title, "".join(forms) or paragraph("No app is asking for a token."))
    refuse_foreign_page(request)
    asked_by = broker.logins.requests.take((await _form(request)).get("request", ""))
    if asked_by is None:
        return page(request, title, paragraph("This request is no longer waiting."), status=400)
    user_id = broker.accounts.account().user_id
    secret, claims = broker.tokens.issue(user_id)
    if not broker.notifier_url:
        told = paragraph("No notifier is set up. Paste this token on the desk's account page:") + shown_token(secret)
        return page(request, title, told)
    message = {
        "client_id": asked_by,
        "user_id": user_id,
        "access_token": secret,
        "token_type": "Bearer",
        "expires_at": str(epoch_ms(claims.expires)),
        "issued_at": str(epoch_ms(broker.clock.now())),
        "message_type": "access_token",
    }
    problem = await asyncio.to_thread(_notify, broker.notifier_url, message)
    told = paragraph("Approved and delivered." if problem is None else f"Approved, but not delivered: {problem}.")
    return page(request, title, told, status=200 if problem is None else 502)


HANDLERS: Handlers = {("token", "v2"): token, ("token_request", "v3"): token_request}


def _opened(broker: Broker, query: Mapping[str, str]) -> Dialog:
    """What the dialog was opened for, checked."""
    if query.get("response_type") != "code":
        raise refusal("UDAPI100036", property_path="response_type", message="response_type must be code")
    client_id, redirect_uri = query.get("client_id", ""), query.get("redirect_uri", "")
    if not broker.accounts.knows_app(client_id):
        raise refusal("UDAPI100068", property_path="client_id")
    if not is_local_http(redirect_uri):
        raise refusal(
            "UDAPI100068",
            property_path="redirect_uri",
            message="The paper broker redirects to this machine only (http://127.0.0.1:…); check your 'redirect_uri'",
        )
    return Dialog(client_id, redirect_uri, query.get("state"))


async def _form(request: Request) -> dict[str, str]:
    try:
        return dict(parse_qsl((await read_body(request)).decode(), keep_blank_values=True))
    except ValueError:
        raise refusal("UDAPI100038", message="The request body is not a form") from None


def _notify(url: str, message: Mapping[str, str]) -> str | None:
    """Deliver as Upstox does, once; what went wrong, in words."""
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(url, json=message, timeout=_NOTIFY_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        return f"the notifier cannot be reached ({type(error).__name__})"
    return None if 200 <= answer.status_code < 300 else f"the notifier answered {answer.status_code}"
