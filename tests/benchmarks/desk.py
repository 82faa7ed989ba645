"""The desk's quote path as it really is, pointed at a benchmark's server or at a function."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from services.domain.clock import Clock, HostClock
from services.domain.quotes import PriceSource, Quote
from services.quote_book import QuoteBook
from services.storage.pool import Pool
from services.storage.quote_fetcher import Fetch
from services.storage.quote_store import QuoteStore
from services.storage.schema import migrate_market
from services.transport.caller import Served
from services.transport.http import HttpClient
from services.transport.rate_gate import RateGate
from services.transport.upstox_api import UpstoxApi
from services.wire.endpoints import RATE_LIMITS, Base, Limit, Profile
from services.wire.quotes import parse_full_quotes
from tests.support.quote_example import FULL_QUOTE

HOST_CLOCK = HostClock(time.time)


def share_keys(count: int) -> list[str]:
    """Keys of the length that shares have."""
    return [f"NSE_EQ|INE{number:06d}018" for number in range(count)]


@contextmanager
def open_book(fetch: Fetch, *, clock: Clock = HOST_CLOCK, **options: object) -> Iterator[QuoteBook]:
    """A quote book with real SQLite below it."""
    with ExitStack() as after:
        folder = Path(after.enter_context(tempfile.TemporaryDirectory()))
        migrate_market(folder / "market_data.db", backups=folder, now=datetime.now(UTC))
        pool = Pool(folder / "market_data.db")
        after.callback(pool.close_all)
        book = QuoteBook(
            fetch=fetch,
            store=QuoteStore(pool),
            clock=clock,
            source=lambda: PriceSource("simulated", "benchmark"),
            **options,  # type: ignore[arg-type]  # passed through by name
        )
        after.callback(book.close)
        yield book


@contextmanager
def client_book(url: str) -> Iterator[QuoteBook]:
    """A quote book over the real client: rate gate (wide open), retry and fallback rule, session, parser."""
    with ExitStack() as after:
        http = HttpClient()
        after.callback(http.close)
        bases: Mapping[Base, str] = dict.fromkeys(Base, url)
        api = UpstoxApi(
            http=http,
            gate=RateGate(dict.fromkeys(RATE_LIMITS, (Limit(10**6, 1.0),))),  # or the gate is what is measured
            bases=bases,
            profile=Profile.UPSTOX,
            token=lambda writes: "benchmark",
            token_rejected=lambda secret: None,
            error_sink=lambda *args, **kwargs: None,
        )
        yield after.enter_context(open_book(api.full_quotes))


class CountingBroker:
    """A `fetch` that answers from memory, takes `seconds`, and counts its calls."""

    def __init__(self, *, seconds: float = 0.0) -> None:
        self.calls = 0
        self.keys = 0
        self._seconds = seconds
        (self._quote,) = parse_full_quotes({"S": {**FULL_QUOTE, "instrument_token": "NSE_EQ|INE000000018"}}).values()

    def __call__(self, keys: Sequence[str], *, use_v3: bool | None = None) -> Served[dict[str, Quote]]:
        self.calls += 1
        self.keys += len(keys)
        if self._seconds:
            time.sleep(self._seconds)
        return Served(dict.fromkeys(keys, self._quote), "v3", self._seconds * 1000)
