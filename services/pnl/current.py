"""The book as it is now: looked at whether it is out of date, and then built anew behind its readers' backs."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable
from threading import Condition, Event, Lock

from services.domain.errors import StorageError, UpstoxError
from services.pnl.building import Builder, Built
from services.storage.background import Recurring

QUICK_BUILD = 0.4
"""A book that was built within this is built anew while its reader waits, at most `SHORT_WAIT`."""
SHORT_WAIT = 1.0
REST = 2.0
"""Between two builds at least so many times as long as one took: a large book leaves the processor to others."""
LOOK_SECONDS = 0.2
"""Between two looks whether anything has changed."""
AGAIN_SECONDS = 15.0
"""After a book that could not be built."""
LINGER_SECONDS = 20.0

log = logging.getLogger(__name__)


class CurrentBook:
    """Any thread. The thread `pnl-book` builds, while there is something to do; the lock is not held across that."""

    def __init__(
        self, builder: Builder, *, account: Callable[[], str], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """`account`: the name of the running account."""
        self._builder = builder
        self._account = account
        self._monotonic = monotonic
        self._news = Condition(Lock())  # guards all below
        self._built: Built | None = None
        self._error: Exception | None = None
        self._builds = 0
        self._changes = 0
        self._looked = float("-inf")
        self._finished = float("-inf")
        self._wanted = False
        self._closed = Event()
        self._building = Recurring(self._build_step, name="pnl-book", linger=LINGER_SECONDS)

    def state(self) -> tuple[Built | None, bool, Exception | None]:
        """The book that was built last, whether another one is being built, and why the last one could not be."""
        with self._news:
            return self._built, self._wanted, self._error

    def get(self, wait: float, *, fresh: bool = False) -> Built | None:
        """The book, after a look whether it is out of date. `wait`: seconds for the very first one, and, with `fresh`,
        for one that holds all that is stored."""
        end = self._monotonic() + wait
        while True:
            self.look(at_once=fresh)
            with self._news:
                built = self._built
                if not self._wanted:
                    return built
                if not fresh:
                    pause = wait if built is None else SHORT_WAIT if built.seconds <= QUICK_BUILD else 0.0
                    self._news.wait_for(lambda: not self._wanted or self._closed.is_set(), pause)
                    return self._built
                self._news.wait_for(lambda: not self._wanted or self._closed.is_set(), end - self._monotonic())
                given_up = self._closed.is_set() or self._monotonic() >= end
                if given_up or self._error is not None:
                    return self._built
            # once more: what was built may have been begun before the newest rows came

    def look(self, *, at_once: bool = False) -> None:
        """Have the book built if it is out of date. Looks at the ledger at most every `LOOK_SECONDS`, unless it has to
        be known `at_once`."""
        with self._news:
            if self._wanted or (not at_once and self._monotonic() - self._looked < LOOK_SECONDS):
                return
            changes, built = self._changes, self._built
        stamp = self._builder.stamp(self._account(), changes)
        with self._news:
            self._looked = self._monotonic()
            if built is not None and built.stamp == stamp and self._changes == changes:
                return
            self._wanted = True
        self._building.ensure()

    def changed(self, *, stored: bool = False) -> None:
        """Something of which the book is made has changed. Never waits. `stored`: in the ledger, whose own stamp tells
        whether it did."""
        with self._news:
            self._changes += not stored
            self._looked = float("-inf")
            built = self._built is not None
        if built:
            self.look()

    def close(self) -> None:
        self._closed.set()
        with self._news:
            self._news.notify_all()
        self._building.close()

    def _build_step(self) -> float | None:
        with self._news:
            if not self._wanted or self._closed.is_set():
                return None
            built = self._built
            rest = 0.0 if built is None else self._finished + REST * built.seconds - self._monotonic()
            if built is not None and built.seconds > QUICK_BUILD and rest > 0:
                return rest
            changes, version = self._changes, self._builds + 1
        began = self._monotonic()
        made: Built | None = None
        error: Exception | None = None
        try:
            account = self._account()
            made = self._builder.build(self._builder.stamp(account, changes), account, version)
            made.kept.prepare()
        except (UpstoxError, sqlite3.Error) as failed:
            log.warning("the P&L could not be built: %s", failed)
            error = failed
        except Exception as failed:  # outermost of the thread: nobody may wait for ever for a book that is not made
            log.exception("the P&L could not be built")
            error = StorageError(f"a fault of the desk's own ({type(failed).__name__}); the log has it")
        with self._news:
            self._finished = self._monotonic()
            self._error = error
            if made is not None:
                self._builds = version
                self._built = made.timed(self._finished - began)
            self._wanted = False
            self._looked = float("-inf") if self._changes != changes else self._finished
            if error is not None:
                self._looked = self._finished + AGAIN_SECONDS
            self._news.notify_all()
        return None
