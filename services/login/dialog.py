"""Logins under way in a browser: the states that guard them, and the codes that they come back with."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock

from services.domain.accounts import Token
from services.domain.errors import InvalidRequest, UpstoxError

STATE_SECONDS = 600.0
"""A person has ten minutes for the login dialog. Counted in monotonic time: a simulated clock may run faster."""
EXCHANGE_SECONDS = 30.0
"""A page that runs twice waits so long for its first run's exchange."""
_MOST_REMEMBERED = 100


class States:
    """The states of logins under way: random, for one use, for ten minutes; compared in constant time.

    A state is handed out again for half its life, because every `LoginRequired` carries a URL: a page that asks each
    second must not push out the login that a person has just begun.
    """

    def __init__(self, *, nonce: Callable[[], str], monotonic: Callable[[], float]) -> None:
        self._nonce = nonce
        self._monotonic = monotonic
        self._open: dict[str, tuple[float, str]] = {}
        self._lock = Lock()

    def open(self, redirect_uri: str) -> str:
        now = self._monotonic()
        with self._lock:
            self._forget(now)
            for state, (made, redirect) in self._open.items():
                if redirect == redirect_uri and now - made < STATE_SECONDS / 2:
                    return state
            while len(self._open) >= _MOST_REMEMBERED:
                del self._open[next(iter(self._open))]
            state = self._nonce()
            self._open[state] = (now, redirect_uri)
            return state

    def take(self, state: str) -> str | None:
        """The redirect address that this state was opened for, once; `None` if it is not open."""
        given = state.encode("utf-8", "surrogatepass")
        with self._lock:
            self._forget(self._monotonic())
            found = None
            for candidate in self._open:  # all of them, so that the time tells nothing
                if hmac.compare_digest(candidate.encode(), given):
                    found = candidate
            return None if found is None else self._open.pop(found)[1]

    def _forget(self, now: float) -> None:
        for state in [state for state, (made, _) in self._open.items() if now - made >= STATE_SECONDS]:
            del self._open[state]


class SpentCode(UpstoxError):
    """Inside this package: the code was used before, by another login."""


class Codes:
    """Sends every authorization code once, whatever comes of it, and remembers its hash.

    A page that is run again with the same code and state gets its first run's result, also while that is under way.
    """

    def __init__(self) -> None:
        self._spent: dict[bytes, tuple[bytes, Future[Token]]] = {}
        self._lock = Lock()

    def run(self, code: str, state: str, exchange: Callable[[], Token]) -> tuple[Token, bool]:
        """The result of `exchange`, which runs at most once for each code, and whether this was that once. Raises
        `SpentCode` if the code came before with another state."""
        mine: Future[Token] = Future()
        with self._lock:
            first_state, result = self._spent.get(mark(code), (b"", mine))
            if result is mine:
                while len(self._spent) >= _MOST_REMEMBERED:
                    del self._spent[next(iter(self._spent))]
                self._spent[mark(code)] = (mark(state), mine)
        if result is mine:
            return self._first(mine, exchange), True
        if not hmac.compare_digest(first_state, mark(state)):
            raise SpentCode("this authorization code was used already")
        try:
            return result.result(timeout=EXCHANGE_SECONDS), False
        except TimeoutError as error:
            raise SpentCode("this login is still under way") from error

    @staticmethod
    def _first(mine: Future[Token], exchange: Callable[[], Token]) -> Token:
        try:
            token = exchange()
        except UpstoxError as error:
            mine.set_exception(error)
            raise
        else:
            mine.set_result(token)
            return token
        finally:
            if not mine.done():  # not one of our errors: whoever waits must still be released
                mine.set_exception(InvalidRequest("the login was interrupted; start it again"))


def mark(text: str) -> bytes:
    """What is remembered of a secret: its hash."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
