"""Several processes of one desk on one ledger: one asks the broker for the book, the others read what it writes down.

Which one that is, the lease says. It alone polls, and it alone writes down what the order stream tells, so nothing is
asked or written as often as there are processes. What they need to know beside the ledger is how old the book is; that
is told over Redis. Without Redis nobody leads, and each asks for itself.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from services.domain.errors import RedisAway

if TYPE_CHECKING:
    from services.shared.lease import Lease
    from services.shared.link import RedisLink

AGAIN_SECONDS = 15.0
"""The same is told again so often."""
UNHEARD_SECONDS = 60.0
"""What was told so long ago, and not again since, is nobody's word any more."""
_TELL = """
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[3])
return 1
"""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BookNote:
    """How the process that asks knows the book: when the broker told it last, and why not since; of the fills too."""

    as_of: datetime | None = None
    error: str | None = None
    trades_as_of: datetime | None = None
    trades_error: str | None = None


class Together(Protocol):
    """The other processes of this desk."""

    def follows(self) -> bool:
        """Is it another process that asks the broker, and is this one to read what that one writes down?"""

    def tell(self, note: BookNote) -> None:
        """This process asks: so it knows the book."""

    def told(self) -> BookNote | None:
        """What the process that asks told last; `None`: nothing for a while, or nobody can tell."""


class OverRedis:
    """The word of the lease, and one key beside it."""

    def __init__(self, link: RedisLink, lease: Lease, *, monotonic: Callable[[], float]) -> None:
        self._link = link
        self._lease = lease
        self._monotonic = monotonic
        self._keys = [link.key("lease"), link.key("orders", "book")]
        self._tell = link.script(_TELL)
        self._last: tuple[BookNote, float] | None = None
        self._heard: tuple[bytes, float] = (b"", 0.0)  # as it came, and when it came first
        self._count = 0

    def follows(self) -> bool:
        return self._link.state().up and not self._lease.leads()

    def tell(self, note: BookNote) -> None:
        """Whoever leads no more is not heard."""
        token, now = self._lease.token, self._monotonic()
        if token is None or (self._last is not None and self._last[0] == note and now - self._last[1] < AGAIN_SECONDS):
            return
        self._count += 1  # so that whoever hears it can tell whether somebody still says so
        text = orjson.dumps({"note": note, "count": self._count})
        try:
            self._tell(self._keys, [token, text, round(2 * UNHEARD_SECONDS)])
            self._last = (note, now)
        except RedisAway as error:
            log.debug("the age of the book was not told: %s", error)

    def told(self) -> BookNote | None:
        try:
            text: Any = self._link.run(lambda client: client.get(self._keys[1]))  # Any: the library's type
        except RedisAway:
            return None
        if text is None:
            return None
        now = self._monotonic()
        if text != self._heard[0]:
            self._heard = (text, now)
        return _read(text) if now - self._heard[1] < UNHEARD_SECONDS else None


def _read(text: bytes) -> BookNote | None:
    """A note as another process wrote it, perhaps one of another version."""
    try:
        match orjson.loads(text):
            case {"note": {"as_of": as_of, "error": error, "trades_as_of": trades_as_of, "trades_error": trades_error}}:
                return BookNote(_instant(as_of), error, _instant(trades_as_of), trades_error)
    except (ValueError, TypeError) as error:
        log.info("the age of the book is not understood: %s", error)
    return None


def _instant(told: str | None) -> datetime | None:
    return None if told is None else datetime.fromisoformat(told)
