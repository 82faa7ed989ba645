"""How the account goes on from one state to the next: one at a time, in the file before anybody is told, and together
with whoever acts on what happens to it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from threading import RLock
from typing import Protocol

from services.domain.clock import epoch_ms, from_epoch_ms
from services.paper.trading.order_values import Order
from services.paper.trading.position_values import HoldingNow, Position
from services.paper.trading.state import State
from services.paper.trading.store import TradingStore
from services.paper.trading.work import Published, Work


class Now(Protocol):
    """The broker's clock."""

    def now(self) -> datetime: ...


class Follower(Protocol):
    """Somebody who acts on what happens to the account (orders that wait for a price). Called within the desk's
    transaction: what is done there is written with it."""

    def advance(self, now: datetime) -> None:
        """Time has gone on."""

    def order_changed(self, order: Order) -> None:
        """`order` has made a step; called once for each."""

    def load(self) -> None:
        """Read everything anew: another account has begun, or what was done last was undone."""

    @property
    def waits(self) -> bool:
        """Is there anything that time or prices could bring about?"""


class Running(ABC):
    """One account that goes on with its clock. Safe for several threads; one lock lets one call after the other in.
    `publish(kind, value)` is called after each commit, with kinds `order`, `position` and `holding`; it must not
    block."""

    def __init__(
        self, store: TradingStore, state: State, clock: Now, publish: Callable[[str, Published], None]
    ) -> None:
        self._store = store
        self._state = state
        self._clock = clock
        self._publish = publish
        self._lock = RLock()
        self._work: Work | None = None
        self._heard = 0  # steps of the running work that the followers know of
        self._followers: list[Follower] = []
        self._advanced = from_epoch_ms(state.book.at_ms)
        self._now = self._advanced
        """The instant of the running work."""

    @abstractmethod
    def _go_on(self, work: Work, since: datetime, at: datetime) -> None:
        """Do what was due after `since` up to `at`."""

    def advance(self, now: datetime | None = None) -> None:
        """Let the account go on to `now`. Prices move with whole seconds, and so does this: a second call within one
        costs next to nothing, and so does any while no order lives."""
        with self._lock:
            if self._work is not None:
                return
            at = self._clock.now() if now is None else now
            since, self._now = self._advanced, at
            if since <= at and epoch_ms(since) // 1000 == epoch_ms(at) // 1000:
                return
            with self._working() as work:
                self._go_on(work, since, at)
                self._tell_followers(work)
                for follower in self._followers:
                    if follower.waits:
                        follower.advance(at)
                        self._tell_followers(work)
            self._advanced = at

    @contextmanager
    def transaction(self) -> Iterator[Work]:
        """Everything that is done within is written together at the end of the outermost one, or, after an exception,
        not at all."""
        with self._lock:
            if self._work is not None:
                yield self._work
                return
            self.advance()
            with self._working() as work:
                yield work
                self._tell_followers(work)

    def attach(self, follower: Follower) -> None:
        with self._lock:
            self._followers.append(follower)

    def save_gtt(self, gtt_id: str, body: str, alive: bool) -> None:
        """Keep the text of a GTT order; `alive`: it is still to be watched."""
        with self.transaction() as work:
            work.gtts.put(gtt_id, (body, alive))

    def gtts(self) -> list[tuple[str, str, bool]]:
        """Id, text and whether it is still watched, the oldest first."""
        with self._lock:  # as it stands: also asked for when something has just been undone
            work = self._work if self._work is not None else Work(self._state)
            return [(gtt_id, body, alive) for gtt_id, (body, alive) in work.gtts.items()]

    def next_number(self, name: str) -> int:
        """The next number of a series of that name; never told twice."""
        with self.transaction() as work:
            return work.next(f"other:{name}")

    def after_commit(self, tell: Callable[[], None]) -> None:
        """Call `tell` when what is being done is in the file."""
        with self.transaction() as work:
            work.told.append(tell)

    @contextmanager
    def _working(self) -> Iterator[Work]:
        work = self._work = Work(self._state)
        self._heard = 0
        try:
            yield work
            if work.dirty:
                work.book = replace(work.book, at_ms=epoch_ms(self._now))
                self._store.save(work)
        except BaseException:
            self._work = None
            if self._heard:
                for follower in self._followers:
                    follower.load()
            raise
        self._work = None
        changes = work.changes()
        work.merge()
        for value in changes:
            self._publish(_KINDS[type(value)], value)
        for tell in work.told:
            tell()

    @contextmanager
    def _reading(self) -> Iterator[Work]:
        """The running work, or the account as it stands."""
        with self._lock:
            self.advance()
            yield self._work if self._work is not None else Work(self._state)

    def _tell_followers(self, work: Work) -> None:
        while self._heard < len(work.steps):
            order = work.steps[self._heard]
            self._heard += 1
            for follower in self._followers:
                follower.order_changed(order)


_KINDS: Mapping[type, str] = {Order: "order", Position: "position", HoldingNow: "holding"}
