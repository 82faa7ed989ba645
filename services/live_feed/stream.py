"""One thread that keeps one stream of the broker connected while somebody asks for it.

    authorise -> connect -> say what is wanted -> receive ... -> end -> rest -> from the beginning

One connection is `course`'s matter, what is said and heard on it a `Talk`'s (market feed, portfolio stream), how long
to rest `resting`'s. Every attempt reads the token anew and asks for a fresh address, which is good for one connection.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Condition, Event, Lock, Thread, current_thread
from typing import Protocol

from services.domain.accounts import Token
from services.domain.clock import Clock
from services.domain.errors import ConfigurationError, UpstoxError
from services.feed.health import HealthBook, StreamState
from services.live_feed.course import LOOK_SECONDS, ConnectionBook, Course, Talk
from services.live_feed.resting import Rest, Resting
from services.transport.failures import ErrorSink
from services.transport.feed_connection import Connection

POLL_SECONDS = 2.0
"""How often a stream that waits for a login or for a free slot looks for it."""
STOP_SECONDS = 1.0

log = logging.getLogger(__name__)


class SlotKeeper(Protocol):
    """Gives out the account's connections."""

    @property
    def held(self) -> int | None: ...
    def take(self) -> bool: ...
    def give_back(self) -> None: ...


class Stream:
    """Keeps the connection. `want` and `unwant` are counted by user: it is up while anybody wants it.

    Its thread is a daemon, so a script that never says goodbye ends all the same; `close` (by the runtime, also at
    exit) says goodbye for it. `token()` gives the token of now or raises `LoginRequired`.
    """

    def __init__(
        self,
        *,
        name: str,
        talk: Talk,
        connect: Callable[[], Connection],
        token: Callable[[], Token],
        slots: SlotKeeper,
        health: HealthBook,
        clock: Clock,
        book: ConnectionBook | None = None,
        error_sink: ErrorSink | None = None,
        resting: Resting | None = None,
        look_seconds: float = LOOK_SECONDS,
        poll_seconds: float = POLL_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._token = token
        self._slots = slots
        self._health = health
        self._resting = resting or Resting()
        self._poll_seconds = poll_seconds
        self._monotonic = monotonic
        self._course = Course(
            name=name,
            talk=talk,
            connect=connect,
            token=token,
            health=health,
            clock=clock,
            book=book,
            error_sink=error_sink,
            resting=self._resting,
            leaving=self._leaving,
            connected=self._connected,
            changed=self._changed,
            look_seconds=look_seconds,
            monotonic=monotonic,
        )
        self._guard = Lock()  # guards the next three
        self._users: set[str] = set()
        self._thread: Thread | None = None
        self._closed = False
        self._signal = Event()  # somebody wants something of a stream that rests
        self._retry = False
        self._told = Condition()  # notified when the state changes; guards the next one
        self._attempts = 0

    # -- for its owner -------------------------------------------------------------------------------------------

    def want(self, user: str) -> None:
        """`user` wants the stream. One that rests tries at once."""
        with self._guard:
            if self._closed:
                raise ConfigurationError(f"the {self._name} is closed with its desk")
            self._users.add(user)
            if self._thread is None:
                self._health.began()
                self._resting.begin()
                thread = Thread(target=self._run, name=self._name, daemon=True)
                thread.start()
                self._thread = thread
                return
        if self._health.state is not StreamState.CONNECTED:
            self.retry()

    def unwant(self, user: str | None = None, *, timeout: float = 2 * STOP_SECONDS) -> None:
        """`user` (None: everybody) wants it no more. If nobody else does, it ends, and stays so until it is wanted
        again; waits for that, at most `timeout` seconds."""
        with self._guard:
            if user is None:
                self._users.clear()
            else:
                self._users.discard(user)
            thread = self._thread if not self._users else None
        if thread is not None:
            self._end(thread, timeout)

    def retry(self) -> None:
        """If it rests: try again now."""
        self._retry = True
        self._signal.set()

    def wake(self) -> None:
        """There may be something to send."""
        self._course.wake()

    def connect(self, user: str, timeout: float) -> bool:
        """`want`, then wait until it is connected, at most `timeout` seconds, and no longer than it takes to learn that
        a person is needed for that, or another process's slot."""
        before = self._attempts
        self.want(user)
        with self._told:
            self._told.wait_for(lambda: self._settled(before), timeout)
        return self._health.state is StreamState.CONNECTED

    def wait_for(self, done: Callable[[], bool], timeout: float) -> bool:
        """Wait until `done()`, which is asked after every change of the state and by `tell`."""
        with self._told:
            return self._told.wait_for(done, timeout)

    def tell(self) -> None:
        """Have whoever waits look again."""
        with self._told:
            self._told.notify_all()

    @property
    def running(self) -> bool:
        return self._thread is not None

    def begin_close(self) -> None:
        with self._guard:
            self._closed = True
        self._signal.set()
        self._course.wake()

    def close(self) -> None:
        """End for good."""
        self.begin_close()
        with self._guard:
            thread = self._thread
        if thread is not None:
            self._end(thread, STOP_SECONDS)
        self._slots.give_back()

    def _end(self, thread: Thread, timeout: float) -> None:
        self._signal.set()
        self.wake()
        if thread is current_thread():
            return
        thread.join(timeout / 2)
        if thread.is_alive():  # in the middle of a connect that nobody answers
            self._course.abort()
            thread.join(timeout / 2)
            if thread.is_alive():
                log.warning("%s is still busy after %.1f s; left behind", thread.name, timeout)

    def _settled(self, before: int) -> bool:
        state = self._health.state
        if state is StreamState.CONNECTED:
            return True
        needs_help = state in {StreamState.LOGIN_NEEDED, StreamState.REFUSED, StreamState.NO_SLOT}
        return self._closed or (needs_help and self._attempts > before)

    # -- the thread ------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while self._goes_on():
                try:
                    rest = self._attempt()
                except Exception:  # outermost loop of a thread: a fault of ours must not end the feed for the day
                    log.exception("%s: a fault of the desk's own", self._name)
                    rest = self._resting.after_loss("a fault of the desk's own; the log has it")
                if rest is not None:
                    self._pause(rest)
        finally:
            with self._guard:
                if self._thread is current_thread():
                    self._thread = None
                    self._slots.give_back()

    def _goes_on(self) -> bool:
        """Is the stream still wanted? If not, this thread counts as ended from here on, and another may begin."""
        with self._guard:
            if self._users and not self._closed:
                return True
            self._slots.give_back()
            self._thread = None
            self._health.resting(StreamState.OFF, "", seconds=None)
        self._changed()
        return False

    def _leaving(self) -> bool:
        return self._closed or not self._users

    def _attempt(self) -> Rest | None:
        """One connection, and what to do then."""
        try:
            if not self._slots.take():
                return self._resting.without_slot()
        except UpstoxError as error:
            return self._resting.after(error, None)
        return self._course.run()

    def _connected(self) -> None:
        """Whatever was wanted of a stream that rests is there."""
        self._retry = False
        self._signal.clear()

    # -- resting ---------------------------------------------------------------------------------------------------

    def _pause(self, rest: Rest) -> None:
        """Wait as `rest` says, or until somebody wants another attempt, or no more of all this."""
        self._health.resting(rest.state, rest.reason, seconds=rest.seconds, login_url=rest.login_url)
        self._changed(attempted=True)
        until = None if rest.seconds is None else self._monotonic() + rest.seconds
        while not self._leaving():
            left = self._poll_seconds if until is None else until - self._monotonic()
            if left <= 0:
                return
            if self._signal.wait(left):
                self._signal.clear()
                if self._retry:
                    self._retry = False
                    return
            elif until is None and (rest.state is StreamState.NO_SLOT or self._may_log_in(rest.refused)):
                return

    def _may_log_in(self, refused: str | None) -> bool:
        """Is there a token now that the broker has not refused?"""
        try:
            return self._token().secret != refused
        except UpstoxError:
            return False

    def _changed(self, *, attempted: bool = False) -> None:
        with self._told:
            if attempted:
                self._attempts += 1
            self._told.notify_all()
