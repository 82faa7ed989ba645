"""Quotes in common: the tier between a process's memory and its file, one request for each key over all processes, and
what screens look at anywhere.

Every quote is a key of its own that expires with its TTL, so whatever is found is fresh, whatever the hosts' clocks
say. An empty value means that the broker answered and said nothing. `<quote>:f` is a claim: somebody asks the broker,
until the quote is put, the claim is given up, or its time is over because the asker died.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping
from threading import Lock

import msgspec

from services.domain.errors import MalformedPayload
from services.domain.quote_row import QuoteRow
from services.domain.shared_quotes import Claim, Told
from services.shared.lease import Lease
from services.shared.link import RedisLink
from services.shared.packing import SHAPE, pack, unpack
from services.shared.processes import Processes

TTL_SECONDS = 4.9
"""A little less than rows are fresh in memory: they were some moments old when they were put."""
CLAIM_SECONDS = 5.0
"""Nobody waits longer than this for another process's request."""
LOOK_SECONDS = 0.02
WATCH_SECONDS = 10.0
"""What a process watches falls away if it has not said so again for so long."""

_CLAIMS = """
local claims = {}
for place, key in ipairs(KEYS) do claims[place] = key .. ':f' end
local askers = redis.call('MGET', unpack(claims))
"""
_CLAIM = (
    _CLAIMS
    + """
local answers = ARGV[3] == '0' and redis.call('MGET', unpack(KEYS)) or {}
for place, claim in ipairs(claims) do
  if not answers[place] then
    if askers[place] and askers[place] ~= ARGV[1] then answers[place] = 1
    else
      redis.call('SET', claim, ARGV[1], 'PX', ARGV[2])
      answers[place] = 0
    end
  end
end
return answers
"""
)
"""KEYS quotes; ARGV process, ms of a claim, 1 = whatever is known. Of each: the quote, 1 = another asks, 0 = we do."""
_PUT = (
    _CLAIMS
    + """
local ours = {}
for place, key in ipairs(KEYS) do
  if ARGV[place + 2] ~= '-' then redis.call('SET', key, ARGV[place + 2], 'PX', ARGV[2]) end
  if askers[place] == ARGV[1] then ours[#ours + 1] = claims[place] end
end
if #ours > 0 then redis.call('DEL', unpack(ours)) end
return 1
"""
)
"""KEYS quotes; ARGV process, ms of a quote, then the quotes; `-`: none, only the claim ends."""

log = logging.getLogger(__name__)


class QuoteTier:
    """`SharedQuotes` over Redis. Safe to share between threads."""

    def __init__(
        self,
        link: RedisLink,
        *,
        lease: Lease,
        processes: Processes,
        ttl: float = TTL_SECONDS,
        claim: float = CLAIM_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`ttl` and `claim` in real seconds."""
        self._link = link
        self._lease = lease
        self._processes = processes
        self._process = lease.process
        self._ttl_ms, self._claim_ms = round(ttl * 1000), round(claim * 1000)
        self._claim_seconds = claim
        self._monotonic = monotonic
        self._sleep = sleep
        self.prefix = link.key(f"q{SHAPE}", "")
        self._claim, self._put = link.script(_CLAIM), link.script(_PUT)
        self._guard = Lock()  # guards the three below
        self._watched: tuple[str, ...] = ()
        self._elsewhere: list[str] = []
        self._wake: list[Callable[[], None]] = []

    # -- the tier ----------------------------------------------------------------------------------------------

    def fresh(self, keys: Collection[str]) -> Told:
        """As `SharedQuotes.fresh`."""
        if not keys:
            return Told()
        prefix = self.prefix
        found = self._link.mget([prefix + key for key in keys])
        return _told(keys, found)

    def put(self, rows: Mapping[str, QuoteRow], silent: Collection[str]) -> None:
        """As `SharedQuotes.put`."""
        values = dict.fromkeys(silent, b"")
        for key, row in rows.items():
            try:
                values[key] = pack(row)
            except MalformedPayload as error:  # whoever looks is told; the others ask by themselves
                log.warning("the quote of %s is not handed on: %s", key, error)
                values[key] = b"-"
        self._end(values)

    # -- one request for each key ------------------------------------------------------------------------------

    def claim(self, keys: Collection[str], *, again: bool) -> Claim:
        """As `SharedQuotes.claim`."""
        asked = list(keys)
        told = self._claim(self._names(asked), [self._process, self._claim_ms, int(again)])
        known = [one if isinstance(one, bytes) else None for one in told]
        found = _told(asked, known)
        unread = [key for key in asked if key not in found.rows and key not in found.silent]
        theirs = {key for key, one in zip(asked, told, strict=True) if one == 1}
        return Claim(
            found, tuple(key for key in unread if key not in theirs), tuple(key for key in unread if key in theirs)
        )

    def wait(self, keys: Collection[str]) -> Told:
        """As `SharedQuotes.wait`."""
        until = self._monotonic() + self._claim_seconds
        waiting, pause = self._names(keys), LOOK_SECONDS
        while True:
            claims = self._link.mget([name + ":f" for name in waiting])
            waiting = [name for name, asker in zip(waiting, claims, strict=True) if asker is not None]
            if not waiting or self._monotonic() >= until:
                return self.fresh(keys)
            self._sleep(pause)
            pause = min(0.1, 1.5 * pause)

    def give_up(self, keys: Collection[str]) -> None:
        """As `SharedQuotes.give_up`."""
        self._end(dict.fromkeys(keys, b"-"))

    def _end(self, values: Mapping[str, bytes]) -> None:
        if values:
            self._put(self._names(values), [self._process, self._ttl_ms, *values.values()])

    def _names(self, keys: Collection[str]) -> list[str]:
        prefix = self.prefix
        return [prefix + key for key in keys]

    # -- what is watched ---------------------------------------------------------------------------------------

    def on_watch(self, wake: Callable[[], None]) -> None:
        """Have `wake()` called when this process is to refresh what others watch. It must not wait."""
        with self._guard:
            self._wake.append(wake)

    def watch(self, keys: Collection[str]) -> None:
        """As `SharedQuotes.watch`."""
        with self._guard:
            self._watched = tuple(keys)

    def watched_elsewhere(self) -> list[str]:
        """As `SharedQuotes.watched_elsewhere`."""
        if not self._lease.leads():
            return []
        with self._guard:
            return list(self._elsewhere)

    def refreshed_elsewhere(self) -> bool:
        """As `SharedQuotes.refreshed_elsewhere`."""
        if not self._link.state().up:
            return False
        holder = self._lease.holder()
        return holder is not None and holder.process != self._process

    def exchange(self) -> None:
        """Tell what is watched here; learn what is watched elsewhere, if we refresh for all. Once a second. Raises
        `RedisAway`."""
        with self._guard:
            watched = self._watched
        mine = self._watch_key(self._process)
        leads = self._lease.leads()
        if watched and not leads:
            packed = msgspec.msgpack.encode(watched)
            self._link.run(lambda client: client.set(mine, packed, px=round(WATCH_SECONDS * 1000)))
        else:
            self._link.run(lambda client: client.delete(mine))
        elsewhere: list[str] = []
        others = [self._watch_key(one.id) for one in self._processes.all() if one.id != self._process]
        if leads and others:
            told = self._link.mget(others)
            elsewhere = list(dict.fromkeys(key for one in told if one is not None for key in _watched(one)))
        with self._guard:
            self._elsewhere = elsewhere
            wake = list(self._wake) if elsewhere else []
        for one in wake:
            one()

    def _watch_key(self, process: str) -> str:
        return self._link.key("watched", process)


def _watched(packed: bytes) -> list[str]:
    try:
        return msgspec.msgpack.decode(packed, type=list[str])
    except msgspec.DecodeError as error:  # of another version of the desk
        log.warning("what another process watches cannot be read: %s", error)
        return []


def _told(keys: Collection[str], found: Collection[bytes | None]) -> Told:
    """What was found of `keys`. What cannot be read counts as not there."""
    rows: dict[str, QuoteRow] = {}
    silent: list[str] = []
    for key, packed in zip(keys, found, strict=True):
        if packed is None:
            continue
        if not packed:
            silent.append(key)
            continue
        try:
            rows[key] = unpack(packed)
        except msgspec.DecodeError as error:
            log.warning("a quote of %s that another process told cannot be read: %s", key, error)
    return Told(rows, frozenset(silent))
