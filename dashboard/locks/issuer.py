"""Signing in by an OpenID Connect issuer: Streamlit's own login does the talking, and what it found out is exchanged at
once for a sign-in of the desk, which can be ended here."""

from __future__ import annotations

import importlib.util
import json
import logging
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from streamlit.auth_util import encode_provider_token, get_cookie_with_chunks
from streamlit.runtime.secrets import secrets_singleton
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import TOKENS_COOKIE_NAME, USER_COOKIE_NAME

from dashboard.sealing_keys import key_for
from services.domain.errors import SignInRefused
from services.settings import Settings

FRESH_MINUTES = 10
"""So long after the issuer's word the exchange may come."""

log = logging.getLogger(__name__)


def has_issuer(settings: Settings) -> bool:
    """May persons sign in by an issuer?"""
    return settings.oidc_metadata_url is not None


def can_ask_issuer() -> bool:
    """Are the packages there that Streamlit's login needs?"""
    return importlib.util.find_spec("authlib") is not None and importlib.util.find_spec("httpx") is not None


def set_up_issuer(settings: Settings) -> None:
    """Tell Streamlit's login of the issuer, in memory; nothing of it lies in a file."""
    if not has_issuer(settings) or settings.oidc_client_secret is None:
        return
    secrets_singleton.merge_programmatic_secrets(
        {
            "auth": {
                "redirect_uri": f"{settings.public_url}/oauth2callback",
                "cookie_secret": key_for("issuer's cookie", settings).hex(),
                "client_id": settings.oidc_client_id or "",
                "client_secret": settings.oidc_client_secret.get_secret_value(),
                "server_metadata_url": settings.oidc_metadata_url or "",
            }
        }
    )


def way_to_issuer() -> str:
    """The address of Streamlit's login, with the short-lived mark that it asks for."""
    return f"/auth/login?provider={encode_provider_token('default')}"


def issued_identity(request: Request, settings: Settings) -> tuple[str, str] | None:
    """Whom the issuer has just vouched for, and a mark of that which comes once only; `None`: nobody. Raises
    `SignInRefused` for somebody who is not vouched for well enough."""
    cookie_secret = get_cookie_secret()

    def opened(name: str) -> bytes | None:
        value = request.cookies.get(name)
        days = FRESH_MINUTES / (24 * 60)
        return None if value is None else decode_signed_value(cookie_secret, name, value, max_age_days=days)

    try:
        raw = get_cookie_with_chunks(opened, USER_COOKIE_NAME)
        told: dict[str, Any] = json.loads(raw) if raw else {}
    except (ValueError, TypeError, KeyError) as error:
        log.warning("what the issuer's login left cannot be read: %s", type(error).__name__)
        return None
    if not told or told.get("origin") != settings.public_url:
        return None
    email, nonce = told.get("email"), told.get("nonce")
    if not isinstance(email, str) or told.get("email_verified") is not True:
        raise SignInRefused("The issuer does not vouch for an e-mail address")
    if not isinstance(nonce, str) or not nonce:
        raise SignInRefused("The issuer's word bears no mark that makes it single")
    return email, f"{told.get('iss')} {told.get('sub')} {nonce}"


def forget_identity(request: Request, answer: Response) -> None:
    """Take what Streamlit's login left in the browser away: it has been exchanged, or is of no use."""
    for name in request.cookies:
        if name.startswith((USER_COOKIE_NAME, TOKENS_COOKIE_NAME)):
            answer.delete_cookie(name, path="/", httponly=True, samesite="lax")
