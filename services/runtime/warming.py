"""Warming, where a setting turns it on: charts read for nobody yet, by the book that pages read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from services.domain.clock import IST, ist_date
from services.domain.phases import TRADING, Market
from services.storage.use_store import UseStore
from services.warming.warmer import Warmer
from services.wire.endpoints import HISTORY_BARS, INTRADAY_BARS
from services.wire.rate_windows import Window, bucket_of

if TYPE_CHECKING:
    from services.runtime.market import MarketRuntime

_MOST_DAYS = 400
"""Of a chart: what was looked at over more years than one is not fetched beforehand."""


def warmer_of(rt: MarketRuntime) -> Warmer | None:
    """What keeps charts warm; `None` where the setting does not say so."""
    if not rt.settings.warming:
        return None
    return Warmer(
        store=UseStore(rt.market_pool),
        fetch=lambda key, detail: _fetch(rt, key, detail),
        budgets=lambda: _budgets(rt),
        clock=rt.clock,
        wanted=lambda: _wanted(rt),
    )


def _fetch(rt: MarketRuntime, key: str, detail: str) -> int:
    """Read the chart: bars of an interval, begun so many days ago ("5m 12"). Returns how many calls were made
    meanwhile; raises what kept a part of it from coming."""
    interval, _, days = detail.rpartition(" ")
    today = ist_date(rt.clock.now())
    start = datetime.combine(today - timedelta(days=min(_MOST_DAYS, int(days))), time(0), IST)
    before = rt.candles.calls()
    series = rt.candles.read(key, interval, start, datetime.combine(today + timedelta(days=1), time(0), IST))
    for one in series.missing:
        if one.error is not None:
            raise one.error
    return rt.candles.calls() - before


def _budgets(rt: MarketRuntime) -> list[tuple[Sequence[Window], float]]:
    used = rt.gate.budgets()
    return [
        (rt.gate.budget(operation), used[name][1] if (name := bucket_of(operation)) in used else 0.0)
        for operation in (INTRADAY_BARS, HISTORY_BARS)
    ]


def _wanted(rt: MarketRuntime) -> bool:
    """While something trades, in the process that leads: what is closed changes no more."""
    shared = rt.shared
    if shared is not None and not shared.lease.leads():
        return False
    return rt.source.practice or any(rt.calendar.phase(market).phase in TRADING for market in Market)
