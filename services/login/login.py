"""The life of the token: how it comes, how long it is good, and how it goes.

A token comes by the browser (login dialog, then a code that is exchanged once), by being pasted, by the phone (the
broker posts it to a notifier), or, in paper mode, from the paper broker itself. Nothing can refresh one: at 03:30 IST
it is over.
"""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock
from typing import Protocol
from urllib.parse import urlencode

from services.acting import acting_operator
from services.domain.accounts import Profile, Token, TokenKind
from services.domain.clock import IST, Clock, next_token_end
from services.domain.errors import (
    AccessDenied,
    ConfigurationError,
    ForeignToken,
    InvalidRequest,
    LoginRequired,
    TokenRejected,
    UpstoxError,
)
from services.login.app import PAPER_REDIRECT, App, registered_app
from services.login.dialog import Codes, SpentCode, States, mark
from services.logs import hide
from services.settings import UPSTOX_API, Mode, Settings
from services.wire.account import TokenGrant, TokenRequest, parse_token_notice
from services.wire.endpoints import LOGIN_DIALOG
from services.wire.tokens import PAPER_ISSUER, bearer_text, read_claims

EARLY_SECONDS = 300.0
"""A token counts as over five minutes before its end."""
DEFAULT_USER = "default"
READ_USER = "read-only"
"""Under this name the store keeps a pasted read-only token, beside the access token."""
_LONG_LIFE = timedelta(hours=36)
_LONGEST_CODE = 2048

log = logging.getLogger(__name__)


class Asking(Protocol):
    """What other processes of the desk asked for on the phone."""

    def tell(self, until: datetime | None, seconds: float) -> None: ...
    def until(self) -> datetime | None: ...


class TokenKeeper(Protocol):
    """Where tokens are kept between two starts."""

    def save(self, user_id: str, token: Token) -> None: ...
    def load(self, user_id: str) -> Token | None: ...
    def delete(self, user_id: str) -> None: ...
    def drop(self, user_id: str, secret: str) -> None: ...
    def mark_signed_out(self, user_id: str) -> None: ...
    def signed_out(self, user_id: str) -> bool: ...


class ExchangeCode(Protocol):
    """Turns an authorization code into a token, once."""

    def __call__(self, *, code: str, client_id: str, client_secret: str, redirect_uri: str) -> TokenGrant: ...


@dataclass(frozen=True, slots=True)
class TokenState:
    """What there is to show about the token. `kind` is `None` where a login is needed; `problem` says why."""

    kind: TokenKind | None
    user: str
    expires: datetime | None
    seconds_left: float
    problem: str | None


def read_token_text(secret: str, *, now: datetime) -> Token:
    """A token from its bare text. Its end is its own `exp` where it can be read, else the next 03:30 IST; one that
    lives longer than a day is a read-only (analytics) token. Registers the text with the log as a secret."""
    text = bearer_text(secret)
    hide(text)
    claims = read_claims(text)
    expires = claims.expires or next_token_end(now)
    kind = TokenKind.READ_ONLY if expires - now > _LONG_LIFE else TokenKind.ACCESS
    return Token(text, kind, claims.issued or now, expires, user_id=claims.user_id, issuer=claims.issuer)


class Login:
    """The tokens of this process. Safe to share between threads; no lock is held over the network or the store."""

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
        self._store = store
        self._exchange = exchange
        self._profile = profile
        self._clock = clock
        self._paper_token = paper_token
        self._base = base or self._configured_base
        self._request_token = request_token
        self._logout = logout
        self._write_down = write_down or (lambda what, about: None)
        self._asking = asking
        self._asked_until: datetime | None = None
        self._default_redirect = default_redirect
        self._states = States(nonce=nonce, monotonic=monotonic)
        self._codes = Codes()
        self._held: dict[str, Token] = {}
        self._refused: set[bytes] = set()
        self._problem = ""
        self._lock = Lock()  # guards the three above

    # -- which token ---------------------------------------------------------------------------------------------

    def token(self, writes: bool = False, *, user_id: str = DEFAULT_USER) -> Token:
        """A token that is good for five more minutes. The read-only one serves reads where there is no other, never a
        write. Raises `LoginRequired` with the login URL."""
        found = self._access_token(user_id)
        if writes and found is not None and found.kind is not TokenKind.ACCESS:
            found = None
        if found is None and not writes:
            found = self._read_token()
        if found is None:
            raise LoginRequired(self._why(), login_url=self._url_if_possible())
        return found

    def state(self, *, user_id: str = DEFAULT_USER) -> TokenState:
        """The token's state for the screen. Never raises: what is wrong is its `problem`."""
        try:
            token = self.token(user_id=user_id)
        except UpstoxError as error:
            return TokenState(None, "", None, 0.0, str(error))
        return TokenState(
            token.kind,
            token.user_name or token.user_id,
            token.expires,
            token.seconds_left(self._clock),
            self._problem or None,
        )

    def rejected(self, secret: str, *, verify: Callable[[str], bool] | None = None) -> None:
        """The broker answered 401 to `secret`: drop it, once. With `verify` (for order calls, where a 401 can have
        other causes: a changed static IP, an inactive app) only if that says that the token works no more."""
        if verify is not None and verify(secret):
            self._problem = "the broker refused an order call with 401, though the token still works for reads"
            log.warning("token kept: %s", self._problem)
            return
        refused = mark(secret)
        with self._lock:
            if refused in self._refused:
                return
            self._refused.add(refused)
            users = [user for user, token in self._held.items() if token.secret == secret]
            for user in users:
                del self._held[user]
            self._problem = "the broker refused the token"
        for user in {*users, DEFAULT_USER, READ_USER}:
            self._store.drop(user, secret)
        log.warning("token dropped: the broker refused it")

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
        if not first and self._held.get(DEFAULT_USER) != token:
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
        self._refuse_foreign(token)
        if token.seconds_left(self._clock) <= EARLY_SECONDS:
            raise InvalidRequest(f"this token ended, or ends, at {_ist(token.expires)}")
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
        if self._request_token is None:
            raise ConfigurationError("this desk cannot ask for a token on the phone")
        app = self._app(None)
        request = self._request_token(app.client_id, app.client_secret)
        self._asked_until = request.expires
        if self._asking is not None:
            self._asking.tell(request.expires, (request.expires - self._clock.now()).total_seconds())
        return request

    def awaits_notice(self) -> bool:
        """Did a process of this desk ask on the phone, and may the answer still come? Nothing waits for it."""
        until = self._asked_until or (None if self._asking is None else self._asking.until())
        return until is not None and self._clock.now() < until

    def accept_notice(self, body: object) -> Token:
        """Keep a token that the broker posted to the notifier address. The notice is not signed, so it must name our
        app, and a profile call must confirm the token."""
        notice = parse_token_notice(body)
        if not hmac.compare_digest(notice.client_id.encode(), self._app(None).client_id.encode()):
            hide(notice.access_token)
            raise InvalidRequest("this notice is for another app")
        token = self._accept(notice.access_token)
        self._asked_until = None
        if self._asking is not None:
            self._asking.tell(None, 0.0)
        return token

    def read(self, secret: str) -> Token:
        """A token from its bare text, as of now. Neither checked nor kept."""
        return read_token_text(secret, now=self._clock.now())

    # -- keeping and leaving -----------------------------------------------------------------------------------------

    def save(self, user_id: str, token: Token) -> None:
        """Keep `token` for `user_id` from now on."""
        self._refuse_foreign(token)
        self._store.save(user_id, token)
        with self._lock:
            self._held[user_id] = token
            self._refused.discard(mark(token.secret))
            self._problem = ""
        log.info("token kept for %s until %s", user_id, _ist(token.expires))
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
        self._store.delete(user_id)
        if user_id == DEFAULT_USER:
            self._store.delete(READ_USER)
        self._store.mark_signed_out(user_id)
        with self._lock:
            self._held.pop(user_id, None)
            if user_id == DEFAULT_USER:
                self._held.pop(READ_USER, None)
            self._problem = ""
        self._write_down("broker token forgotten", user_id[:200])

    @staticmethod
    def _allow() -> None:
        """With which account the desk trades is for operators to say."""
        acting_operator("log the desk in or out at the broker")

    # -- inside ------------------------------------------------------------------------------------------------------

    def _access_token(self, user_id: str) -> Token | None:
        held = self._held.get(user_id)
        if held is None or not self._usable(held):
            held = self._stored(user_id) or self._from_paper_broker(user_id)
        return held

    def _stored(self, user_id: str) -> Token | None:
        stored = self._store.load(user_id)
        if stored is None:
            return None
        hide(stored.secret)
        self._refuse_foreign(stored)
        if not self._usable(stored):
            return None
        self._hold(user_id, stored)
        return stored

    def _from_paper_broker(self, user_id: str) -> Token | None:
        """The paper broker's own token, unless the person signed out. It renews itself, so no five minutes early."""
        if self._paper_token is None or user_id != DEFAULT_USER or self._store.signed_out(user_id):
            return None
        token = self._paper_token()
        if token is None:
            return None
        self._refuse_foreign(token)
        if not self._usable(token, early=0.0):
            return None
        self._hold(user_id, token)
        return token

    def _read_token(self) -> Token | None:
        """The read-only token, pasted or configured. In paper mode a real one is not ours to send to a paper broker."""
        held = self._held.get(READ_USER)
        if held is not None and self._usable(held):
            return held
        given = self._settings.read_token
        try:
            configured = None if given is None else self.read(given.get_secret_value())
        except InvalidRequest as error:
            raise ConfigurationError(f"DESK_READ_TOKEN: {error}") from error
        for token in (self._store.load(READ_USER), configured):
            if token is not None and self._usable(token) and not self._is_foreign(token):
                hide(token.secret)
                token = replace(token, kind=TokenKind.READ_ONLY)
                self._hold(READ_USER, token)
                return token
        return None

    def _hold(self, user_id: str, token: Token) -> None:
        with self._lock:
            self._held[user_id] = token
            self._problem = ""

    def _usable(self, token: Token, *, early: float = EARLY_SECONDS) -> bool:
        return token.seconds_left(self._clock) > early and (
            not self._refused or mark(token.secret) not in self._refused
        )

    def _has_access_token(self, user_id: str) -> bool:
        try:
            return self._access_token(user_id) is not None
        except ConfigurationError:
            return False

    def _is_foreign(self, token: Token) -> bool:
        paper = self._settings.mode is Mode.PAPER or self._settings.live_rehearsal
        return paper != (token.issuer == PAPER_ISSUER)

    def _refuse_foreign(self, token: Token) -> None:
        """Paper processes and rehearsals hold tokens of paper brokers only, live ones none of those."""
        if not self._is_foreign(token):
            return
        if self._settings.mode is Mode.LIVE and not self._settings.live_rehearsal:
            raise ForeignToken("this token is a paper broker's; a live desk has no use for it")
        what = "a rehearsal" if self._settings.live_rehearsal else "a paper desk"
        raise ForeignToken(f"this token was not made by a paper broker; {what} holds no other")

    def _app(self, redirect_uri: str | None) -> App:
        return registered_app(self._settings, redirect_uri=redirect_uri, default_redirect=self._default_redirect)

    def _configured_base(self) -> str:
        if self._settings.api_base is not None:
            return self._settings.api_base
        if self._settings.mode is Mode.LIVE:
            return UPSTOX_API
        raise ConfigurationError("the paper broker's address is not known: set DESK_API_BASE")

    def _why(self) -> str:
        return f"{self._problem}: log in again" if self._problem else "there is no valid token: log in"

    def _url_if_possible(self) -> str | None:
        try:
            return self.authorization_url()
        except ConfigurationError as error:
            log.info("no login URL: %s", error)
            return None


def _ist(instant: datetime) -> str:
    return f"{instant.astimezone(IST):%d %b %Y, %H:%M IST}"
