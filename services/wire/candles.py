"""Candles: arrays of arrays, newest first on the wire, oldest first here."""

from __future__ import annotations

from datetime import datetime

from services.domain.quotes import Bar
from services.wire.fields import as_list, as_map, is_number, iso_instant, malformed


def parse_bars(data: object) -> list[Bar]:
    """Bars oldest first, one per start. Prices in rupees, volume and OI in units, starts aware in UTC.

    `{"candles": []}` is an answer: nothing traded, or nothing yet.
    """
    bars: dict[datetime, Bar] = {}
    for place, item in enumerate(as_list(as_map(data, "data").get("candles"), "data.candles")):
        bar = _bar(as_list(item, f"data.candles[{place}]"), f"data.candles[{place}]")
        bars.setdefault(bar.start, bar)  # the newest statement about a start comes first
    return [bars[start] for start in sorted(bars)]


def _bar(row: list[object], where: str) -> Bar:
    if len(row) < 6:
        malformed(where, "[time, open, high, low, close, volume, open interest]", row)
    start = iso_instant(row[0], f"{where}[0]")
    prices = [_number(row, place, where) for place in range(1, 5)]
    volume = _number(row, 5, where) if row[5] is not None else 0
    oi = _number(row, 6, where) if len(row) > 6 and row[6] is not None else 0
    return Bar(start, prices[0], prices[1], prices[2], prices[3], int(volume), int(oi))


def _number(row: list[object], place: int, where: str) -> float:
    value = row[place]
    if not is_number(value) or not isinstance(value, (int, float)):
        malformed(f"{where}[{place}]", "a number", value)
    return float(value)
