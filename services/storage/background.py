"""Threads that end when they are told to: a few workers, and one that does the same step again and again.

By hand, because `ThreadPoolExecutor` waits for its threads at exit, and one of them may sit in a request for as long as
its timeout; these are daemons, joined for a bounded time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from queue import SimpleQueue
from threading import Event, Lock, Thread, current_thread
from time import monotonic

_AFTER_A_FAULT = 1.0

log = logging.getLogger(__name__)


class Workers:
    """At most `count` daemon threads named `<name>-1` ... that run what is submitted, in order. Started on need."""

    def __init__(self, count: int, *, name: str) -> None:
        self._count = count
        self._name = name
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._guard = Lock()  # guards the three below
        self._threads: list[Thread] = []
        self._busy = 0
        self._closed = False

    def submit(self, work: Callable[[], None]) -> bool:
        """Have `work` run soon. False: closed, it will not be run."""
        with self._guard:
            if self._closed:
                return False
            self._busy += 1
            if self._busy > len(self._threads) < self._count:
                thread = Thread(target=self._run, name=f"{self._name}-{len(self._threads) + 1}", daemon=True)
                self._threads.append(thread)
                thread.start()
            self._queue.put(work)
            return True

    def close(self, timeout: float = 2.0) -> None:
        """Take no more work, drop what waits, wait for what runs, at most `timeout` seconds in all."""
        with self._guard:
            self._closed = True
            threads = list(self._threads)
        while not self._queue.empty():
            self._queue.get()
        for _ in threads:
            self._queue.put(None)
        _join(threads, timeout)

    def _run(self) -> None:
        while (work := self._queue.get()) is not None:
            try:
                work()
            except Exception:  # outermost loop of a thread: the next piece of work must not suffer
                log.exception("%s: a piece of work failed", current_thread().name)
            finally:
                with self._guard:
                    self._busy -= 1


class Recurring:
    """One daemon thread that runs `step` again and again while there is something to do.

    `step` returns the seconds to wait before the next run, or `None`: nothing to do. The thread then lingers for a
    while (to start one costs more than most steps) and ends; `ensure` starts another when there is something again.
    """

    def __init__(self, step: Callable[[], float | None], *, name: str, linger: float = 0.0) -> None:
        self._step = step
        self._name = name
        self._linger = linger
        self._stop = Event()
        self._asked = Event()  # somebody said that there is something to do, and no step has begun since
        self._guard = Lock()  # guards the one below
        self._thread: Thread | None = None

    @property
    def running(self) -> bool:
        return self._thread is not None

    def ensure(self) -> None:
        """There is something to do: run `step` soon, in a thread that is started if need be."""
        self._asked.set()
        with self._guard:
            if self._thread is None and not self._stop.is_set():
                self._thread = Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def close(self, timeout: float = 2.0) -> None:
        """Stop for good and wait for the step that runs, at most `timeout` seconds."""
        with self._guard:
            self._stop.set()
            self._asked.set()
            thread = self._thread
        if thread is not None:
            _join([thread], timeout)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._asked.clear()
            try:
                wait = self._step()
            except Exception:  # outermost loop of a thread
                log.exception("%s: a step failed", self._name)
                wait = _AFTER_A_FAULT
            if wait is not None:
                self._stop.wait(wait)
                continue
            if self._asked.wait(self._linger):
                continue
            with self._guard:
                if not self._asked.is_set():  # else somebody asked in this very moment
                    self._thread = None
                    return


def _join(threads: list[Thread], timeout: float) -> None:
    deadline = monotonic() + timeout
    for thread in threads:
        if thread is not current_thread():
            thread.join(max(0.0, deadline - monotonic()))
            if thread.is_alive():
                log.warning("%s is still busy after %.1f s; left behind", thread.name, timeout)
