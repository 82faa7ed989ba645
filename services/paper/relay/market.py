"""Upstox's market as the paper broker's matching sees it: listings from the instrument file, prices from full quotes.

What an order waits for is looked at again every two seconds by a thread of its own, so that matching, which runs on the
server's loop, does not wait for the network; only the first look at an instrument does. A price that has grown old is
refused: nothing is filled at one of a minute ago.
"""

from __future__ import annotations

import gzip
import logging
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from services.domain.clock import IST, epoch_ms, ist_date
from services.domain.errors import BrokerError, ConfigurationError
from services.paper.envelope import refusal
from services.paper.model import Bars, Level, Listing, MarketBar, Snapshot
from services.paper.relay.upstream import Upstream
from services.wire.endpoints import HISTORY_BARS, INSTRUMENT_FILE, INTRADAY_BARS, QUOTES

LOOK_SECONDS = 2.0
OLD_SECONDS = 15.0
WANTED_SECONDS = 60.0
"""So long after the last question an instrument is still looked at."""
_CHUNK = 500
_NO_BAR = MarketBar(0, 0.0, 0.0, 0.0, 0.0, 0, 0)

log = logging.getLogger(__name__)


class RelayMarket:
    """`Market` over the real one. Safe for several threads. `start()` before use, `close()` at the end."""

    source = "live"

    def __init__(self, upstream: Upstream, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._upstream = upstream
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._listings: tuple[date, Mapping[str, Listing]] | None = None
        self._snapshots: dict[str, tuple[float, Snapshot]] = {}
        self._wanted: dict[str, float] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, at: datetime) -> None:
        """Load the day's instruments and begin to look. `ConfigurationError` without them."""
        try:
            self.listings(at)
        except BrokerError as error:
            raise ConfigurationError(f"live prices: {error.plain}") from error
        self._thread = threading.Thread(target=self._run, name="live-prices", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(LOOK_SECONDS)
        self._upstream.close()

    def listings(self, at: datetime) -> Mapping[str, Listing]:
        """See `Market.listings`. Loaded once a day; while a new day's file cannot be had, yesterday's goes on."""
        day = ist_date(at)
        with self._lock:
            known = self._listings
        if known is not None and known[0] == day:
            return known[1]
        try:
            found = _read_listings(self._upstream)
        except BrokerError:
            if known is None:
                raise
            log.warning("live prices: today's instruments cannot be loaded; those of %s go on", known[0])
            found = known[1]
        with self._lock:
            self._listings = day, found
        return found

    def snapshots(self, keys: Iterable[str], at: datetime) -> list[Snapshot]:
        """See `Market.snapshots`. `BrokerError` 503 where there is no fresh price."""
        asked, listings, now = list(keys), self.listings(at), self._monotonic()
        with self._lock:
            self._wanted.update(dict.fromkeys(asked, now))
            new = [key for key in dict.fromkeys(asked) if key not in self._snapshots]
        for key in asked:
            listings[key]  # KeyError for one that is not listed
        if new:
            self._look(new)
        with self._lock:
            found = [self._snapshots.get(key) for key in asked]
        fresh = [one[1] for one in found if one is not None and self._monotonic() - one[0] <= OLD_SECONDS]
        if len(fresh) != len(asked):
            raise refusal("UDAPI100500", status=503, message="There is no fresh price from Upstox to fill orders at")
        return fresh

    def minute_bars(self, key: str, at: datetime) -> list[MarketBar]:
        """See `Market.minute_bars`."""
        bars = self.today(key, at)
        return [bars.bar(place) for place in range(len(bars))]

    def today(self, key: str, at: datetime) -> Bars:
        """See `Market.today`."""
        return self._bars(_path(INTRADAY_BARS.published[0].path, key, "minutes"))

    def minutes(self, key: str, first: date, last: date, at: datetime) -> Bars:
        """See `Market.minutes`; one call of the API, so a month at most."""
        return self._bars(_path(HISTORY_BARS.published[0].path, key, "minutes", first, last))

    def days(self, key: str, first: date, last: date, at: datetime) -> Bars:
        """See `Market.days`; one call of the API, so ten years at most."""
        return self._bars(_path(HISTORY_BARS.published[0].path, key, "days", first, last))

    # -- inside ------------------------------------------------------------------------------------------------

    def look_again(self) -> None:
        """Look at what is wanted, once. What cannot be had grows old, and is refused then."""
        now = self._monotonic()
        with self._lock:
            self._wanted = {key: at for key, at in self._wanted.items() if now - at <= WANTED_SECONDS}
            wanted = list(self._wanted)
            self._snapshots = {key: self._snapshots[key] for key in wanted if key in self._snapshots}
        try:
            self._look(wanted)
        except BrokerError as error:
            log.info("live prices: %s", error)

    def _run(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            try:
                self.look_again()
            except Exception:  # the outermost loop of this thread
                log.exception("live prices stumbled, and go on")

    def _look(self, keys: Sequence[str]) -> None:
        for start in range(0, len(keys), _CHUNK):
            asked = urlencode({"instrument_key": ",".join(keys[start : start + _CHUNK])}, quote_via=quote)
            told = _data(self._upstream, f"{QUOTES.published[0].path}?{asked}")
            now, listings = self._monotonic(), self._known_listings()
            try:
                rows = [row for row in told.values() if row["instrument_token"] in listings]
                found = {row["instrument_token"]: _snapshot(listings[row["instrument_token"]], row) for row in rows}
            except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
                raise refusal("UDAPI100500", status=503, message="Upstox's quotes cannot be read") from error
            with self._lock:
                self._snapshots.update({key: (now, snapshot) for key, snapshot in found.items()})

    def _known_listings(self) -> Mapping[str, Listing]:
        with self._lock:
            return {} if self._listings is None else self._listings[1]

    def _bars(self, path: str) -> Bars:
        rows = _data(self._upstream, path)
        try:
            return Bars.of([_bar(row) for row in reversed(rows["candles"])])
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise refusal("UDAPI100500", status=503, message="Upstox's candles cannot be read") from error


def _data(upstream: Upstream, path: str) -> Any:  # Any: JSON, read by whoever asked
    reply = upstream.get(path)
    try:
        told = orjson.loads(reply.body)
        if reply.status == 200:
            return told["data"]
        first = told["errors"][0]
        message = f"Upstox: {first['message']}"
    except (orjson.JSONDecodeError, KeyError, IndexError, TypeError):
        message = f"Upstox answers with HTTP {reply.status} and nothing that can be read"
    raise refusal("UDAPI100500", status=503, message=message)


def _path(form: str, key: str, unit: str, first: date | None = None, last: date | None = None) -> str:
    return form.format(
        instrument_key=quote(key, safe=""), unit=unit, interval=1, from_date=first or "", to_date=last or ""
    )


def _read_listings(upstream: Upstream) -> Mapping[str, Listing]:
    reply = upstream.get(INSTRUMENT_FILE.published[0].path.format(file="complete"), assets=True)
    try:
        rows = orjson.loads(gzip.decompress(reply.body)) if reply.status == 200 else None
        found = {listing.key: listing for listing in _listed(rows)}
    except (OSError, EOFError, zlib.error, orjson.JSONDecodeError, TypeError, KeyError) as error:
        raise refusal("UDAPI100500", status=503, message="Upstox's instrument file cannot be read") from error
    if not found:
        raise refusal("UDAPI100500", status=503, message="Upstox's instrument file cannot be had")
    return MappingProxyType(found)


def _listed(rows: Any) -> Iterator[Listing]:  # Any: JSON; what does not fit raises
    for row in rows or ():
        key, segment = row["instrument_key"], row["segment"]
        yield Listing(key, segment, row.get("exchange", segment[:3]), row.get("trading_symbol", key), row)


def _snapshot(listing: Listing, row: Mapping[str, Any]) -> Snapshot:
    """A full quote of v3. An index tells no volume, depth or limits."""
    index = listing.row.get("instrument_type") == "INDEX"
    ltp, ohlc, depth = float(row["last_price"]), row.get("ohlc") or {}, row.get("depth") or {}
    stamp = datetime.fromisoformat(row["timestamp"]) if row.get("timestamp") else None
    at_ms = epoch_ms(stamp if stamp is None or stamp.tzinfo else stamp.replace(tzinfo=IST)) if stamp else 0

    def number(name: str) -> float | None:
        value = row.get(name)
        return None if value is None or index else float(value)

    return Snapshot(
        listing=listing,
        at_ms=at_ms,
        ltp=ltp,
        open=float(ohlc.get("open") or ltp),
        high=float(ohlc.get("high") or ltp),
        low=float(ohlc.get("low") or ltp),
        prev_close=float(row.get("prev_close_price") or ohlc.get("close") or ltp),
        day_start_ms=0,
        volume=None if index else int(row.get("volume") or 0),
        average_price=number("average_price"),
        last_quantity=0,
        last_trade_ms=int(row.get("last_trade_time") or 0),
        oi=number("oi"),
        oi_day_high=number("oi_day_high"),
        oi_day_low=number("oi_day_low"),
        previous_oi=number("previous_oi"),
        lower_circuit=number("lower_circuit_limit"),
        upper_circuit=number("upper_circuit_limit"),
        year_high=float(row.get("year_high") or ltp),
        year_low=float(row.get("year_low") or ltp),
        total_buy_quantity=None if index else int(row.get("total_buy_quantity") or 0),
        total_sell_quantity=None if index else int(row.get("total_sell_quantity") or 0),
        bids=tuple(_levels(depth.get("buy"))),
        asks=tuple(_levels(depth.get("sell"))),
        greeks=None,
        minute=_NO_BAR,
        last_minute=None,
    )


def _bar(row: Sequence[Any]) -> MarketBar:
    opened, high, low, close = map(float, row[1:5])
    return MarketBar(epoch_ms(datetime.fromisoformat(row[0])), opened, high, low, close, int(row[5]), int(row[6]))


def _levels(side: Any) -> Iterator[Level]:  # Any: JSON; what does not fit raises
    for level in side or ():
        if level["price"] and level["quantity"]:
            yield Level(float(level["price"]), int(level["quantity"]), int(level.get("orders") or 0))
