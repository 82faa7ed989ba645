"""A collaborator built on first use, once, and closed with its owner in reverse order.

By hand, because `functools.cached_property` has no lock from Python 3.12 on and no container library closes what it
built in reverse order of building.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import ExitStack
from threading import RLock, Thread
from typing import Any, Generic, Self, TypeVar, overload

T = TypeVar("T")

BUSY_SECONDS = 1.5
"""All busy parts together get so long to end."""

log = logging.getLogger(__name__)


class Parts:
    """Base of a class whose attributes are `part`s. Every part has a lock of its own, so that one which waits for the
    network does not hold up the others; parts ask for each other without cycles, so the locks cannot cross."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}  # values of all kinds; each `part` knows its own type
        self._locks: dict[str, RLock] = {}
        self._guard = RLock()  # guards the locks above and everything below
        self._begin: list[Callable[[], object]] = []
        self._busy: list[Callable[[], object]] = []
        self._exit = ExitStack()
        self._closed = False

    def _lock_of(self, name: str) -> RLock:
        with self._guard:
            return self._locks.setdefault(name, RLock())

    def built(self, name: str) -> bool:
        """Has the part called `name` been made already?"""
        return name in self._made

    def keep(self, value: T, name: str, *, busy: bool = False) -> T:
        """Have `value` closed at the end, if it has `close`. If the end came while it was built, it is closed at once
        and `RuntimeError` raised.

        `begin_close()`, where it has that, is called before anything is closed and must not wait. `busy`: it has
        threads of its own and nobody else builds on it; such parts are closed first, all at the same time.
        """
        close: Callable[[], object] | None = getattr(value, "close", None)
        begin: Callable[[], object] | None = getattr(value, "begin_close", None)
        with self._guard:
            late = self._closed
            if not late and begin is not None:
                self._begin.append(begin)
            if not late and close is not None and busy:
                self._busy.append(close)
            elif not late and close is not None:
                self._exit.callback(close)
        if late:
            if close is not None:
                close()
            raise RuntimeError(f"the runtime is closed; {name} was asked for")
        return value

    def close(self) -> None:
        """Tell all parts to stop, then close every one that was built, the last one first. A second call does nothing.

        A busy part that hangs (on a broker that does not answer) is left behind after `BUSY_SECONDS`.
        """
        with self._guard:
            if self._closed:
                return
            self._closed = True
        for begin in reversed(self._begin):
            begin()
        _all_at_once(self._busy, BUSY_SECONDS)
        self._exit.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class part(Generic[T]):  # noqa: N801  # reads as a decorator
    """Decorates a method that builds a collaborator. If the result has `close`, the owner calls it at its own end."""

    busy = False

    def __init__(self, build: Callable[[Any], T]) -> None:
        self._build = build
        self.__doc__ = build.__doc__

    def __set_name__(self, owner: type[Parts], name: str) -> None:
        self._name = name

    @overload
    def __get__(self, owner: None, kind: type[Parts]) -> part[T]: ...
    @overload
    def __get__(self, owner: Parts, kind: type[Parts]) -> T: ...
    def __get__(self, owner: Parts | None, kind: type[Parts]) -> part[T] | T:
        if owner is None:
            return self
        made = owner._made
        if self._name in made:  # the common way, without a lock: entries are only ever added
            found: T = made[self._name]
            return found
        with owner._lock_of(self._name):
            if self._name not in made:
                if owner._closed:
                    raise RuntimeError(f"the runtime is closed; {self._name} was asked for")
                made[self._name] = owner.keep(self._build(owner), self._name, busy=self.busy)
            built: T = made[self._name]
            return built


class busy_part(part[T]):  # noqa: N801  # reads as a decorator
    """A part with threads of its own that no other part needs: see `Parts.keep`."""

    busy = True


def _all_at_once(closers: list[Callable[[], object]], seconds: float) -> None:
    """Call all of them, each in a thread, and wait for them at most so long, all together."""
    deadline = time.monotonic() + seconds
    threads = []
    for close in closers:
        thread = Thread(target=_closed, args=(close,), name="closing", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the interpreter ends and starts no more threads
            _closed(close)
        else:
            threads.append(thread)
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    if left := sum(thread.is_alive() for thread in threads):
        log.warning("%d parts were still busy %.1f s after they were told to stop; left behind", left, seconds)


def _closed(close: Callable[[], object]) -> None:
    try:
        close()
    except Exception:  # the outermost of its thread: the other parts have to be closed all the same
        log.exception("a part could not be closed")
