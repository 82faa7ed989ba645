"""The way to Redis: every wait is bounded, every fault is one error, and one that is away costs nobody a wait twice.

Redis holds nothing of worth. Whoever asks it says what happens without it, and gets `RedisAway` at once while it is
known to be away; one caller at a time finds out whether it is back.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar, cast

from services.domain.errors import ConfigurationError, RedisAway

if TYPE_CHECKING:
    from redis import Redis

T = TypeVar("T")

TIMEOUT_SECONDS = 0.5
"""For the connection, and for each answer."""
AGAIN_SECONDS = 1.0
"""While it is away, somebody tries so often."""
MOST_CONNECTIONS = 200
_SMOOTHING = 0.2

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LinkState:
    """How the way to Redis does."""

    up: bool
    """Did the last question get an answer? Not before the first one was asked."""
    seconds: float
    """Real seconds for which it has been so."""
    problem: str
    """In words, without the address's password; empty while all is well. A Redis that answers and refuses (its memory
    is full, say) is up, with a problem."""
    round_trip_ms: float | None
    """Smoothed, of a question with its answer; `None` before the first."""


class Script:
    """A Lua script that Redis runs as one step. It travels once; then its digest does."""

    def __init__(self, link: RedisLink, source: str) -> None:
        self._link = link
        self._run = link.client.register_script(source)

    def __call__(self, keys: Sequence[str], args: Sequence[str | bytes | int | float], *, probe: bool = False) -> Any:
        """What the script returns. Raises `RedisAway`."""
        return self._link.run(lambda client: self._run(keys=keys, args=args, client=client), probe=probe)


class RedisLink:
    """A pool of connections to one Redis, whose keys all begin with `prefix`. Safe to share; nothing is connected
    before the first question. `ConfigurationError` if `url` is no address of a Redis."""

    def __init__(
        self,
        url: str,
        *,
        prefix: str,
        timeout: float = TIMEOUT_SECONDS,
        again: float = AGAIN_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.prefix = prefix
        self.timeout = timeout
        self.longest = 2 * timeout
        """A question takes at most so long: to connect, and to be answered."""
        self._again = again
        self._monotonic = monotonic
        self._guard = Lock()  # guards the five below
        self._up = False
        self._since = monotonic()
        self._problem = "Redis has not been asked yet"
        self._round_trip: float | None = None
        self._next_try = float("-inf")
        self.client = _client(url, timeout)

    def key(self, *names: str) -> str:
        """The full name of a key."""
        return ":".join((self.prefix, *names))

    def script(self, source: str) -> Script:
        return Script(self, source)

    def run(self, call: Callable[[Redis], T], *, probe: bool = False) -> T:
        """What `call(client)` returns. Raises `RedisAway` where it fails or is not answered in time, and at once while
        Redis is known to be away; `probe`: ask even then (for the one thread that keeps looking)."""
        import redis.exceptions as faults

        self._enter(probe)
        began = self._monotonic()
        try:
            answer = call(self.client)
        except faults.MaxConnectionsError as error:  # it is there: we ask too much at once
            raise RedisAway(f"{MOST_CONNECTIONS} questions to Redis are on their way already") from error
        except faults.ResponseError as error:  # it is there, and refuses
            self._answered(began, problem=f"Redis refuses: {error}")
            raise RedisAway(f"Redis refuses: {error}") from error
        except (faults.RedisError, OSError) as error:
            words = _words(error)
            self._failed(words)
            raise RedisAway(words) from error
        self._answered(began, problem="")
        return answer

    def mget(self, names: Sequence[str]) -> list[bytes | None]:
        """The values of these keys, in their order. Raises `RedisAway`."""
        found = self.run(lambda client: client.mget(names))
        return cast("list[bytes | None]", found)

    def state(self) -> LinkState:
        """How it does. Asks nobody."""
        with self._guard:
            seconds = max(0.0, self._monotonic() - self._since)
            return LinkState(self._up, seconds, self._problem, self._round_trip)

    def close(self) -> None:
        """Close the connections. What is asked later opens new ones."""
        self.client.connection_pool.disconnect()

    def _enter(self, probe: bool) -> None:
        with self._guard:
            now = self._monotonic()
            if self._next_try > now and not probe:
                raise RedisAway(self._problem)
            if not self._up:  # the others need not wait for what this one is about to find out
                self._next_try = now + self._again if self._next_try > float("-inf") else self._next_try

    def _answered(self, began: float, *, problem: str) -> None:
        with self._guard:
            now = self._monotonic()
            took = (now - began) * 1000
            known = self._round_trip
            self._round_trip = took if known is None else known + _SMOOTHING * (took - known)
            if not self._up:
                self._up, self._since = True, now
                log.info("Redis answers")
            self._problem = problem
            self._next_try = float("-inf")

    def _failed(self, words: str) -> None:
        with self._guard:
            now = self._monotonic()
            if self._up or self._next_try == float("-inf"):
                log.warning("%s", words)
            if self._up:
                self._up, self._since = False, now
            self._problem = words
            self._next_try = now + self._again


def _client(url: str, timeout: float) -> Redis:
    """Nothing is sent but what is asked: no greeting, no retry (a script must not run twice unasked), no RESP3."""
    from redis import ConnectionPool, Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    try:
        pool = ConnectionPool.from_url(
            url,
            max_connections=MOST_CONNECTIONS,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            socket_keepalive=True,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
            driver_info=None,
        )
    except ValueError:
        raise ConfigurationError("DESK_REDIS_URL is no address of a Redis; it looks like redis://host:6379/0") from None
    return Redis(connection_pool=pool)


def _words(error: Exception) -> str:
    """Neither addresses nor passwords of the URL: the library names the host at most."""
    text = str(error) or type(error).__name__
    return f"Redis does not answer: {text}"
