"""What to wait for after a connection, or an attempt to get one, has ended. Decided by the kind of error alone."""

from __future__ import annotations

from dataclasses import dataclass

from services.domain.accounts import Token
from services.domain.errors import (
    AccessDenied,
    ConfigurationError,
    HandedOver,
    LoginRequired,
    RateBudgetSpent,
    RateLimited,
    RequestRefused,
    TokenRejected,
    UpstoxError,
)
from services.feed.backoff import Backoff
from services.feed.health import EndKind, StreamState

REFUSAL_PAUSES = (5.0, 15.0, 60.0, 180.0)
"""After a 403 and the like; then it is given up."""
REFUSED_SECONDS = 1800.0
"""What was given up is tried once more this often: an entitlement may come back in an unattended night."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Wait for so many seconds; `None`: until another token or a free slot is there."""

    state: StreamState
    reason: str
    seconds: float | None
    login_url: str | None = None
    refused: str | None = None
    """The token that the broker refused."""


class Resting:
    """The rests of one stream.

    A dead token waits for another one, with which everything begins anew. A refusal is tried again slowly, each time
    with a fresh address, then given up. Everything else backs off exponentially.
    """

    def __init__(self, *, backoff: Backoff | None = None, refusal_pauses: tuple[float, ...] = REFUSAL_PAUSES) -> None:
        self._backoff = backoff or Backoff()
        self._refusal_pauses = refusal_pauses
        self._refusals = 0

    @property
    def refusals(self) -> int:
        """Refusals in a row."""
        return self._refusals

    def begin(self) -> None:
        """Somebody asks for the stream anew."""
        self._backoff.reset()
        self._refusals = 0

    def accepted(self) -> None:
        """The broker took the connection."""
        self._refusals = 0

    def lived(self, seconds: float) -> None:
        """A connection held for so long."""
        self._backoff.lived(seconds)

    def without_slot(self) -> Rest:
        return Rest(StreamState.NO_SLOT, "two other processes hold this account's connections", None)

    def after_loss(self, reason: str) -> Rest:
        """The connection is lost: with the usual pause."""
        return Rest(StreamState.WAITING, reason, self._backoff.next_pause())

    def at_once(self, reason: str) -> Rest:
        """Nothing is wrong with the broker: connect again now."""
        return Rest(StreamState.WAITING, reason, 0.0)

    def after(self, error: UpstoxError, token: Token | None) -> Rest:
        """An attempt with `token` failed, or a connection was lost."""
        reason = str(error)
        if isinstance(error, LoginRequired | TokenRejected):
            self._backoff.reset()  # a person logs in, and does not wait for what went wrong before
        if isinstance(error, LoginRequired):
            return Rest(StreamState.LOGIN_NEEDED, reason, None, login_url=error.login_url)
        if isinstance(error, TokenRejected):
            return Rest(StreamState.LOGIN_NEEDED, reason, None, refused=None if token is None else token.secret)
        if isinstance(error, AccessDenied | RequestRefused | ConfigurationError):
            self._refusals += 1
            if self._refusals > len(self._refusal_pauses):
                return Rest(StreamState.REFUSED, reason, REFUSED_SECONDS)
            return Rest(StreamState.WAITING, reason, self._refusal_pauses[self._refusals - 1])
        if isinstance(error, HandedOver):
            return self.at_once(reason)
        return Rest(StreamState.WAITING, reason, max(self._backoff.next_pause(), _told(error)))


def kind_of_end(error: UpstoxError, *, opened: bool) -> EndKind:
    """What to count the end of a connection, or of an attempt, as."""
    if isinstance(error, LoginRequired | TokenRejected):
        return EndKind.TOKEN
    if isinstance(error, RateLimited | RateBudgetSpent):
        return EndKind.LIMITED
    if isinstance(error, AccessDenied | RequestRefused | ConfigurationError):
        return EndKind.REFUSED
    return EndKind.LOST if opened else EndKind.NOT_REACHED


def _told(error: UpstoxError) -> float:
    """The pause that the broker, or our own pacing, asks for."""
    if isinstance(error, RateLimited):
        return error.retry_after or 0.0
    return error.wait_seconds if isinstance(error, RateBudgetSpent) else 0.0
