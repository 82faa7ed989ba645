"""Who may listen: a secret for each page session, made when a page is drawn, told to the page only, and good for as
long as the page goes on drawing and some hours more.

It opens nothing for another sign-in than the one it was issued to. Never the broker's token. It travels in the first
message and never in an address, where logs would keep it.

Nobody keeps it: it bears its end and a seal, so every process that has the key knows what another one issued, and no
lost memory, here or elsewhere, shuts a page out.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable

LIFE_SECONDS = 12 * 3600


class PushTokens:
    """Issues secrets and knows its own again, and those of every process with the same `key`. `clock` tells seconds of
    the epoch, for the end has to mean the same on every machine."""

    def __init__(self, key: bytes, *, life: int = LIFE_SECONDS, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._life = life
        self._clock = clock

    def issue(self, owner: str = "") -> str:
        """A new secret, for the sessions of `owner` alone."""
        stem = f"{int(self._clock()) + self._life}.{secrets.token_urlsafe(18)}"
        return f"{stem}.{self._seal(stem, owner)}"

    def renew(self, token: str | None, owner: str = "") -> str:
        """`token` while it has half its life before it, then another. A page that is open asks with every run, so that
        it never ends up outside."""
        if token is not None and self._left(token, owner) > self._life / 2:
            return token
        return self.issue(owner)

    def accepts(self, token: str, owner: str = "") -> bool:
        """Was it issued to `owner`, and is it still good?"""
        return self._left(token, owner) > 0

    def _left(self, token: str, owner: str) -> float:
        """Seconds that it is good for yet; 0 if it is none of ours, or somebody else's."""
        stem, _, seal = token.rpartition(".")
        if not hmac.compare_digest(seal.encode("utf-8", "replace"), self._seal(stem, owner).encode()):
            return 0.0
        return max(0.0, int(stem.partition(".")[0]) - self._clock())

    def _seal(self, stem: str, owner: str) -> str:
        return hmac.new(self._key, f"{stem}.{owner}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()
