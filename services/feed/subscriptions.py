"""Who wants which instruments, in which mode, and what has to be said to the broker so that it sends them.

    holders   a push connection, a script: hold keys until they let go
    leases    a page that polls: wants keys until an instant, and renews that by each run, so no leak is possible

A key that several want comes in the strongest mode that one of them asked for. What nobody wants any more stays
subscribed for a moment, so that going from page to page does not tear everything down and build it up again.
Pure: no socket, no lock, no clock; instants are monotonic seconds of its owner, whose lock guards it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from heapq import heappop, heappush

from services.domain.errors import InvalidRequest
from services.domain.instruments import require_instrument_key
from services.wire.feed.requests import FeedMethod, FeedMode

GRACE_SECONDS = 10.0
STRENGTH = {FeedMode.LTPC: 0, FeedMode.OPTION_GREEKS: 1, FeedMode.FULL: 2, FeedMode.FULL_D30: 3}
"""Each mode carries all that the weaker ones do."""
_NOBODY: frozenset[FeedMode] = frozenset()


@dataclass(frozen=True, slots=True)
class Limits:
    """How many keys a connection takes in each mode, alone and beside other modes. 0: the account has no such mode."""

    alone: Mapping[FeedMode, int]
    mixed: Mapping[FeedMode, int]


ORDINARY = Limits(
    {FeedMode.LTPC: 5000, FeedMode.OPTION_GREEKS: 3000, FeedMode.FULL: 2000, FeedMode.FULL_D30: 0},
    {FeedMode.LTPC: 2000, FeedMode.OPTION_GREEKS: 2000, FeedMode.FULL: 1500, FeedMode.FULL_D30: 0},
)
PLUS = Limits({**ORDINARY.alone, FeedMode.FULL_D30: 50}, {**ORDINARY.mixed, FeedMode.FULL_D30: 50})
"""The paid plan. One page names 1500 for `full_d30` beside other modes; the smaller figure is safe."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something to be said to the broker. `mode` is None for an unsubscription, and only there."""

    method: FeedMethod
    mode: FeedMode | None
    keys: tuple[str, ...]


class Subscriptions:
    """What is wanted, against what the broker was told on the connection that is open now."""

    def __init__(self, *, limits: Limits = ORDINARY, grace: float = GRACE_SECONDS) -> None:
        self._limits = limits
        self._grace = grace
        self._held: dict[str, dict[str, FeedMode]] = {}  # by holder
        self._users: dict[str, Counter[FeedMode]] = {}  # by key: how many holders want it in which mode
        self._leases: dict[str, dict[FeedMode, float]] = {}  # by key: until when
        self._ends: list[tuple[float, str]] = []  # heap of instants at which something of a key may end
        self._wanted: dict[str, FeedMode] = {}
        self._counts: Counter[FeedMode] = Counter()  # of `_wanted`
        self._asked: dict[str, frozenset[FeedMode]] = {}  # by key: every mode that somebody asked for
        self._asked_counts: Counter[FeedMode] = Counter()  # keys of `_asked`, by each of their modes
        self._sent: dict[str, FeedMode] = {}
        self._unwanted_since: dict[str, float] = {}  # sent, and wanted in a weaker mode or not at all
        self._changed: dict[str, None] = {}  # keys to look at, in order

    # -- wanting -----------------------------------------------------------------------------------------------

    def hold(self, holder: str, keys: Iterable[str], mode: FeedMode | str, now: float) -> None:
        """`holder` wants `keys` in `mode` as well, from now on; a key that it holds already changes to this mode.

        Raises `InvalidRequest`, and changes nothing, for what is no instrument key or mode and for more than the
        broker's limits allow.
        """
        mode, wanted = _mode(mode), _keys(keys)
        self.expire(now)
        self._check({key: self._modes(key, now, holder, mode) for key in wanted}, holder, mode)
        for key in wanted:
            self._put(holder, key, mode)
            self._look(key, now)

    def replace(self, holder: str, keys: Iterable[str], mode: FeedMode | str, now: float) -> None:
        """`holder` wants exactly `keys` from now on. Raises as `hold` does."""
        mode, wanted = _mode(mode), _keys(keys)
        self.expire(now)
        gone = self._held.get(holder, {}).keys() - set(wanted)
        after = {key: self._modes(key, now, holder, None) for key in gone}
        after |= {key: self._modes(key, now, holder, mode) for key in wanted}
        self._check(after, holder, mode)
        self.drop(holder, gone, now)
        for key in wanted:
            self._put(holder, key, mode)
            self._look(key, now)

    def drop(self, holder: str, keys: Iterable[str], now: float) -> None:
        """`holder` lets go of `keys`; one that it does not hold is passed over."""
        for key in _listed(keys):
            self._put(holder, key, None)
            self._look(key, now)

    def release(self, holder: str, now: float) -> None:
        """`holder` is gone."""
        self.drop(holder, list(self._held.get(holder, ())), now)

    def lease(self, keys: Iterable[str], mode: FeedMode | str, until: float, now: float) -> None:
        """Somebody wants `keys` in `mode` until then; a longer lease of the same stands. Raises as `hold` does."""
        mode, wanted = _mode(mode), _keys(keys)
        self.expire(now)
        self._check({key: self._modes(key, now) | {mode} for key in wanted}, "a page", mode)
        for key in wanted:
            leases = self._leases.setdefault(key, {})
            if until > leases.get(mode, 0.0):
                leases[mode] = until
                heappush(self._ends, (until, key))
            self._look(key, now)

    # -- what is to be said ------------------------------------------------------------------------------------

    def changes(self, now: float) -> list[Change]:
        """What to tell the broker now, in this order. They count as told: if one cannot be sent, the connection is
        over, and `forget` is due."""
        self.expire(now)
        if not self._changed:
            return []
        for key in self._changed:
            if _weaker(self._wanted.get(key), self._sent.get(key)):
                self._unwanted_since.setdefault(key, now)
            else:
                self._unwanted_since.pop(key, None)
        self._make_room()
        gone: list[str] = []
        to_mode: dict[FeedMode, list[str]] = {}
        new: dict[FeedMode, list[str]] = {}
        for key in list(self._changed):
            want, sent = self._wanted.get(key), self._sent.get(key)
            if want is sent:
                continue
            if sent is None:
                assert want is not None
                new.setdefault(want, []).append(key)
            elif not _weaker(want, sent):
                assert want is not None
                to_mode.setdefault(want, []).append(key)
            elif now < (due := self._unwanted_since[key] + self._grace):
                heappush(self._ends, (due, key))
            elif want is None:
                gone.append(key)
            else:
                to_mode.setdefault(want, []).append(key)
        self._changed.clear()
        changes = [Change(FeedMethod.UNSUBSCRIBE, None, tuple(gone))] if gone else []
        weakest_first = sorted(to_mode, key=STRENGTH.__getitem__)
        changes += [Change(FeedMethod.CHANGE_MODE, mode, tuple(to_mode[mode])) for mode in weakest_first]
        changes += [Change(FeedMethod.SUBSCRIBE, mode, tuple(keys)) for mode, keys in new.items()]
        for change in changes:
            self._told(change)
        return changes

    def forget(self) -> list[str]:
        """The connection is gone and with it all that was subscribed: everything wanted has to be said again. Returns
        the keys that were subscribed and that nobody wants."""
        gone = [key for key in self._sent if key not in self._wanted]
        self._sent.clear()
        self._unwanted_since.clear()
        self._changed = dict.fromkeys(self._wanted)
        return gone

    def next_due(self) -> float | None:
        """The instant at which `changes` may have something to say without anybody asking for it."""
        return self._ends[0][0] if self._ends else None

    @property
    def pending(self) -> bool:
        """Did something change since `changes` was asked last?"""
        return bool(self._changed)

    # -- looking -----------------------------------------------------------------------------------------------

    def wanted(self) -> dict[str, FeedMode]:
        """Every key that somebody wants, and in which mode."""
        return dict(self._wanted)

    def sent(self) -> Mapping[str, FeedMode]:
        """What the broker was told on this connection. Not a copy."""
        return self._sent

    def count(self) -> int:
        return len(self._wanted)

    def counts(self) -> dict[str, int]:
        """Wanted keys by mode."""
        return {mode.value: count for mode, count in self._counts.items() if count}

    def holders(self) -> dict[str, int]:
        """How many keys each holder has."""
        return {holder: len(keys) for holder, keys in self._held.items()}

    # -- inside ------------------------------------------------------------------------------------------------

    def _told(self, change: Change) -> None:
        for key in change.keys:
            self._unwanted_since.pop(key, None)
            if change.mode is None:
                del self._sent[key]
            else:
                self._sent[key] = change.mode

    def _look(self, key: str, now: float) -> None:
        """Find out what is wanted of `key` now."""
        modes = self._modes(key, now)
        if modes == self._asked.get(key, _NOBODY):
            return  # a lease that was renewed: by far the most
        self._asked_counts.subtract(self._asked.pop(key, ()))
        if modes:
            self._asked[key] = modes
            self._asked_counts.update(modes)
        want, before = _strongest(modes), self._wanted.get(key)
        if want is before:
            return
        if before is not None:
            self._counts[before] -= 1
        if want is None:
            del self._wanted[key]
        else:
            self._counts[want] += 1
            self._wanted[key] = want
        self._changed[key] = None

    def _put(self, holder: str, key: str, mode: FeedMode | None) -> None:
        """Write down that `holder` wants `key` in `mode`, None: no more."""
        mine = self._held.setdefault(holder, {})
        users = self._users.setdefault(key, Counter())
        before = mine.pop(key, None)
        if before is not None:
            users[before] -= 1
        if mode is not None:
            mine[key] = mode
            users[mode] += 1
        if not mine:
            del self._held[holder]
        if not users.total():
            del self._users[key]

    def _modes(
        self, key: str, now: float, holder: str | None = None, instead: FeedMode | None = None
    ) -> frozenset[FeedMode]:
        """In which modes `key` is wanted: by everybody, or if `holder` wanted it in the mode `instead` (None: not at
        all)."""
        mine = self._held.get(holder, {}).get(key) if holder is not None else None
        modes = {mode for mode, count in self._users.get(key, {}).items() if count > (mode is mine)}
        modes |= {mode for mode, until in self._leases.get(key, {}).items() if until > now}
        return frozenset(modes if instead is None else modes | {instead})

    def expire(self, now: float) -> None:
        """Drop the leases that ended. Whoever adds to them has this done first, so they never pile up."""
        while self._ends and self._ends[0][0] <= now:
            _, key = heappop(self._ends)
            leases = self._leases.get(key, {})
            for mode in [mode for mode, until in leases.items() if until <= now]:
                del leases[mode]
            if not leases:
                self._leases.pop(key, None)
            self._look(key, now)
            if key in self._unwanted_since:
                self._changed[key] = None

    def _make_room(self) -> None:
        """Keys in their grace must not push out wanted ones: the broker passes over what is too much, in silence."""
        if not self._unwanted_since:
            return
        counts = self._counts.copy()
        for key in self._unwanted_since:
            counts[self._sent[key]] += 1
        if _over(counts, self._limits) is not None:
            self._changed |= dict.fromkeys(self._unwanted_since)
            self._unwanted_since = dict.fromkeys(self._unwanted_since, float("-inf"))

    def _check(self, after: Mapping[str, frozenset[FeedMode]], who: str, mode: FeedMode) -> None:
        """`InvalidRequest` if the broker would not take what is wanted once `after` is, or what is left when some let
        go: a key that one wants in full and another for its price counts for both."""
        counts = self._asked_counts.copy()
        for key, modes in after.items():
            counts.subtract(self._asked.get(key, ()))
            counts.update(modes)
        over = _over(counts, self._limits)
        if over is None:
            return
        full, most = over
        if most == 0:
            raise InvalidRequest(f"mode {full} belongs to the broker's Plus plan; this account has {FeedMode.FULL}")
        beside = " beside other modes" if sum(1 for count in counts.values() if count > 0) > 1 else ""
        largest = sorted(self._held, key=lambda holder: -len(self._held[holder]))[:3]
        held = ", ".join(f"{holder} has {len(self._held[holder])}" for holder in largest) or "nobody has any yet"
        raise InvalidRequest(
            f"the feed takes {most:,} instruments in mode {full}{beside}; with the {len(after):,} that {who} asks for "
            f"in mode {mode} it would be {counts[full]:,} ({held})"
        )


def _over(counts: Mapping[FeedMode, int], limits: Limits) -> tuple[FeedMode, int] | None:
    """The first mode with more keys than the limits allow, and how many these are."""
    used = [mode for mode, count in counts.items() if count > 0]
    most = limits.alone if len(used) <= 1 else limits.mixed
    return next(((mode, most[mode]) for mode in used if counts[mode] > most[mode]), None)


def _weaker(want: FeedMode | None, sent: FeedMode | None) -> bool:
    """Is less wanted than was sent for?"""
    return sent is not None and (want is None or STRENGTH[want] < STRENGTH[sent])


def _strongest(modes: Iterable[FeedMode]) -> FeedMode | None:
    return max(modes, key=STRENGTH.__getitem__, default=None)


def _mode(text: FeedMode | str) -> FeedMode:
    try:
        return FeedMode(text)
    except ValueError:
        raise InvalidRequest(f"{str(text)[:30]!r} is no mode of the feed: {', '.join(FeedMode)}") from None


def _keys(keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(require_instrument_key(key) for key in _listed(keys)))


def _listed(keys: Iterable[str]) -> list[str]:
    if isinstance(keys, str):
        raise InvalidRequest("a list of instrument keys is wanted, not a single text")
    return list(keys)
