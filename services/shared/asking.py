"""That a token was asked for on the phone, told to every process: the broker posts it to any of them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime

from services.domain.errors import RedisAway
from services.shared.link import RedisLink

FRESH_SECONDS = 1.0
"""Strangers may post what they like: Redis is asked no more often than this."""

log = logging.getLogger(__name__)


class SharedAsking:
    """Safe to share. While Redis is away only the process that asked takes the answer."""

    def __init__(self, link: RedisLink, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._link = link
        self._key = link.key("login", "asked")
        self._monotonic = monotonic
        self._seen: tuple[float, datetime | None] | None = None  # swapped whole

    def tell(self, until: datetime | None, seconds: float) -> None:
        """It was asked for, and may come `until` then, `seconds` from now; `None`: it has come."""
        self._seen = None
        try:
            if until is None:
                self._link.run(lambda client: client.delete(self._key))
            else:
                word = until.isoformat()
                self._link.run(lambda client: client.set(self._key, word, ex=max(1, round(seconds))))
        except RedisAway as error:
            log.info("the other processes were not told of a token that was asked for: %s", error)

    def until(self) -> datetime | None:
        """Until when one may come that any process asked for; `None`: none, or nobody knows."""
        now, seen = self._monotonic(), self._seen
        if seen is not None and now - seen[0] < FRESH_SECONDS:
            return seen[1]
        try:
            told = self._link.run(lambda client: client.get(self._key))
        except RedisAway:
            return None
        found = datetime.fromisoformat(told.decode()) if isinstance(told, bytes) else None
        self._seen = (now, found)
        return found
