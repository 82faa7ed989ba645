"""Trades that the ledger lacks: those of today, and those of days that the broker's history was not read of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from threading import Lock

from services.domain.clock import Clock, ist_date
from services.domain.orders import PastTrade, Trade
from services.ledger.told_trades import HISTORY_SOURCE, ToldTrades
from services.ledger.trades import Trades

YEARS = 2
"""The history reaches back to the beginning of the financial year that lies so many before the running one."""
AGAIN_DAYS = 6
"""So many days that were told are asked for again: a broker may add to them late."""


class TradeSource:
    """Asks the broker, and keeps what it tells. Any thread; one question at a time."""

    def __init__(
        self,
        *,
        today: Callable[[], Sequence[Trade]],
        past: Callable[[date, date], Iterable[PastTrade]],
        keep: Trades,
        told: ToldTrades,
        clock: Clock,
    ) -> None:
        self._today = today
        self._past = past
        self._keep = keep
        self._told = told
        self._clock = clock
        self._one = Lock()
        self.asks_past = False
        """Are trades of days before being asked for, which are not there yet?"""

    def read(self, account: str) -> datetime:
        """Ask for all that is due of `account`, the running one; when the trades of today were told. Raises what the
        broker raises; what came before that is kept."""
        with self._one:
            asked = self._clock.now()
            due = self.due(account, ist_date(asked))
            self.asks_past = bool(due)
            try:
                self._keep.add(self._today(), "trades", account=account)
                for first, last in due:
                    self._keep.add(self._past(first, last), HISTORY_SOURCE, account=account)
                    known = self._told.history_told(account)
                    begins = first if known is None else min(first, known[0])
                    self._told.tell_history(account, begins, last, asked)
            finally:
                self.asks_past = False
            return asked

    def due(self, account: str, today: date) -> list[tuple[date, date]]:
        """Spans of days, each within one financial year, the oldest first."""
        last = today - timedelta(days=1)
        known = self._told.history_told(account)
        if known is None:
            year = today.year if today.month >= 4 else today.year - 1
            first = date(year - YEARS, 4, 1)
        elif known[1] >= last:
            return []
        else:
            first = max(known[0], known[1] - timedelta(days=AGAIN_DAYS))
        return years_of(first, last)


def years_of(first: date, last: date) -> list[tuple[date, date]]:
    """`first` to `last`, cut at each 31 March."""
    spans: list[tuple[date, date]] = []
    while first <= last:
        end = date(first.year + (first.month >= 4), 3, 31)
        spans.append((first, min(end, last)))
        first = end + timedelta(days=1)
    return spans


def year_code(day: date) -> str:
    """Of the financial year, as the broker writes it: `2627`."""
    first = day.year if day.month >= 4 else day.year - 1
    return f"{first % 100:02d}{(first + 1) % 100:02d}"
