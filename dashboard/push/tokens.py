"""Who may listen: a secret for each page session, made when a page is drawn, told to the page only, and good for as
long as the page goes on drawing and some hours more.

It opens nothing for another sign-in than the one it was issued to. Never the broker's token. It travels in the first
message and never in an address, where logs would keep it.

Where a desk has several processes it is good on all of them: what they share keeps its digest, never the secret itself.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
from collections.abc import Callable
from threading import Lock
from typing import Protocol

from services.domain.errors import UpstoxError

LIFE_SECONDS = 12 * 3600.0
MOST = 5_000
TELL_SECONDS = 5.0
"""The other processes are told so often that a secret in use goes on, even where what they share was lost just before
the process of the page. Then the page would have to wait for Streamlit's own way back, which may take a minute."""

log = logging.getLogger(__name__)


class Elsewhere(Protocol):
    """What the processes of a desk share. Both ask it, for a bounded time, and raise an `UpstoxError` if it is away."""

    def keep(self, digest: str, owner: str, seconds: float) -> None:
        """Everybody may know for so long whose secret has this digest."""

    def owner(self, digest: str) -> str | None:
        """Whose secret it is; `None`: nobody's."""


class PushTokens:
    """Issued secrets, whose they are, and their ends (monotonic seconds). In memory, and `elsewhere` where there is
    such a place; without it a restart of the desk issues new ones."""

    def __init__(
        self,
        *,
        life: float = LIFE_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
        elsewhere: Callable[[], Elsewhere | None] = lambda: None,
    ) -> None:
        self._life = life
        self._monotonic = monotonic
        self._elsewhere = elsewhere
        self._ends: dict[str, tuple[str, float]] = {}
        self._told: dict[str, float] = {}  # when the other processes were told last
        self._guard = Lock()

    def issue(self, owner: str = "") -> str:
        """A new secret, for the sessions of `owner` alone. The oldest go when there are too many."""
        token, now = secrets.token_urlsafe(24), self._monotonic()
        with self._guard:
            for old in [known for known, (_, end) in self._ends.items() if end <= now]:
                del self._ends[old]
            while len(self._ends) >= MOST:
                del self._ends[next(iter(self._ends))]
            self._ends[token] = (owner, now + self._life)
        self._tell(token, owner, now)
        return token

    def renew(self, token: str | None, owner: str = "") -> str:
        """`token` with its whole life before it again, or a new one in place of one that is over. A page that is open
        asks with every run, so that it never ends up outside."""
        now = self._monotonic()
        if token is None or not self._prolong(token, owner, now):
            return self.issue(owner)
        if self._told.get(token, float("-inf")) <= now - TELL_SECONDS:
            self._tell(token, owner, now)
        return token

    def _prolong(self, token: str, owner: str, now: float) -> bool:
        with self._guard:
            whose, end = self._ends.get(token, ("", 0.0))
            if whose != owner or end <= now:
                return False
            del self._ends[token]  # to the end of the line
            self._ends[token] = (owner, now + self._life)
            return True

    def accepts(self, token: str, owner: str = "") -> bool:
        """Was it issued here to `owner`, and is it still good?"""
        with self._guard:
            whose, end = self._ends.get(token, ("", 0.0))
        return whose == owner and end > self._monotonic()

    def accepts_from_elsewhere(self, token: str, owner: str = "") -> bool:
        """Was it issued to `owner` by another process of this desk, or before a restart? Asks what they share; `False`
        as well where that is away."""
        try:
            elsewhere = self._elsewhere()
            return elsewhere is not None and bool(token) and elsewhere.owner(_digest(token)) == owner
        except UpstoxError as error:
            log.warning("a push token of another process could not be looked up: %s", error)
            return False

    def _tell(self, token: str, owner: str, now: float) -> None:
        try:
            elsewhere = self._elsewhere()
            if elsewhere is None:
                return
            elsewhere.keep(_digest(token), owner, self._life)
        except UpstoxError as error:
            log.info("the other processes were not told of a push token: %s", error)
            return
        with self._guard:
            self._told = {known: at for known, at in self._told.items() if known in self._ends}
            self._told[token] = now


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
