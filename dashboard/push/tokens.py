"""Who may listen: a secret for each page session, made when a page is drawn, told to the page only, and good for as
long as the page goes on drawing and some hours more.

It opens nothing for another sign-in than the one it was issued to. Never the broker's token. It travels in the first
message and never in an address, where logs would keep it.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from threading import Lock

LIFE_SECONDS = 12 * 3600.0
MOST = 5_000


class PushTokens:
    """Issued secrets, whose they are, and their ends (monotonic seconds). In memory only: a restart of the desk issues
    new ones."""

    def __init__(self, *, life: float = LIFE_SECONDS, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._life = life
        self._monotonic = monotonic
        self._ends: dict[str, tuple[str, float]] = {}
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
        return token

    def renew(self, token: str | None, owner: str = "") -> str:
        """`token` with its whole life before it again, or a new one in place of one that is over. A page that is open
        asks with every run, so that it never ends up outside."""
        if token is not None:
            now = self._monotonic()
            with self._guard:
                whose, end = self._ends.get(token, ("", 0.0))
                if whose == owner and end > now:
                    del self._ends[token]  # to the end of the line
                    self._ends[token] = (owner, now + self._life)
                    return token
        return self.issue(owner)

    def accepts(self, token: str, owner: str = "") -> bool:
        """Was it issued here to `owner`, and is it still good?"""
        with self._guard:
            whose, end = self._ends.get(token, ("", 0.0))
        return whose == owner and end > self._monotonic()
