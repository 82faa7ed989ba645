"""Which process of the desk leads: it alone holds the upstream feeds. One lease in Redis, with a fencing token.

Two guards, each enough where the other fails. Redis gives the lease to one process at a time, with a token that only
grows. And the holder itself stops at a deadline of its own clock that lies before the one at which Redis lets others
in, so one that cannot ask, or that was paused and wakes, does not hold what it believes to hold.

A Redis that begins anew without its data, or another server in its place, cannot know who was promised what: it gives
the lease to nobody new until every promise that may have been made has run out. Only the holder may say that it is.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from threading import Event, Lock, Thread

from services.domain.clock import from_epoch_ms
from services.domain.errors import RedisAway
from services.shared.link import RedisLink

TTL_SECONDS = 6.0
RENEW_SECONDS = 1.5
LOOK_SECONDS = 0.5
"""Whoever does not hold the lease looks so often whether it is free."""
GUARD_SECONDS = 0.5
"""So long before Redis lets another in, and the time of a question more, the holder holds nothing any more: whatever it
holds open can be closed by then, even if its own thread just waits for an answer."""
LEASE = "lease"
"""Key of a hash: `token`, `process`, `since` (ms since the epoch, Redis' time). It expires by itself."""
FENCE = "fence"
"""Key of a hash that stays: the last `token`, and the `server` that gave it."""
QUIET = "quiet"
"""Key that is there while nobody new may have the lease."""

_SERVER = """
local function server()
  local id = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
  if redis.call('HGET', KEYS[2], 'server') ~= id then
    redis.call('HSET', KEYS[2], 'server', id)
    redis.call('SET', KEYS[3], '1', 'PX', ARGV[2])
  end
end
"""
_TAKE = (
    _SERVER
    + """
server()
local held = redis.call('HMGET', KEYS[1], 'token', 'process', 'since')
if held[1] then
  if held[2] == ARGV[1] then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
  return held
end
if redis.call('EXISTS', KEYS[3]) == 1 then return {} end
local now = redis.call('TIME')
local ms = now[1] * 1000 + math.floor(now[2] / 1000)
local last = tonumber(redis.call('HGET', KEYS[2], 'token') or '0')
local token = string.format('%.0f', math.max(last, tonumber(ARGV[3]), ms) + 1)
ms = string.format('%.0f', ms)
redis.call('HSET', KEYS[2], 'token', token)
redis.call('HSET', KEYS[1], 'token', token, 'process', ARGV[1], 'since', ms)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {token, ARGV[1], ms}
"""
)
"""KEYS lease, fence, quiet; ARGV process, ttl in ms, the highest token that the asker knows. Who holds it now."""
_RENEW = (
    _SERVER
    + """
server()
local held = redis.call('HGET', KEYS[1], 'token')
if held == ARGV[3] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return 1
end
if held or redis.call('EXISTS', KEYS[3]) == 0 then return 0 end
local last = tonumber(redis.call('HGET', KEYS[2], 'token') or '0')
if last > tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[2], 'token', ARGV[3])
redis.call('HSET', KEYS[1], 'token', ARGV[3], 'process', ARGV[1], 'since', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
"""
)
"""KEYS as above; ARGV process, ttl in ms, token, since. 1: it is held on."""
_GIVE_BACK = """
if redis.call('HGET', KEYS[1], 'token') == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
"""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the lease."""

    process: str
    token: int
    since: datetime
    """By Redis' clock, aware, UTC."""


def boottime() -> float:
    """Seconds that pass while a process, or the machine, sleeps."""
    which: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if which is None else time.clock_gettime(which)


class Lease:
    """This process's side of the lease. Nothing is asked before `start`. Safe to share."""

    def __init__(
        self,
        link: RedisLink,
        *,
        process: str,
        ttl: float = TTL_SECONDS,
        renew: float = RENEW_SECONDS,
        look: float = LOOK_SECONDS,
        guard: float = GUARD_SECONDS,
        now: Callable[[], float] = boottime,
    ) -> None:
        """`process`: the name of this process, unlike any other's."""
        if ttl <= link.longest + renew + guard:
            raise ValueError("a lease must outlive a question that is not answered")
        self.process = process
        self.ttl = ttl
        self._link = link
        self._renew_seconds = renew
        self._look_seconds = look
        self._guard_seconds = guard
        self._now = now
        self._keys = [link.key(LEASE), link.key(FENCE), link.key(QUIET)]
        self._take, self._renew = link.script(_TAKE), link.script(_RENEW)
        self._give_back = link.script(_GIVE_BACK)
        self._guard = Lock()  # guards the three below
        self._held: tuple[Holder, float] | None = None  # ours, and until when by our clock
        self._seen: Holder | None = None
        self._listeners: list[Callable[[], None]] = []
        self._highest = 0
        self._stop = Event()
        self._thread: Thread | None = None

    # -- asked by everybody ------------------------------------------------------------------------------------

    @property
    def token(self) -> int | None:
        """Our fencing token; `None` unless we hold the lease at this very moment. Asks nobody."""
        held = self._held
        return held[0].token if held is not None and self._now() < held[1] else None

    def leads(self) -> bool:
        """Does this process hold the lease at this very moment?"""
        return self.token is not None

    def holder(self) -> Holder | None:
        """Who holds it, as far as is known here; `None`: nobody, or nobody could be asked."""
        with self._guard:
            held, seen = self._held, self._seen
        return held[0] if held is not None and self._now() < held[1] else seen

    def listen(self, callback: Callable[[], None]) -> None:
        """Have `callback()` called, on the lease's own thread, after this process has won or lost the lease. It must
        not wait for anything. Called at once if the lease is held already."""
        with self._guard:
            self._listeners.append(callback)
            held = self._held is not None
        if held:
            callback()

    # -- life --------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Ask for the lease from now on, in a thread."""
        with self._guard:
            if self._thread is not None or self._stop.is_set():
                return
            self._thread = Thread(target=self._run, name="lease", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Ask no more, and give the lease back if it is ours, so that another process has it at once."""
        self._stop.set()
        thread = self._thread
        if thread is not None:
            thread.join(2 * self._link.longest + 1.0)
        held = self._held
        if held is not None:
            self._lose("it is given back", level=logging.INFO)
            with suppress(RedisAway):
                self._give_back(self._keys[:1], [held[0].token])

    def step(self) -> float:
        """Ask once. Returns the seconds until it should be asked again."""
        held = self._held
        if held is None:
            return self._look()
        left = held[1] - self._now()
        if left <= 0:
            self._lose("Redis did not say in time that it is still ours")
            return 0.0
        asked = self._now()
        holder = held[0]
        since = round(holder.since.timestamp() * 1000)
        try:
            ours = self._renew(self._keys, [self.process, self._ttl_ms, holder.token, since], probe=True)
        except RedisAway:
            return max(0.0, min(self._look_seconds, held[1] - self._now()))
        if not ours:
            self._lose("Redis gave it to another, or knows nothing of it")
            return 0.0
        self._hold(holder, asked)
        return self._renew_seconds

    # -- within ------------------------------------------------------------------------------------------------

    @property
    def _ttl_ms(self) -> int:
        return round(self.ttl * 1000)

    def _look(self) -> float:
        asked = self._now()
        try:
            told = self._take(self._keys, [self.process, self._ttl_ms, self._highest], probe=True)
        except RedisAway:
            with self._guard:
                self._seen = None
            return self._look_seconds
        seen = Holder(told[1].decode(), int(told[0]), from_epoch_ms(int(told[2]))) if told else None
        with self._guard:
            self._seen = seen
        if seen is not None:
            self._highest = max(self._highest, seen.token)
            if seen.process == self.process:
                self._hold(seen, asked)
                return self._renew_seconds
        return self._look_seconds

    def _hold(self, holder: Holder, asked: float) -> None:
        """The deadline counts from before the question left: Redis counts from when it came."""
        with self._guard:
            new = self._held is None
            self._held = (holder, asked + self.ttl - self._guard_seconds - self._link.longest)
        if new:
            log.info("this process, %s, leads from now on (token %d)", self.process, holder.token)
            self._tell()

    def _lose(self, why: str, *, level: int = logging.WARNING) -> None:
        with self._guard:
            self._held = self._seen = None
        log.log(level, "this process, %s, leads no more: %s", self.process, why)
        self._tell()

    def _tell(self) -> None:
        with self._guard:
            listeners = list(self._listeners)
        for listener in listeners:
            try:
                listener()
            except Exception:  # whoever listens must not cost the lease
                log.exception("one who follows the lease failed")

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                wait = self.step()
            except Exception:  # outermost loop of a thread
                log.exception("the lease could not be looked after")
                wait = self._look_seconds
            self._stop.wait(wait)
