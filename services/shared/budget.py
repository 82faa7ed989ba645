"""The broker's documented limits, kept by all processes together: a `Gate` like that of one process, over Redis.

Exact while Redis answers: every call asks for its turn there, in one step, by Redis' clock. A caller learns its wait
before it waits, and looks again before it leaves only if it had to wait, because a 429 may have moved its turn.

Without Redis each process keeps to its own part of every window, and counts against that what it has used already.
What it used meanwhile, or what a Redis that lost its data has forgotten, is told to Redis as soon as it answers again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from math import ceil
from threading import Lock
from typing import Protocol

from services.domain.errors import RateBudgetSpent, RedisAway
from services.domain.time_words import duration
from services.shared import budget_scripts
from services.shared.link import RedisLink, Script
from services.wire.endpoints import Limit, Operation
from services.wire.rate_windows import MARGIN_SECONDS, Gate, Window, bucket_of, limits_of

LOOKED_SECONDS = 5.0
"""What was seen of all budgets is told for so long; then Redis is away."""
_MILLION = 1_000_000

Budgets = dict[str, tuple[tuple[Window, ...], float]]

log = logging.getLogger(__name__)


class OwnGate(Gate, Protocol):
    """This process's own gate, for its part of each window."""

    def count(self, operation: Operation) -> None:
        """A call of this budget leaves now, by leave of somebody else who keeps the limits."""

    def ages(self, operation: Operation) -> tuple[float, ...]:
        """Seconds since each call of this budget that left and still counts, oldest first."""


class SharedGate:
    """Hands out moments to send, over all processes. Safe to share; no lock is held while anybody waits."""

    def __init__(
        self,
        link: RedisLink,
        *,
        process: str,
        own: OwnGate,
        limits: Callable[[str], tuple[Limit, ...]] = limits_of,
        margin: float = MARGIN_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`own` keeps this process to its part of the limits while Redis is away; it counts every call."""
        self._link = link
        self._process = process
        self._own = own
        self._limits = limits
        self._margin = margin
        self._monotonic = monotonic
        self._sleep = sleep
        self._reserve, self._confirm = link.script(budget_scripts.RESERVE), link.script(budget_scripts.CONFIRM)
        self._close, self._peek = link.script(budget_scripts.PENALISE), link.script(budget_scripts.PEEK)
        self._count, self._windows = link.script(budget_scripts.COUNT), link.script(budget_scripts.WINDOWS)
        self._names = link.key("budget", "names")
        self._guard = Lock()  # guards the five below
        self._looked: tuple[float, Budgets] | None = None
        self._used: dict[str, Operation] = {}  # one operation of every budget that was used
        self._births: dict[str, bytes] = {}  # what tells a budget in Redis from one that took its place
        self._forgotten: set[str] = set()  # budgets of which Redis knows nothing of ours any more
        self._alone: dict[str, list[float]] = {}  # when calls left that Redis has not been told of

    # -- the turn of a call ------------------------------------------------------------------------------------

    def acquire(self, operation: Operation, *, max_wait: float) -> float:
        """As `Gate.acquire`."""
        began = self._monotonic()
        bucket = bucket_of(operation)
        with self._guard:
            self._used.setdefault(bucket, operation)
        try:
            self._tell_used(bucket)
            self._wait_turn(operation, bucket, began + max_wait)
        except RedisAway:
            left = max(0.0, began + max_wait - self._monotonic())
            self._own.acquire(operation, max_wait=left)
            now = self._monotonic()
            counts_since = now - max(limit.seconds for limit in self._limits(bucket)) - self._margin
            with self._guard:
                told = [moment for moment in self._alone.get(bucket, ()) if moment > counts_since]
                self._alone[bucket] = [*told, now]
        else:
            self._own.count(operation)
        return max(0.0, self._monotonic() - began)

    def _wait_turn(self, operation: Operation, bucket: str, until: float) -> None:
        """Come back when it is our turn. `RedisAway`: there is none over Redis."""
        while True:
            most = max(0, round((until - self._monotonic()) * _MILLION))
            number, wait = self._step(self._reserve, bucket, most, self._process)
            if number == 0:
                raise _spent(operation, wait)
            known = True
            while wait > 0 and known:
                self._sleep(wait)
                try:
                    state, wait = self._step(self._confirm, bucket, number, "")
                except RedisAway:
                    return  # the turn was granted; nothing is known against it
                if state == 0:
                    raise _spent(operation, wait)
                known = state == 1
            if known:
                return

    def penalise(self, operation: Operation, seconds: float) -> None:
        """As `Gate.penalise`, for every process."""
        self._own.penalise(operation, seconds)
        try:
            self._step(self._close, bucket_of(operation), round(seconds * _MILLION), "")
        except RedisAway as error:
            log.warning("the other processes were not told of a 429 for %s: %s", operation.name, error)

    def wait_for(self, operation: Operation) -> float:
        """As `Gate.wait_for`."""
        try:
            return self._step(self._peek, bucket_of(operation), 0, "")[1]
        except RedisAway:
            return self._own.wait_for(operation)

    # -- what is used ------------------------------------------------------------------------------------------

    def budget(self, operation: Operation) -> tuple[Window, ...]:
        """As `Gate.budget`: over all processes, or this one's part while Redis is away."""
        try:
            return self._look(bucket_of(operation))[0]
        except RedisAway:
            return self._own.budget(operation)

    def budgets(self) -> Budgets:
        """As `Gate.budgets`: over all processes, or this one's part while Redis is away. Where `keep_told` looks at
        them regularly this asks nobody."""
        with self._guard:
            looked = self._looked
        if looked is not None:
            return looked[1] if self._monotonic() - looked[0] < LOOKED_SECONDS else self._own.budgets()
        try:
            return self._look_at_all()
        except RedisAway:
            return self._own.budgets()

    def _look_at_all(self) -> Budgets:
        names = self._link.run(lambda client: client.smembers(self._names))
        return {name: self._look(name) for name in sorted(_text(one) for one in names)}

    def keep_told(self) -> None:
        """Tell Redis what it does not know of this process's calls, and look at all budgets. To be called about once a
        second. Raises `RedisAway`."""
        with self._guard:
            used = list(self._used)
        for bucket in used:
            self._step(self._peek, bucket, 0, "")  # is it still the Redis that knew them?
            self._tell_used(bucket)
        budgets = self._look_at_all()
        with self._guard:
            self._looked = self._monotonic(), budgets

    def _look(self, bucket: str) -> tuple[tuple[Window, ...], float]:
        limits = self._limits(bucket)
        told = self._windows(self._keys(bucket), [bucket, 0, "", *_spans(limits, 0.0)])
        windows = tuple(
            Window(limit, int(told[2 * place + 1]), int(told[2 * place + 2]) / _MILLION)
            for place, limit in enumerate(limits)
        )
        return windows, int(told[0]) / _MILLION

    def _tell_used(self, bucket: str) -> None:
        """Calls that left while Redis was away; all that count still, if it has lost what it knew."""
        with self._guard:
            operation, forgotten = self._used[bucket], bucket in self._forgotten
            if not forgotten and bucket not in self._alone:
                return
            alone = self._alone.pop(bucket, [])
            self._forgotten.discard(bucket)
        now = self._monotonic()
        ages = self._own.ages(operation) if forgotten else tuple(now - moment for moment in alone)
        told = " ".join(str(max(0, round(age * _MILLION))) for age in ages)
        try:
            self._count(self._keys(bucket), [bucket, told, self._process, *self._spans(bucket)])
        except RedisAway:
            with self._guard:
                self._alone[bucket] = [*alone, *self._alone.get(bucket, [])]
                if forgotten:
                    self._forgotten.add(bucket)
            raise

    def _step(self, script: Script, bucket: str, one: str | bytes | int, two: str) -> tuple[int | bytes, float]:
        """Run a step of that budget. Its first answer, and seconds."""
        first, micros, birth = script(self._keys(bucket), [bucket, one, two, *self._spans(bucket)])
        with self._guard:
            if self._births.setdefault(bucket, birth) != birth:  # another Redis, or one that has lost its data
                self._births[bucket] = birth
                self._forgotten.add(bucket)
        return first, int(micros) / _MILLION

    def _keys(self, bucket: str) -> list[str]:
        key = self._link.key
        return [*(key("budget", bucket, part) for part in ("calls", "meta", "waiting")), self._names]

    def _spans(self, bucket: str) -> list[int]:
        return _spans(self._limits(bucket), self._margin)


def _text(name: bytes | str) -> str:
    return name if isinstance(name, str) else name.decode()


def _spans(limits: tuple[Limit, ...], margin: float) -> list[int]:
    return [part for limit in limits for part in (limit.calls, round((limit.seconds + margin) * _MILLION))]


def _spent(operation: Operation, wait: float) -> RateBudgetSpent:
    return RateBudgetSpent(
        f"the broker's limit for {operation.name} is used up; the next call is possible in {duration(ceil(wait))}",
        wait_seconds=wait,
    )
