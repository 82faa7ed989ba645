"""The tokens of this process: which one is good for what, where it is kept, and when it is one no more."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock
from typing import Protocol

from services.domain.accounts import Token, TokenKind
from services.domain.clock import IST, Clock, next_token_end
from services.domain.errors import ConfigurationError, ForeignToken, InvalidRequest, UpstoxError
from services.login.dialog import mark
from services.logs import hide
from services.settings import Mode, Settings
from services.wire.tokens import PAPER_ISSUER, bearer_text, read_claims

EARLY_SECONDS = 300.0
"""A token counts as over five minutes before its end."""
DEFAULT_USER = "default"
READ_USER = "read-only"
"""Under this name the store keeps a pasted read-only token, beside the access token."""
LOOK_SECONDS, LOOK_AGAIN_SECONDS = 2.0, 15.0
"""Between two looks whether another process has signed out; after one that the store refused."""
_LONG_LIFE = timedelta(hours=36)

log = logging.getLogger(__name__)


class TokenKeeper(Protocol):
    """Where tokens are kept between two starts."""

    def save(self, user_id: str, token: Token) -> None: ...
    def load(self, user_id: str) -> Token | None: ...
    def delete(self, user_id: str) -> None: ...
    def drop(self, user_id: str, secret: str) -> None: ...
    def mark_signed_out(self, user_id: str) -> None: ...
    def signed_out(self, user_id: str) -> bool: ...


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


class HeldTokens:
    """Safe to share between threads; no lock is held over the network or the store."""

    def __init__(
        self,
        *,
        settings: Settings,
        store: TokenKeeper,
        clock: Clock,
        paper_token: Callable[[], Token | None] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`paper_token()`: the token that a paper broker hands out."""
        self._settings = settings
        self._store = store
        self._clock = clock
        self._paper_token = paper_token
        self._monotonic = monotonic
        self._held: dict[str, Token] = {}
        self._refused: set[bytes] = set()
        self._problem = ""
        self._look_at = float("-inf")
        self._lock = Lock()  # guards the four above

    # -- which token ---------------------------------------------------------------------------------------------

    @property
    def problem(self) -> str:
        """What is wrong with the token, though there may be one."""
        return self._problem

    def find(self, writes: bool, user_id: str) -> Token | None:
        """A token that is good for five more minutes. The read-only one serves reads where there is no other, never a
        write."""
        found = self.access(user_id)
        if writes and found is not None and found.kind is not TokenKind.ACCESS:
            found = None
        return self._read_token() if found is None and not writes else found

    def access(self, user_id: str) -> Token | None:
        """The person's own token, from memory, from the store, or from the paper broker."""
        held = self._held.get(user_id)
        if held is None or not self._usable(held):
            held = self._stored(user_id) or self._from_paper_broker(user_id)
        return held

    def is_held(self, user_id: str, token: Token) -> bool:
        """Is it that one that is held?"""
        return self._held.get(user_id) == token

    # -- how they come and go ------------------------------------------------------------------------------------

    def save(self, user_id: str, token: Token) -> None:
        """Keep `token` for `user_id` from now on."""
        self.refuse_foreign(token)
        self._store.save(user_id, token)
        with self._lock:
            self._held[user_id] = token
            self._refused.discard(mark(token.secret))
            self._problem = ""
        log.info("token kept for %s until %s", user_id, in_india(token.expires))

    def forget(self, user_id: str) -> None:
        """`user_id` signed out: also after a new start, and in every other process that shares the store."""
        self._store.delete(user_id)
        if user_id == DEFAULT_USER:
            self._store.delete(READ_USER)
        self._store.mark_signed_out(user_id)
        with self._lock:
            self._drop(user_id)

    def look_whether_signed_out(self, user_id: str) -> None:
        """Somebody may have signed out in another process of this desk. A store that cannot be read changes nothing."""
        now = self._monotonic()
        with self._lock:
            held = self._held.get(user_id)
            if held is None or now < self._look_at:
                return
            self._look_at = now + LOOK_SECONDS
        try:
            gone = self._store.signed_out(user_id)
        except UpstoxError as error:
            log.info("whether somebody signed out elsewhere is not known: %s", error)
            with self._lock:
                self._look_at = self._monotonic() + LOOK_AGAIN_SECONDS
            return
        with self._lock:
            if gone and self._held.get(user_id) is held:  # else somebody has logged in meanwhile
                self._drop(user_id)

    def doubt(self, problem: str) -> None:
        """Something is wrong, and the token is kept."""
        with self._lock:
            self._problem = problem
        log.warning("token kept: %s", problem)

    def rejected(self, secret: str) -> None:
        """The broker takes `secret` no more: drop it, once."""
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

    # -- whose token ---------------------------------------------------------------------------------------------

    def is_foreign(self, token: Token) -> bool:
        """Is it of another mode? Paper processes and rehearsals hold tokens of paper brokers only, live ones none."""
        paper = self._settings.mode is Mode.PAPER or self._settings.live_rehearsal
        return paper != (token.issuer == PAPER_ISSUER)

    def refuse_foreign(self, token: Token) -> None:
        """Raises `ForeignToken`."""
        if not self.is_foreign(token):
            return
        if self._settings.mode is Mode.LIVE and not self._settings.live_rehearsal:
            raise ForeignToken("this token is a paper broker's; a live desk has no use for it")
        what = "a rehearsal" if self._settings.live_rehearsal else "a paper desk"
        raise ForeignToken(f"this token was not made by a paper broker; {what} holds no other")

    # -- inside --------------------------------------------------------------------------------------------------

    def _stored(self, user_id: str) -> Token | None:
        stored = self._store.load(user_id)
        if stored is None:
            return None
        hide(stored.secret)
        self.refuse_foreign(stored)
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
        self.refuse_foreign(token)
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
            configured = None if given is None else read_token_text(given.get_secret_value(), now=self._clock.now())
        except InvalidRequest as error:
            raise ConfigurationError(f"DESK_READ_TOKEN: {error}") from error
        for token in (self._store.load(READ_USER), configured):
            if token is not None and self._usable(token) and not self.is_foreign(token):
                hide(token.secret)
                token = replace(token, kind=TokenKind.READ_ONLY)
                self._hold(READ_USER, token)
                return token
        return None

    def _hold(self, user_id: str, token: Token) -> None:
        with self._lock:
            if self._held.get(user_id) != token:
                self._problem = ""
            self._held[user_id] = token

    def _usable(self, token: Token, *, early: float = EARLY_SECONDS) -> bool:
        return token.seconds_left(self._clock) > early and (
            not self._refused or mark(token.secret) not in self._refused
        )

    def _drop(self, user_id: str) -> None:
        """Under the lock."""
        self._held.pop(user_id, None)
        if user_id == DEFAULT_USER:
            self._held.pop(READ_USER, None)
        self._problem = ""


def in_india(instant: datetime) -> str:
    """The instant in words."""
    return f"{instant.astimezone(IST):%d %b %Y, %H:%M IST}"
