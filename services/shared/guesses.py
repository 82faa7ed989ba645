"""Wrong attempts to sign in, counted over all processes: who guesses at several of them gets no more tries than at one.

The rules are those of `services/sign_in/attempts.py`, by Redis' clock; while Redis is away each process counts its own.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from itertools import count
from typing import Protocol

from services.domain.errors import RedisAway, SignInPaused
from services.shared.link import RedisLink

FORGET_SECONDS = 24 * 3600.0
"""A wrong attempt counts for a day, unless a right one comes."""
PER_MINUTE = 60
"""Attempts of browsers that nobody has signed in on, over all processes."""

_NOW = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local function most(place) return place == 2 and tonumber(ARGV[1]) or 3 * tonumber(ARGV[1]) end
"""
"""KEYS lately, then those of the attempt; ARGV the most wrong ones under the first of them. The others are addresses,
behind which there may be many people."""
_ADMIT = (
    _NOW
    + """
local wait, counts = 0, {}
for place = 2, #KEYS do
  local told = redis.call('HMGET', KEYS[place], 'wrong', 'last', 'until')
  local wrong, last = tonumber(told[1] or '0'), tonumber(told[2] or '0')
  if now - last > tonumber(ARGV[2]) then wrong = 0 end
  if wrong >= most(place) then wait = math.max(wait, 1000) end
  wait = math.max(wait, tonumber(told[3] or '0') - now)
  counts[place] = wrong
end
if wait > 0 then return {1, wait} end
if ARGV[3] == '1' then
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 60000)
  if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[4]) then
    return {2, redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2] + 60000 - now}
  end
  redis.call('ZADD', KEYS[1], now, ARGV[5])
  redis.call('PEXPIRE', KEYS[1], 60000)
end
for place = 2, #KEYS do
  redis.call('HSET', KEYS[place], 'wrong', counts[place] + 1, 'last', string.format('%.0f', now))
  redis.call('PEXPIRE', KEYS[place], ARGV[2])
end
return {0, 0}
"""
)
"""ARGV 2 ms after which it is forgotten, 3: a stranger?, 4 strangers a minute, 5 a name for this attempt."""
_WRONG = (
    _NOW
    + """
local paused = 0
for place = 2, #KEYS do
  if tonumber(redis.call('HGET', KEYS[place], 'wrong') or '0') >= most(place) then
    redis.call('HSET', KEYS[place], 'wrong', 0, 'until', string.format('%.0f', now + ARGV[2]))
    paused = 1
  end
end
return paused
"""
)
"""ARGV 2: ms of a pause."""
_RIGHT = """
redis.call('DEL', KEYS[2])
for place = 3, #KEYS do
  if tonumber(redis.call('HGET', KEYS[place], 'wrong') or '0') > 0 then
    redis.call('HINCRBY', KEYS[place], 'wrong', -1)
  end
end
return 1
"""
_TAKE_BACK = """
for place = 2, #KEYS do
  if tonumber(redis.call('HGET', KEYS[place], 'wrong') or '0') > 0 then
    redis.call('HINCRBY', KEYS[place], 'wrong', -1)
  end
end
return 1
"""

log = logging.getLogger(__name__)


class OwnGuesses(Protocol):
    """The attempts of one process."""

    @property
    def pause_seconds(self) -> float: ...
    def admit(self, keys: Sequence[str], *, stranger: bool = True) -> None: ...
    def wrong(self, keys: Sequence[str]) -> bool: ...
    def right(self, keys: Sequence[str]) -> None: ...
    def take_back(self, keys: Sequence[str]) -> None: ...


class SharedGuesses:
    """The attempts of all processes, by name or browser, and address. Safe between threads."""

    def __init__(self, link: RedisLink, *, own: OwnGuesses, most_wrong: int, name: str) -> None:
        """`own` counts while Redis is away. `name`: of this process."""
        self.pause_seconds = own.pause_seconds
        self._link = link
        self._own = own
        self._most_wrong = most_wrong
        self._name = name
        self._numbers = count()
        self._admit, self._wrong, self._right = link.script(_ADMIT), link.script(_WRONG), link.script(_RIGHT)
        self._take_back = link.script(_TAKE_BACK)

    def admit(self, keys: Sequence[str], *, stranger: bool = True) -> None:
        """Take one attempt under all of `keys`, counted as wrong until `right` or `take_back` says otherwise. Raises
        `SignInPaused` if one of them, or everybody, has to wait."""
        args: list[str | bytes | int | float] = [
            self._most_wrong,
            _ms(FORGET_SECONDS),
            int(stranger),
            PER_MINUTE,
            f"{self._name} {next(self._numbers)}",
        ]
        try:
            which, wait = self._admit(self._keys(keys), args)
        except RedisAway as error:
            log.info("attempts to sign in are counted by this process alone: %s", error)
            self._own.admit(keys, stranger=stranger)
            return
        if which:
            words = "too many wrong attempts" if which == 1 else "too many attempts at once"
            raise SignInPaused(words, wait_seconds=wait / 1000)

    def wrong(self, keys: Sequence[str]) -> bool:
        """The attempt was wrong. Did that pause one of `keys`?"""
        try:
            return bool(self._wrong(self._keys(keys), [self._most_wrong, _ms(self.pause_seconds)]))
        except RedisAway:
            return self._own.wrong(keys)

    def right(self, keys: Sequence[str]) -> None:
        """The attempt was right: nothing is held against its name any more, and it does not count for its address."""
        try:
            self._right(self._keys(keys), [])
        except RedisAway:
            self._own.right(keys)

    def take_back(self, keys: Sequence[str]) -> None:
        """Nobody can say whether the attempt was right: it is as if it had not been, but for everybody's minute."""
        try:
            self._take_back(self._keys(keys), [])
        except RedisAway:
            self._own.take_back(keys)

    def _keys(self, keys: Sequence[str]) -> list[str]:
        """Names and addresses stand there as digests."""
        digests = [hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:32] for key in keys]
        return [self._link.key("guesses"), *(self._link.key("guesses", digest) for digest in digests)]


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
