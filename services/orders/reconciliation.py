"""The thread `order-reconciliation`: its own, so that nothing delays it.

Before anything may be sent it reads the order book once and looks for every decision that is open. Then it polls the
book (rarely while the stream tells every change), looks for what is unknown when its time comes, keeps fills, the
broker's kill switch and the list of GTT orders current, and goes over to the next day.

Of several processes on one ledger one does so for all (`together`). The others read what it writes down, look for what
is unknown, and ask for the book themselves after a write of theirs; all do where nothing is heard of that one.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from datetime import date
from threading import Event, Lock, Thread, current_thread

from services.domain.errors import LoginRequired, NotSent, StorageError, UpstoxError
from services.domain.orders import BookOrder
from services.orders.account import AccountFollower
from services.orders.books import Books
from services.orders.cases import Cases
from services.orders.day_book import DayBook
from services.orders.fills import Fills
from services.orders.following import Following
from services.orders.keeping import Keeper
from services.orders.polling import Polling
from services.orders.ports import Broker

LOGIN_SECONDS = 1.0
"""To look whether somebody has logged in costs nothing."""
LONGEST_NAP = 2.0
LOOK_SECONDS = 0.05
AFTER_A_FAULT = 2.0

log = logging.getLogger(__name__)


class Reconciliation:
    """What keeps the desk's knowledge and the broker's books the same. `start` it, or let the first write do so."""

    def __init__(
        self,
        *,
        broker: Broker,
        keeper: Keeper,
        fills: Fills,
        cases: Cases,
        account: AccountFollower,
        book: DayBook,
        keep_current: Sequence[Callable[[], None]],
        stream_up: Callable[[], bool],
        today: Callable[[], date],
        following: Following,
        began: Callable[[], None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`began()` is called once, when the first pass is done; `keep_current`: what else is asked when it is due;
        `following`: the other processes on this ledger."""
        self._broker = broker
        self._keeper = keeper
        self._fills = fills
        self._cases = cases
        self._account = account
        self._keep_current = tuple(keep_current)
        self._polling = Polling(
            stream_up=stream_up,
            busy=lambda: cases.open() or book.alive(),
            follows=lambda: following.now,
            monotonic=monotonic,
        )
        self._began = began
        self._today = today
        self._monotonic = monotonic
        self._following = following
        self._ready = Event()
        self._stop = Event()
        self._wake = Event()
        self._turn = Lock()  # one round at a time; held across the network, by the thread and by `refresh` only
        self._guard = Lock()  # guards the two below
        self._thread: Thread | None = None
        self._why_not: UpstoxError | None = None
        self._another_day = False  # of the thread alone

    # -- for the desk ------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin, in a thread. A second call does nothing."""
        with self._guard:
            if self._thread is None and not self._stop.is_set():
                self._thread = Thread(target=self._run, name="order-reconciliation", daemon=True)
                self._thread.start()

    def begin_close(self) -> None:
        self._stop.set()
        self._wake.set()

    def close(self, timeout: float = 2.0) -> None:
        """End the thread; one that waits for the broker is left behind after `timeout` seconds."""
        self.begin_close()
        with self._guard:
            thread = self._thread
        if thread is not None and thread is not current_thread():
            thread.join(timeout)

    def ready(self) -> str:
        """May something be sent? "" = yes, else why not yet."""
        with self._guard:
            why = self._why_not
        if self._ready.is_set():
            return "" if why is None else f"what is decided cannot be written down, so nothing is sent: {why}"
        told = "" if why is None else f": {why}"
        return f"the orders of before are being looked up first; nothing is sent until that is done{told}"

    def require_ready(self, seconds: float) -> None:
        """Wait at most so long for the first pass. Raises `LoginRequired`, or `NotSent` with the reason."""
        if self._ready.is_set():
            return
        why: UpstoxError | None = None
        self.start()
        for _ in range(max(1, round(seconds / LOOK_SECONDS))):
            if self._ready.wait(LOOK_SECONDS):
                return
            with self._guard:
                why = self._why_not
            if isinstance(why, LoginRequired):
                raise why
            if self._stop.is_set():
                break
        raise NotSent(self.ready()) from why

    def soon(self, seconds: float = 0.0) -> None:
        """Something happened that the book will tell of."""
        self._polling.soon(seconds)
        self._wake.set()

    def follows(self) -> bool:
        """Does another process ask the broker and write down what it tells?"""
        return self._following.now

    def catch_up(self) -> None:
        """Know what other processes have written down up to now."""
        self._following.catch_up()

    def hurry(self) -> None:
        """Something has been told to the process that writes it down."""
        self._following.hurry()
        self._wake.set()

    def wake(self) -> None:
        """There is something to do that is not the book."""
        self._wake.set()

    def refresh(self) -> None:
        """Ask for book and fills now. Raises what the broker raises; what is known stays, with its age."""
        with self._turn:
            self._keeper.begin_day()
            told = self._keeper.read_book()
            self._polling.was_read()
            self._cases.sync()
            self._account.follow_if_missed(told, looking=self._cases.open() > 0)
            self._cases.look_all(self._books(told, None))
            self._fills.read()

    def follow_account(self) -> None:
        """Another account may have taken the place of the one that is followed."""
        with self._turn:
            self._account.follow()
        self.soon()

    # -- the thread --------------------------------------------------------------------------------------------

    def step(self) -> float:
        """One round: whatever is due now. The seconds until the next."""
        with self._turn:
            if not self._ready.is_set():
                return self._first_pass()
            if self._keeper.begin_day():
                self._another_day = True
                self.soon()
            if self._following.look():
                self.soon()
            self._cases.sync()
            self._look_around()
            self._following.tell()
            return self._pause()

    def _first_pass(self) -> float:
        """What was open when a process ended is found out before anything new can be sent."""
        self._following.begin()
        self._account.follow()
        self._keeper.begin_day()
        self._cases.sync(first=True)
        why: UpstoxError | None = None
        told: tuple[BookOrder, ...] = ()
        try:
            told = self._keeper.read_book()
        except UpstoxError as error:
            why = error
        if why is None or not isinstance(why, LoginRequired):
            self._cases.look_all(self._books(told, why), everything=True)
        # Without the book it goes on only where each decision and each open order was found out by its own page.
        if (
            isinstance(why, LoginRequired)
            or self._cases.unlooked()
            or not (why is None or self._keeper.ask_one_by_one())
        ):
            with self._guard:
                self._why_not = why
            pause = self._polling.unready()
            return LOGIN_SECONDS if isinstance(why, LoginRequired) else pause
        with self._guard:
            self._why_not = None
        if why is None:
            self._another_day = not self._keeper.ask_for_the_old(told)
        self._polling.was_read()
        self._began()
        self._ready.set()
        return 0.0

    def _look_around(self) -> None:
        now = self._monotonic()
        look_at = self._cases.next_look()
        looking = look_at is not None and look_at <= now
        if looking or self._polling.due_at <= now:
            self._read_book(looking=looking)
        if self._fills.due() and not self._following.now:
            try:
                self._fills.read()
            except UpstoxError as error:
                log.info("the fills of the day were not told: %s", error)
        for ask_if_due in self._keep_current:
            if self._stop.is_set():
                return
            ask_if_due()

    def _read_book(self, *, looking: bool) -> None:
        why: UpstoxError | None = None
        told: tuple[BookOrder, ...] = ()
        try:
            told = self._keeper.read_book()
        except UpstoxError as error:
            why = error
            pause = self._polling.failed()
            log.warning("the order book could not be read, again in %.0f s: %s", pause, error)
        else:
            self._polling.was_read()
            if self._another_day:
                self._another_day = not self._keeper.ask_for_the_old(told)
        if why is None:
            self._account.follow_if_missed(told, looking=looking)
        if looking:
            self._cases.look_all(self._books(told, why))

    def _books(self, told: tuple[BookOrder, ...], why: UpstoxError | None) -> Books:
        return Books(self._broker, lambda: _or_raise(told, why), self._today())

    def _pause(self) -> float:
        now = self._monotonic()
        look_at = self._cases.next_look()
        nap = self._following.pause if self._following.now else LONGEST_NAP
        due = min(self._polling.due_at, now + nap, now + nap if look_at is None else look_at)
        return max(0.0, due - now)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            try:
                pause = self.step()
                self._goes_on()
            except (StorageError, sqlite3.Error) as error:
                log.warning("orders could not be reconciled: %s", error)
                self._keeper.failed(str(error))
                self._polling.at_once()
                with self._guard:
                    self._why_not = error if isinstance(error, UpstoxError) else StorageError(str(error))
                pause = AFTER_A_FAULT
            except Exception:  # outermost loop of a thread
                log.exception("a round of the reconciliation failed")
                pause = AFTER_A_FAULT
            self._wake.wait(max(0.02, pause))

    def _goes_on(self) -> None:
        """A round went well: the ledger is there."""
        with self._guard:
            if self._ready.is_set():
                self._why_not = None


def _or_raise(told: tuple[BookOrder, ...], why: UpstoxError | None) -> tuple[BookOrder, ...]:
    if why is not None:
        raise why
    return told
