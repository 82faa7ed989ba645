"""The app that asks for the token, as it is registered with the broker."""

from __future__ import annotations

from dataclasses import dataclass

from services.domain.errors import ConfigurationError
from services.settings import Mode, Settings

PAPER_CLIENT = "paper-desk"
PAPER_SECRET = "paper-secret"  # noqa: S105  # every paper broker's own; it opens nothing else
PAPER_REDIRECT = "http://127.0.0.1:8501/login/callback"


@dataclass(frozen=True, slots=True, repr=False)
class App:
    """Who asks for the token, and where the browser comes back to (byte by byte as registered)."""

    client_id: str
    client_secret: str
    redirect_uri: str


def registered_app(settings: Settings, *, redirect_uri: str | None, default_redirect: str = PAPER_REDIRECT) -> App:
    """The app of the settings. In paper mode what is missing has a default, and `redirect_uri` may name another way
    back; a real app has one that is registered. `ConfigurationError` names the variables to set."""
    secret = None if settings.client_secret is None else settings.client_secret.get_secret_value()
    if settings.mode is Mode.PAPER:
        return App(
            settings.client_id or PAPER_CLIENT,
            secret or PAPER_SECRET,
            redirect_uri or settings.redirect_uri or default_redirect,
        )
    if settings.client_id and secret and settings.redirect_uri:
        return App(settings.client_id, secret, settings.redirect_uri)
    needed = {
        "UPSTOX_CLIENT_ID": settings.client_id,
        "UPSTOX_CLIENT_SECRET": secret,
        "UPSTOX_REDIRECT_URI": settings.redirect_uri,
    }
    missing = ", ".join(name for name, value in needed.items() if not value)
    raise ConfigurationError(f"logging in needs the app's registration: set {missing} (or paste a token)")
