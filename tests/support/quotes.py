"""Quotes and a broker for tests of the quote book."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from services.domain.clock import Clock
from services.domain.errors import BadInstrumentKey, UpstoxError
from services.domain.quote_row import QuoteRow, quote_row
from services.domain.quotes import DepthLevel, PriceSource, Quote
from services.quote_book import QuoteBook
from services.storage.pool import Pool
from services.storage.quote_store import QuoteStore
from services.storage.schema import migrate_market
from services.transport.caller import Served

NOW = datetime(2026, 11, 20, 5, 45, tzinfo=UTC)
"""Friday, 11:15 IST."""
RELIANCE = "NSE_EQ|INE002A01018"
INFY = "NSE_EQ|INE009A01021"
TCS = "NSE_EQ|INE467B01029"
SIMULATED = PriceSource("simulated", "simulated")


def keys(count: int) -> list[str]:
    return [f"NSE_EQ|INE{number:06d}018" for number in range(count)]


def quote(key: str = RELIANCE, ltp: float = 1472.5, prev_close: float | None = 1465.2) -> Quote:
    return Quote(
        key=key,
        symbol="RELIANCE",
        ltp=ltp,
        open=1468.0,
        high=1478.9,
        low=1462.1,
        prev_close=prev_close,
        volume=4_312_876,
        average_price=1470.84,
        oi=None,
        oi_day_high=None,
        oi_day_low=None,
        previous_oi=None,
        lower_circuit=1318.7,
        upper_circuit=1611.7,
        year_high=1611.8,
        year_low=1280.4,
        total_buy_quantity=512_340,
        total_sell_quantity=640_118,
        bids=(DepthLevel(1472.4, 154, 5), DepthLevel(1472.3, 380, 9)),
        asks=(DepthLevel(1472.5, 96, 3),),
        last_trade_time=datetime(2026, 11, 20, 5, 45, 3, 845000, tzinfo=UTC),
        exchange_time=datetime(2026, 11, 20, 5, 45, 4, 512000, tzinfo=UTC),
    )


def row(key: str = RELIANCE, ltp: float = 1472.5, *, received_at: datetime = NOW) -> QuoteRow:
    return quote_row(quote(key, ltp), received_at=received_at, source="simulated", api_version="v3")


class FakeBroker:
    """A `fetch`: knows every key but those in `bad` and says nothing of those in `silent`. Counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.versions: list[bool | None] = []
        self.bad: set[str] = set()
        self.names_the_bad = True
        self.silent: set[str] = set()
        self.failure: UpstoxError | None = None
        self.before_answer: Callable[[], object] = lambda: None
        self.ltp = 100.0
        self._guard = threading.Lock()

    @property
    def calls(self) -> int:
        return len(self.asked)

    def __call__(self, keys: Sequence[str], *, use_v3: bool | None = None) -> Served[dict[str, Quote]]:
        with self._guard:
            self.asked.append(tuple(keys))
            self.versions.append(use_v3)
        self.before_answer()
        if self.failure is not None:
            raise self.failure
        bad = [key for key in keys if key in self.bad]
        if bad:
            named = bad[0] if self.names_the_bad else None
            raise BadInstrumentKey("an instrument key is invalid", status=400, code="UDAPI1087", invalid_value=named)
        known = {key: quote(key, self.ltp) for key in keys if key not in self.silent}
        return Served(known, "v2" if use_v3 is False else "v3", 1.0)


@contextmanager
def open_store(folder: Path) -> Iterator[QuoteStore]:
    """The real SQLite tier in `folder`."""
    path = folder / "market_data.db"
    migrate_market(path, backups=folder / "backups", now=NOW)
    pool = Pool(path)
    try:
        yield QuoteStore(pool)
    finally:
        pool.close_all()


@contextmanager
def open_book(fetch: FakeBroker, store: QuoteStore, clock: Clock, **options: object) -> Iterator[QuoteBook]:
    """A book without its refresher's thread: the test steps it."""
    given: dict[str, object] = {"refresh_in_background": False, **options}
    book = QuoteBook(fetch=fetch, store=store, clock=clock, source=lambda: SIMULATED, **given)  # type: ignore[arg-type]
    try:
        yield book
    finally:
        book.close()


def wait_until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    """Give other threads a moment; fails if it does not come true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.002)
