"""Own trades and own open orders on a chart: a sign at the bar in which a trade fell, a line at an order's price."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from dashboard.chart_bars import Cut
from services.candles.series import CandleSeries
from services.domain.clock import epoch_ms
from services.domain.orders import Side
from services.domain.quotes import Bar

MOST_MARKS = 500
"""Trades that are drawn; of more the newest. A scalper's year would bury the bars."""


@dataclass(frozen=True, slots=True)
class Mark:
    """An own trade, or an own order that is still open."""

    price: float
    """Rupees: at which it traded, or is to."""
    side: Side
    text: str
    """As a person says it: `Bought 50 at 1,500.00`."""
    at: datetime | None = None
    """When it traded, aware; `None`: an order that is still open."""


MarkSource = Callable[[str, datetime, datetime], Sequence[Mark]]
"""`marks(key, start, end)`: the own trades of that instrument in `start <= at < end`, and its open orders. Asked at
every drawing, so it answers from what is known and waits for nobody."""


def placed(marks: Sequence[Mark], shown: CandleSeries, forming: Bar | None, cut: Cut) -> list[dict[str, Any]]:
    """Marks as the browser draws them, oldest first: `at` is the number of the bar, `None` of an open order. A trade
    from before the first bar shown, or out of the part that is sent, is left out."""
    orders = [_drawn(mark, None) for mark in marks if mark.at is None]
    trades = sorted((mark for mark in marks if mark.at is not None), key=_instant)
    starts = shown.start_ms if forming is None else np.append(shown.start_ms, epoch_ms(forming.start))
    numbers = np.searchsorted(starts, [_instant(mark) for mark in trades], side="right") - 1
    last = cut.last if cut.last < len(shown) else len(starts)
    drawn = [
        _drawn(mark, number)
        for mark, number in zip(trades, numbers.tolist(), strict=True)
        if max(cut.first, 0) <= number < last
    ]
    return [*orders, *drawn[-MOST_MARKS:]]


def _instant(mark: Mark) -> int:
    return 0 if mark.at is None else epoch_ms(mark.at)


def _drawn(mark: Mark, number: int | None) -> dict[str, Any]:
    return {"at": number, "price": mark.price, "side": mark.side.value, "text": mark.text}
