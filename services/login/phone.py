"""A token by the phone: the person says yes there, and the broker posts it to the app's notifier address."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from services.domain.accounts import Token
from services.domain.clock import Clock
from services.domain.errors import ConfigurationError, InvalidRequest
from services.login.app import App
from services.logs import hide
from services.wire.account import TokenRequest, parse_token_notice


class Asking(Protocol):
    """What other processes of the desk asked for on the phone."""

    def tell(self, until: datetime | None, seconds: float) -> None: ...
    def until(self) -> datetime | None: ...


class Phone:
    """Any thread."""

    def __init__(
        self,
        *,
        app: Callable[[], App],
        accept: Callable[[str], Token],
        request_token: Callable[[str, str], TokenRequest] | None,
        asking: Asking | None,
        clock: Clock,
    ) -> None:
        """`accept(secret)` has the broker confirm it, and keeps it; `request_token(id, secret)` asks with the app's."""
        self._app = app
        self._accept = accept
        self._request_token = request_token
        self._asking = asking
        self._clock = clock
        self._asked_until: datetime | None = None

    def request(self) -> TokenRequest:
        """Ask the person on the phone for today's token. Nothing comes if the person says no."""
        if self._request_token is None:
            raise ConfigurationError("this desk cannot ask for a token on the phone")
        app = self._app()
        request = self._request_token(app.client_id, app.client_secret)
        self._asked_until = request.expires
        if self._asking is not None:
            self._asking.tell(request.expires, (request.expires - self._clock.now()).total_seconds())
        return request

    def awaits_notice(self) -> bool:
        """Did a process of this desk ask, and may the answer still come? Nothing waits for it."""
        until = self._asked_until or (None if self._asking is None else self._asking.until())
        return until is not None and self._clock.now() < until

    def accept_notice(self, body: object) -> Token:
        """Keep a token that the broker posted. The notice is not signed, so it must name our app, and the broker must
        confirm the token."""
        notice = parse_token_notice(body)
        if not hmac.compare_digest(notice.client_id.encode(), self._app().client_id.encode()):
            hide(notice.access_token)
            raise InvalidRequest("this notice is for another app")
        token = self._accept(notice.access_token)
        self._asked_until = None
        if self._asking is not None:
            self._asking.tell(None, 0.0)
        return token
