"""The fills of the day: asked for when something was filled, kept in the ledger, told from memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import date, datetime
from threading import Lock

from services.domain.clock import Clock, ist_date
from services.domain.errors import UpstoxError
from services.domain.order_records import StoredTrade
from services.domain.orders import Trade
from services.domain.paper_accounts import AccountMark
from services.ledger.trades import Trades
from services.orders.ports import Broker
from services.orders.together import BookNote

FILLS_SECONDS = 2.0
"""At least between two questions for the fills of the day, however many come."""
LONGEST_PAUSE = 60.0


class Fills:
    """Any thread. The lock is held neither across the disk nor across the network."""

    def __init__(
        self,
        *,
        broker: Broker,
        trades: Trades,
        clock: Clock,
        mark: Callable[[], AccountMark] = AccountMark,
        account: Callable[[], str] = lambda: "",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`mark()`: fills of orders up to there belong to accounts that were put away; `account`: the name of the
        running one."""
        self._broker = broker
        self._trades = trades
        self._clock = clock
        self._mark = mark
        self._account = account
        self._monotonic = monotonic
        self._guard = Lock()  # guards all below
        self._due = True
        self._at = float("-inf")
        self._failures = 0
        self._told: tuple[StoredTrade, ...] = ()
        self._as_of: datetime | None = None
        self._error: str | None = None

    def told(self) -> tuple[tuple[StoredTrade, ...], datetime | None, str | None]:
        """The fills of the day, the newest first; when they were told, and why not since."""
        with self._guard:
            return self._told, self._as_of, self._error

    def due(self) -> bool:
        """Has something been filled since they were told, and is it time to ask?"""
        with self._guard:
            pause = min(LONGEST_PAUSE, FILLS_SECONDS * 2.0**self._failures)
            return self._due and self._monotonic() - self._at >= pause

    def want(self) -> None:
        """Something was filled, or may have been."""
        with self._guard:
            self._due = True

    def begin_day(self, today: date) -> None:
        """Have in memory what the ledger holds of today."""
        kept = self._of(today)
        with self._guard:
            self._told = kept
            self._due = True

    def take_note(self, note: BookNote) -> None:
        """The process that asks the broker knows them so."""
        with self._guard:
            news = note.trades_as_of != self._as_of
        if news:
            kept = self._of(ist_date(self._clock.now()))
            with self._guard:
                self._told = kept
        with self._guard:
            self._as_of, self._error = note.trades_as_of, note.trades_error
            self._due = False

    def read(self) -> None:
        """Ask for them and keep them. Raises what the broker raises; what is known stays."""
        with self._guard:
            self._due = False  # a fill that comes while we ask makes it due again
            self._at = self._monotonic()
        try:
            told = self._broker.trades()
            self._trades.add(told, "trades", account=self._account())
        except UpstoxError as error:
            with self._guard:
                self._error = str(error)
                self._due = True
                self._failures += 1
            raise
        kept, now = self._of(ist_date(self._clock.now())), self._clock.now()
        with self._guard:
            self._told, self._as_of, self._error = kept, now, None
            self._failures = 0

    def file(self, trades: Iterable[Trade], account: str) -> None:
        """Keep those of an account that is gone, by its name: in the ledger, and nowhere else."""
        self._trades.add(trades, "archive", account=account)

    def _of(self, day: date) -> tuple[StoredTrade, ...]:
        mark = self._mark()
        return tuple(trade for trade in self._trades.of_day(day) if not mark.is_before(trade.order_id))
