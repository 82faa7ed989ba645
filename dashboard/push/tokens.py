"""Who may listen: a secret for each page session, made when a page is drawn, told to the page only, and good for as
long as the page goes on drawing and some hours more.

Never the broker's token. It travels in the first message and never in an address, where logs would keep it.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from threading import Lock

LIFE_SECONDS = 12 * 3600.0
MOST = 5_000


class PushTokens:
    """Issued secrets and their ends (monotonic seconds). In memory only: a restart of the desk issues new ones."""

    def __init__(self, *, life: float = LIFE_SECONDS, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._life = life
        self._monotonic = monotonic
        self._ends: dict[str, float] = {}
        self._guard = Lock()

    def issue(self) -> str:
        """A new secret. The oldest go when there are too many."""
        token, now = secrets.token_urlsafe(24), self._monotonic()
        with self._guard:
            for old in [known for known, end in self._ends.items() if end <= now]:
                del self._ends[old]
            while len(self._ends) >= MOST:
                del self._ends[next(iter(self._ends))]
            self._ends[token] = now + self._life
        return token

    def renew(self, token: str | None) -> str:
        """`token` with its whole life before it again, or a new one in place of one that is over. A page that is open
        asks with every run, so that it never ends up outside."""
        if token is not None:
            now = self._monotonic()
            with self._guard:
                if self._ends.get(token, 0.0) > now:
                    del self._ends[token]  # to the end of the line
                    self._ends[token] = now + self._life
                    return token
        return self.issue()

    def accepts(self, token: str) -> bool:
        """Was it issued here, and is it still good?"""
        with self._guard:
            return self._ends.get(token, 0.0) > self._monotonic()
