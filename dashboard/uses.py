"""What is looked at, told to whoever keeps likely charts warm. Nothing is told, and nothing kept, while that is off."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from services.domain.candles import Interval
from services.domain.clock import ist_date
from services.runtime import Runtime

CANDLES, QUOTES, TICKET = "candles", "quotes", "ticket"


def seen(runtime: Runtime, page: str, keys: Collection[str]) -> None:
    """These instruments are on `page`. Told by each of its runs; touches no file."""
    if (warming := runtime.warming) is not None:
        warming.saw(page, keys)


def chart_seen(runtime: Runtime, key: str, interval: Interval, first: date) -> None:
    """The chart of `key` is open, in bars of `interval` from `first` on."""
    if (warming := runtime.warming) is not None:
        days = (ist_date(runtime.clock.now()) - first).days
        warming.saw(CANDLES, [key], f"{interval.word} {max(0, days)}")
