"""Every process of the desk, as each tells of itself: one hash in Redis, one step to tell and to read it."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from threading import Lock
from types import MappingProxyType

import msgspec

from services.domain.clock import from_epoch_ms
from services.domain.processes import ProcessSeen
from services.shared.link import RedisLink

FORGET_SECONDS = 60.0
"""Who has told nothing for so long is no process of this desk any more."""

_BEAT = """
local now = redis.call('TIME')
local ms = now[1] * 1000 + math.floor(now[2] / 1000)
if ARGV[2] ~= '' then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  redis.call('ZADD', KEYS[2], ms, ARGV[1])
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ms - ARGV[3])) do
  redis.call('ZREM', KEYS[2], id)
  redis.call('HDEL', KEYS[1], id)
end
return {string.format('%.0f', ms), redis.call('HGETALL', KEYS[1]), redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES')}
"""
"""KEYS who, when; ARGV our id, what we tell, ms after which a process is forgotten."""
_LEAVE = """
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return 1
"""

log = logging.getLogger(__name__)


class _Told(msgspec.Struct):
    name: str
    host: str
    pid: int
    version: str
    address: str
    started_ms: int
    leads: bool
    figures: dict[str, float | None]


class Processes:
    """This process's entry, and everybody's as last read. `beat` is called by the thread of `Shared`."""

    def __init__(
        self,
        link: RedisLink,
        *,
        process: str,
        name: str,
        leads: Callable[[], bool],
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.process = process
        self.name = name
        self.address = ""
        """Where this process serves, once it is known."""
        self.version = ""
        self._link = link
        self._leads = leads
        self._monotonic = monotonic
        self._started_ms = round(wall() * 1000)
        self._keys = [link.key("processes"), link.key("processes", "at")]
        self._beat, self._leave = link.script(_BEAT), link.script(_LEAVE)
        self._guard = Lock()  # guards the three below
        self._figures: dict[str, float | None] = {}
        self._others: tuple[ProcessSeen, ...] = ()
        self._read_at: float | None = None

    def report(self, figure: str, value: float | None) -> None:
        """Tell everybody this figure of ours with the next beat."""
        with self._guard:
            self._figures[figure] = value

    def beat(self) -> None:
        """Tell of this process, and read what the others told. Raises `RedisAway`."""
        with self._guard:
            figures = dict(self._figures)
        told = _Told(
            name=self.name,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=self.version,
            address=self.address,
            started_ms=self._started_ms,
            leads=self._leads(),
            figures=figures,
        )
        answer = self._beat(self._keys, [self.process, msgspec.json.encode(told), round(FORGET_SECONDS * 1000)])
        seen = _read(*answer, own=self.process)
        with self._guard:
            self._others, self._read_at = seen, self._monotonic()

    def all(self) -> tuple[ProcessSeen, ...]:
        """Every process that told of itself within a minute, by name; as of the last beat, aged since. Empty before the
        first one. Asks nobody."""
        with self._guard:
            seen, at = self._others, self._read_at
        if at is None:
            return ()
        passed = max(0.0, self._monotonic() - at)
        return tuple(replace(one, told_ago=one.told_ago + passed) for one in seen)

    def leave(self) -> None:
        """This process ends. Raises `RedisAway`."""
        self._leave(self._keys, [self.process])


def _read(now: bytes, entries: list[bytes], stamps: list[bytes], *, own: str) -> tuple[ProcessSeen, ...]:
    at = {stamps[place]: float(stamps[place + 1]) for place in range(0, len(stamps), 2)}
    seen = []
    for place in range(0, len(entries), 2):
        try:
            one = msgspec.json.decode(entries[place + 1], type=_Told)
        except msgspec.DecodeError as error:  # of another version of the desk
            log.info("what the process %s told cannot be read: %s", entries[place], error)
            continue
        name = entries[place].decode()
        seen.append(
            ProcessSeen(
                id=name,
                name=one.name,
                host=one.host,
                pid=one.pid,
                version=one.version,
                address=one.address,
                started=from_epoch_ms(one.started_ms),
                told_ago=max(0.0, (float(now) - at.get(entries[place], 0.0)) / 1000),
                leads=one.leads,
                own=name == own,
                figures=MappingProxyType(one.figures),
            )
        )
    return tuple(sorted(seen, key=lambda process: (process.name, process.id)))
