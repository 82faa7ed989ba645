"""How a token comes, and how it goes. Which one is good for what: `services.login.held`.

A token comes by the browser (login dialog, then a code that is exchanged once), by being pasted, by the phone (the
broker posts it to a notifier), or, in paper mode, from the paper broker itself. Nothing can refresh one: at 03:30 IST
it is over.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol
from urllib.parse import urlencode

from services.acting import acting_operator
from services.domain.accounts import Profile, Token, TokenKind
from services.domain.clock import Clock
from services.domain.errors import (
    AccessDenied,
    ConfigurationError,
    InvalidRequest,
    LoginRequired,
    TokenRejected,
    UpstoxError,
)
from services.login.app import PAPER_REDIRECT, App, registered_app
from services.login.dialog import Codes, SpentCode, States
from services.login.held import (
    DEFAULT_USER,
    EARLY_SECONDS,
    READ_USER,
    HeldTokens,
    TokenKeeper,
    TokenState,
    in_india,
    read_token_text,
)
from services.login.phone import Asking, Phone
from services.logs import hide
from services.settings import UPSTOX_API, Mode, Settings
from services.wire.account import TokenGrant, TokenRequest
from services.wire.endpoints import LOGIN_DIALOG

_LONGEST_CODE = 2048

log = logging.getLogger(__name__)


class ExchangeCode(Protocol):
    """Turns an authorization code into a token, once."""

    def __call__(self, *, code: str, client_id: str, client_secret: str, redirect_uri: str) -> TokenGrant: ...


class Login:
    """Who is logged in at the broker. Safe to share between threads; no lock is held over the network or the store."""

    def __init__(
        self,
        *,
        settings: Settings,
        store: TokenKeeper,
        exchange: ExchangeCode,
        profile: Callable[[str], Profile],
        clock: Clock,
        nonce: Callable[[], str],
        paper_token: Callable[[], Token | None] | None = None,
        base: Callable[[], str] | None = None,
        request_token: Callable[[str, str], TokenRequest] | None = None,
        logout: Callable[[], None] | None = None,
        write_down: Callable[[str, str], None] | None = None,
        asking: Asking | None = None,
        default_redirect: str = PAPER_REDIRECT,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`base()` is the broker's address for the dialog (default: the settings'); `paper_token()` the token that a
        paper broker hands out; `logout()` revokes the current token at the broker; `write_down(what, about)` keeps
        what was done in the audit."""
        self._settings = settings
        self._tokens = HeldTokens(
            settings=settings, store=store, clock=clock, paper_token=paper_token, monotonic=monotonic
        )
        self._exchange = exchange
        self._profile = profile
        self._clock = clock
        self._base = base or self._configured_base
        self._logout = logout
        self._write_down = write_down or (lambda what, about: None)
        self._default_redirect = default_redirect
        self._states = States(nonce=nonce, monotonic=monotonic)
        self._codes = Codes()
        self._phone = Phone(
            app=lambda: self._app(None), accept=self._accept, request_token=request_token, asking=asking, clock=clock
        )

    # -- which token ---------------------------------------------------------------------------------------------

    def token(self, writes: bool = False, *, user_id: str = DEFAULT_USER) -> Token:
        """A token that is good for five more minutes. The read-only one serves reads where there is no other, never a
        write. Raises `LoginRequired` with the login URL."""
        found = self._tokens.find(writes, user_id)
        if found is None:
            raise LoginRequired(self._why(), login_url=self._url_if_possible())
        return found

    def state(self, *, user_id: str = DEFAULT_USER) -> TokenState:
        """The token's state for the screen. Never raises: what is wrong is its `problem`. Looks now and then whether
        somebody signed out in another process."""
        self._tokens.look_whether_signed_out(user_id)
        try:
            token = self.token(user_id=user_id)
        except UpstoxError as error:
            return TokenState(None, "", None, 0.0, str(error))
        return TokenState(
            token.kind,
            token.user_name or token.user_id,
            token.expires,
            token.seconds_left(self._clock),
            self._tokens.problem or None,
        )

    def rejected(self, secret: str, *, verify: Callable[[str], bool] | None = None) -> None:
        """The broker answered 401 to `secret`: drop it, once. With `verify` (for order calls, where a 401 can have
        other causes: a changed static IP, an inactive app) only if that says that the token works no more."""
        if verify is not None and verify(secret):
            self._tokens.doubt("the broker refused an order call with 401, though the token still works for reads")
        else:
            self._tokens.rejected(secret)

    def still_works(self, secret: str) -> bool:
        """Does a profile call with `secret` succeed? Only a clear refusal counts as no."""
        try:
            self._profile(secret)
        except TokenRejected:
            return False
        except UpstoxError as error:
            log.info("the token could not be verified: %s", error)
        return True

    # -- by the browser ------------------------------------------------------------------------------------------

    def authorization_url(self, redirect_uri: str | None = None) -> str:
        """Where the person logs in. Carries a fresh random state, good for one login within ten minutes.

        `redirect_uri` may name another way back in paper mode; a real app has one that is registered.
        """
        app = self._app(redirect_uri)
        state = self._states.open(app.redirect_uri)
        query = {
            "response_type": "code",
            "client_id": app.client_id,
            "redirect_uri": app.redirect_uri,
            "state": state,
        }
        return f"{self._base()}{LOGIN_DIALOG.path}?{urlencode(query)}"

    def complete(self, code: str, state: str) -> Token:
        """The token for the code that the browser came back with. A second run of the same page gets the first run's
        result: the code is sent once, whatever comes of it. Raises `LoginRequired` for a state that is not ours, used,
        or older than ten minutes."""
        self._allow()
        return self._once(code, state, lambda clean: self._exchanged(clean, self._redirect_of(state)))

    def complete_typed(self, code: str) -> Token:
        """The token for a code that the person copied out of the browser's address line, without its state."""
        self._allow()
        return self._once(code, "", lambda clean: self._exchanged(clean, None))

    def _once(self, code: str, state: str, exchange: Callable[[str], Token]) -> Token:
        clean = code.strip()
        if not clean or len(clean) > _LONGEST_CODE:
            raise InvalidRequest("there is no authorization code")
        hide(clean)
        try:
            token, first = self._codes.run(clean, state, lambda: exchange(clean))
        except SpentCode as error:
            raise LoginRequired(str(error), login_url=self._url_if_possible()) from error
        if not first and not self._tokens.is_held(DEFAULT_USER, token):
            raise LoginRequired("this authorization code was used already", login_url=self._url_if_possible())
        return token

    def _redirect_of(self, state: str) -> str:
        """Where the login with this state comes back to; the token call has to name the same address."""
        redirect = self._states.take(state)
        if redirect is None:
            raise LoginRequired(
                "this login was not started here, was used already, or took longer than ten minutes",
                login_url=self._url_if_possible(),
            )
        return redirect

    def _exchanged(self, code: str, redirect_uri: str | None) -> Token:
        app = self._app(redirect_uri)
        grant = self._exchange(
            code=code, client_id=app.client_id, client_secret=app.client_secret, redirect_uri=app.redirect_uri
        )
        if grant.extended_token:
            hide(grant.extended_token)
        token = replace(self.read(grant.access_token), kind=TokenKind.ACCESS, user_name=grant.user_name)
        token = replace(token, user_id=grant.user_id or token.user_id)
        self.save(DEFAULT_USER, token)
        return token

    # -- by pasting, by phone --------------------------------------------------------------------------------------

    def accept_pasted(self, secret: str) -> Token:
        """Keep a token that a person pasted, after the broker has confirmed it with a profile call. Raises
        `ForeignToken` for one of another mode, `TokenRejected` if the broker refuses it."""
        self._allow()
        return self._accept(secret)

    def _accept(self, secret: str) -> Token:
        token = self.read(secret)
        self._tokens.refuse_foreign(token)
        if token.seconds_left(self._clock) <= EARLY_SECONDS:
            raise InvalidRequest(f"this token ended, or ends, at {in_india(token.expires)}")
        try:
            person = self._profile(token.secret)
            token = replace(token, user_id=person.user_id or token.user_id, user_name=person.user_name)
        except AccessDenied:
            # User calls of a read-only token need a registered address; the token itself may be good.
            if token.kind is not TokenKind.READ_ONLY:
                raise
        self.save(DEFAULT_USER if token.kind is TokenKind.ACCESS else READ_USER, token)
        return token

    def request_on_phone(self) -> TokenRequest:
        """Ask the person on the phone for today's token. After consent the broker posts it to the app's notifier
        address: hand that to `accept_notice`. Nothing comes if the person says no."""
        self._allow()
        return self._phone.request()

    def awaits_notice(self) -> bool:
        """Did a process of this desk ask on the phone, and may the answer still come? Nothing waits for it."""
        return self._phone.awaits_notice()

    def accept_notice(self, body: object) -> Token:
        """Keep a token that the broker posted to the notifier address: after it has confirmed it with a profile
        call."""
        return self._phone.accept_notice(body)

    def read(self, secret: str) -> Token:
        """A token from its bare text, as of now. Neither checked nor kept."""
        return read_token_text(secret, now=self._clock.now())

    # -- keeping and leaving -----------------------------------------------------------------------------------------

    def save(self, user_id: str, token: Token) -> None:
        """Keep `token` for `user_id` from now on."""
        self._tokens.save(user_id, token)
        self._write_down("broker token kept", f"{token.kind.value} token of {token.user_id or 'unknown'}"[:200])

    def sign_out(self, *, user_id: str = DEFAULT_USER) -> None:
        """Forget the tokens of `user_id` and revoke the access token at the broker. If the broker cannot be reached the
        token is forgotten all the same; it dies at 03:30 IST."""
        self._allow()
        if self._logout is not None and user_id == DEFAULT_USER and self._has_access_token(user_id):
            try:
                self._logout()
            except UpstoxError as error:
                log.warning("the token was forgotten, but could not be revoked at the broker: %s", error)
        self._tokens.forget(user_id)
        self._write_down("broker token forgotten", user_id[:200])

    @staticmethod
    def _allow() -> None:
        """With which account the desk trades is for operators to say."""
        acting_operator("log the desk in or out at the broker")

    # -- inside ------------------------------------------------------------------------------------------------------

    def _has_access_token(self, user_id: str) -> bool:
        try:
            return self._tokens.access(user_id) is not None
        except ConfigurationError:
            return False

    def _app(self, redirect_uri: str | None) -> App:
        return registered_app(self._settings, redirect_uri=redirect_uri, default_redirect=self._default_redirect)

    def _configured_base(self) -> str:
        if self._settings.api_base is not None:
            return self._settings.api_base
        if self._settings.mode is Mode.LIVE:
            return UPSTOX_API
        raise ConfigurationError("the paper broker's address is not known: set DESK_API_BASE")

    def _why(self) -> str:
        return f"{self._tokens.problem}: log in again" if self._tokens.problem else "there is no valid token: log in"

    def _url_if_possible(self) -> str | None:
        try:
            return self.authorization_url()
        except ConfigurationError as error:
            log.info("no login URL: %s", error)
            return None
