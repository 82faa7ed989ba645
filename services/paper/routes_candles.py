"""Candles: history and the running day, v3, v2 and the guide's path.

Newest first, `[stamp, open, high, low, close, volume, open interest]`, stamped at the start in Indian time. History
ends yesterday, the running day is told by intraday alone; nothing to tell is an empty list. Weeks and months are whole
periods: those whose stamp lies between the dates, the last one as far as it has come.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date, datetime
from functools import cache

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from services.domain.clock import from_epoch_ms, ist_date
from services.paper.bars import MINUTE_MS, daily, grouped, midnights, monthly, ordinals, weekly
from services.paper.broker import Broker, Handlers
from services.paper.candle_requests import (
    INTRADAY_UNITS,
    V2_INTRADAY,
    V2_WORDS,
    Wanted,
    period,
    v2_interval,
    v2_wanted,
    v3_interval,
    v3_wanted,
)
from services.paper.envelope import refusal, success
from services.paper.model import NO_BARS, Bars, Listing
from services.paper.parameters import one_key

_UNIT_MS = {"minutes": MINUTE_MS, "hours": 60 * MINUTE_MS}
_DAY_MINUTES = 24 * 60


async def intraday_v3(broker: Broker, request: Request) -> Response:
    given = request.path_params
    key, now = _key(broker, request), broker.clock.now()
    unit, count = v3_interval(given["unit"], given["interval"], INTRADAY_UNITS)
    return await _intraday(broker, request, key, unit, count, now)


async def intraday_v2(broker: Broker, request: Request) -> Response:
    key, now = _key(broker, request), broker.clock.now()
    unit, count = v2_interval(request.path_params["v2_interval"], V2_INTRADAY)
    return await _intraday(broker, request, key, unit, count, now)


async def history_v3(broker: Broker, request: Request) -> Response:
    given = request.path_params
    key, now = _key(broker, request), broker.clock.now()
    wanted = v3_wanted(given["unit"], given["interval"], given["to_date"], given.get("from_date"))
    return await _history(broker, request, key, wanted, now)


async def history_v2(broker: Broker, request: Request) -> Response:
    given = request.path_params
    key, now = _key(broker, request), broker.clock.now()
    wanted = v2_wanted(given["v2_interval"], given["to_date"], given.get("from_date"), broker.sessions.today(now))
    return await _history(broker, request, key, wanted, now)


async def history_guide(broker: Broker, request: Request) -> Response:
    """The guide names the path and nothing else. Query: `interval` in v2's words, or `unit` and `interval` as in v3;
    `to_date`, and `from_date` if wanted."""
    given = request.query_params
    key, now = _key(broker, request), broker.clock.now()
    unit, interval, to_date = given.get("unit"), given.get("interval") or "", given.get("to_date")
    if not to_date:
        raise refusal("UDAPI1022", property_path="to_date")
    if unit is None:
        unit, count = v2_interval(interval, tuple(V2_WORDS))
        interval = str(count)
    return await _history(broker, request, key, v3_wanted(unit, interval, to_date, given.get("from_date")), now)


HANDLERS: Handlers = {
    ("intraday_bars", "v3"): intraday_v3,
    ("intraday_bars", "v2"): intraday_v2,
    ("history_bars", "v3"): history_v3,
    ("history_bars", "v2"): history_v2,
    ("history_bars", "guide"): history_guide,
}


def _key(broker: Broker, request: Request) -> str:
    """The instrument key in the path, of the right form. Whether it is listed is looked at after everything else."""
    return one_key(request.path_params["instrument_key"], broker.market.listings(broker.clock.now()))


def _check_listed(broker: Broker, key: str, now: datetime) -> None:
    """Refuse what is not listed today, contracts that have ended among it."""
    listing = broker.market.listings(now).get(key)
    if listing is None or _ended(listing, broker.sessions.today(now)):
        raise refusal("UDAPI100011")


def _ended(listing: Listing, today: date) -> bool:
    expiry = listing.row.get("expiry")
    return isinstance(expiry, int | float) and ist_date(from_epoch_ms(int(expiry))) < today


async def _intraday(broker: Broker, request: Request, key: str, unit: str, count: int, now: datetime) -> Response:
    _check_listed(broker, key, now)

    def bars() -> Bars:
        minutes = broker.market.today(key, now)
        if unit == "days":
            return daily(minutes, np.full(len(minutes), broker.sessions.today(now).toordinal()))
        return minutes if unit == "minutes" and count == 1 else grouped(minutes, count * _UNIT_MS[unit])

    return await _answer(request, bars)


async def _history(broker: Broker, request: Request, key: str, wanted: Wanted, now: datetime) -> Response:
    _check_listed(broker, key, now)
    market, unit = broker.market, wanted.unit
    first, last = wanted.first, wanted.last

    def bars() -> Bars:
        if first > last:
            return NO_BARS
        if unit in _UNIT_MS:
            minutes = market.minutes(key, first, last, now)
            return (
                minutes if unit == "minutes" and wanted.count == 1 else grouped(minutes, wanted.count * _UNIT_MS[unit])
            )
        if unit == "days":
            return market.days(key, first, last, now)
        whole = market.days(key, period(unit, first)[0], period(unit, last)[1], now)
        found = weekly(whole) if unit == "weeks" else monthly(whole)
        return found.take(found.start_ms >= midnights(np.array([first.toordinal()])))

    return await _answer(request, bars)


async def _answer(request: Request, bars: Callable[[], Bars]) -> Response:
    """Worked out and packed beside the loop: a quarter of minutes must not hold up the feed."""
    return await asyncio.to_thread(lambda: success(request, {"candles": candles(bars())}))


def candles(bars: Bars) -> list[list[object]]:
    """Rows as the API has them, newest first."""
    start, prices = bars.start_ms[::-1], bars.prices[::-1]
    day = ordinals(bars)[::-1]
    dates = {ordinal: date.fromordinal(ordinal).isoformat() for ordinal in np.unique(day).tolist()}
    times = _times()
    of_day = ((start - midnights(day)) // MINUTE_MS).tolist()
    stamps = [dates[ordinal] + times[minute] for ordinal, minute in zip(day.tolist(), of_day, strict=True)]
    columns = (prices[:, column].tolist() for column in range(4))
    return list(map(list, zip(stamps, *columns, bars.volume[::-1].tolist(), bars.interest[::-1].tolist(), strict=True)))


@cache
def _times() -> tuple[str, ...]:
    return tuple(f"T{minute // 60:02}:{minute % 60:02}:00+05:30" for minute in range(_DAY_MINUTES))
