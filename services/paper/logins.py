"""The steps between "I want to log in" and a token: open dialogs, codes that work once, requests for approval.

Kept in memory on purpose: a login that was under way when the broker stopped has to be started again.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode, urlsplit, urlunsplit

DIALOG_SECONDS = 600.0
_MOST = 200

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Dialog:
    """What a login page was opened for."""

    client_id: str
    redirect_uri: str
    state: str | None


class Once(Generic[T]):
    """Things that can be taken once, under a name that cannot be guessed, for a limited time. Bounded: the oldest
    goes first."""

    def __init__(self, *, seconds: float, monotonic: Callable[[], float]) -> None:
        self._seconds = seconds
        self._monotonic = monotonic
        self._held: dict[str, tuple[float, T]] = {}

    def keep(self, thing: T) -> str:
        while len(self._held) >= _MOST:
            del self._held[next(iter(self._held))]
        name = secrets.token_urlsafe(18)
        self._held[name] = (self._monotonic() + self._seconds, thing)
        return name

    def take(self, name: str) -> T | None:
        until, thing = self._held.pop(name, (float("-inf"), None))
        return thing if until > self._monotonic() else None

    def waiting(self) -> dict[str, T]:
        now = self._monotonic()
        return {name: thing for name, (until, thing) in self._held.items() if until > now}


class Logins:
    """Open dialogs, unused codes and token requests of one broker."""

    def __init__(self, *, monotonic: Callable[[], float]) -> None:
        self.dialogs: Once[Dialog] = Once(seconds=DIALOG_SECONDS, monotonic=monotonic)
        self.codes: Once[Dialog] = Once(seconds=DIALOG_SECONDS, monotonic=monotonic)
        self.requests: Once[str] = Once(seconds=86_400, monotonic=monotonic)
        """Client ids that asked for a token and wait for a person's approval."""


def is_local_http(url: str) -> bool:
    """An http or https address on this machine, without fragment or user: nothing leaves the machine for it."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if parts.scheme not in {"http", "https"} or parts.fragment or parts.username is not None:
        return False
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def landing(dialog: Dialog, code: str) -> str:
    """Where the browser goes after the button: the redirect URI with `code`, and `state` as it came."""
    parts = urlsplit(dialog.redirect_uri)
    given = {"code": code} if dialog.state is None else {"code": code, "state": dialog.state}
    query = "&".join(piece for piece in (parts.query, urlencode(given)) if piece)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))
