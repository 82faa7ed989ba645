"""Frames of the market: candles and quotes."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from services.domain.clock import ist_date
from services.domain.errors import InvalidRequest, MalformedPayload, UpstoxError
from services.frames.columns import COUNT, REAL, TEXT, about, instants, iso, midnight, real
from services.market_quote_v3 import MarketQuoteV3
from services.runtime import get_runtime

_QUOTE_REALS = (
    "ltp", "open", "high", "low", "prev_close", "change", "change_percent", "average_price", "lower_circuit",
    "upper_circuit", "year_high", "year_low",
)  # fmt: skip
_QUOTE_COUNTS = (
    "volume", "oi", "oi_day_high", "oi_day_low", "previous_oi", "total_buy_quantity", "total_sell_quantity",
)  # fmt: skip


def candles_frame(
    instrument_key: str,
    interval: str = "day",
    *,
    count: int | None = None,
    start: date | None = None,
    end: date | None = None,
    db_path: str = "market_data.db",
) -> pd.DataFrame:
    """The last `count` bars (100), or those of the days `start` to `end` (today), both included; oldest first.

    Index `timestamp` (begin of the bar); `open high low close` float64 in rupees, `volume oi` int64. `attrs` besides:
    `stretches` (how each came, and when), `provisional_from` (bars from there may still change; `None`: all are final),
    `not_kept` (stretches that the broker has not). Raises what kept a part of it from coming.
    """
    runtime = get_runtime()
    book = runtime.candles_in(db_path)
    if start is None:
        if end is not None:
            raise InvalidRequest("`end` needs `start`")
        series = book.latest(instrument_key, interval, 100 if count is None else count)
    elif count is not None:
        raise InvalidRequest("`count` and `start` do not go together")
    else:
        last = ist_date(runtime.clock.now()) if end is None else end
        if last < start:
            raise InvalidRequest(f"there are no days from {start} to {last}")
        series = book.read(instrument_key, interval, midnight(start), midnight(last) + timedelta(days=1))
    for gap in series.missing:
        if gap.error is not None:
            raise gap.error
    told = [part.fetched_at for part in series.sources if part.fetched_at is not None]
    frame = about(series.frame(), runtime.source.label, min(told, default=None))
    frame.attrs |= {
        "instrument_key": series.key,
        "interval": series.interval.word,
        "stretches": [[one.source, iso(one.start), iso(one.end), iso(one.fetched_at)] for one in series.sources],
        "provisional_from": iso(series.provisional_from),
        "not_kept": [[iso(one.start), iso(one.end), one.why] for one in series.missing],
    }
    return frame


def quotes_frame(
    instrument_keys: Iterable[str],
    *,
    use_cache: bool = True,
    problems: MutableMapping[str, UpstoxError] | None = None,
    db_path: str = "market_data.db",
) -> pd.DataFrame:
    """A row for each instrument, at most five seconds old, in the order asked; index `instrument_key`.

    `symbol`, prices float64 in rupees, quantities Int64, `bid ask` (best of the book), `last_trade_time received_at`,
    `age_seconds` as of now, `source`. A key without a quote raises its error; with a dict as `problems` it is left out
    and its error stands there.
    """
    found: dict[str, UpstoxError] = {}
    rows = MarketQuoteV3(db_path).get_batch_quotes(instrument_keys, use_cache=use_cache, problems=found)
    books: dict[str, tuple[float, float]] = {}
    for key, row in rows.items():
        try:
            books[key] = real(row["depth"].best("buy")), real(row["depth"].best("sell"))
        except MalformedPayload as damage:  # levels are read here for the first time
            found[key] = damage
    if problems is None:
        for error in found.values():
            raise error
    else:
        problems.update(found)
    rows = {key: row for key, row in rows.items() if key in books}
    now, quotes = get_runtime().clock.now(), list(rows.values())
    columns: dict[str, Any] = {"symbol": pd.array([row["symbol"] for row in quotes], dtype=TEXT)}  # Any: arrays
    columns |= {name: np.array([real(row[name]) for row in quotes], REAL) for name in _QUOTE_REALS}
    for place, name in enumerate(("bid", "ask")):
        columns[name] = np.array([book[place] for book in books.values()], REAL)
    columns |= {name: pd.array([row[name] for row in quotes], dtype=COUNT) for name in _QUOTE_COUNTS}
    for name in ("last_trade_time", "received_at"):
        columns[name] = instants([row[name] for row in quotes])
    columns["age_seconds"] = np.array([(now - row["received_at"]).total_seconds() for row in quotes], REAL)
    columns["source"] = pd.array([row["source"] for row in quotes], dtype=TEXT)
    frame = pd.DataFrame(columns, index=pd.Index(list(rows), dtype=TEXT, name="instrument_key"))
    told = min((row["received_at"] for row in quotes), default=None)
    return about(frame, ", ".join(sorted({row["source"] for row in quotes})), told)
