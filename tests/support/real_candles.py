"""The bars of the real files of `shared/data`, read by nothing of ours: what has to come out at the other end."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from typing import NamedTuple

from services.domain.clock import IST
from tests.support.shared_data import shared


class RealBar(NamedTuple):
    """One row. Prices in rupees, as the exchange has them: some files carry float noise."""

    start: datetime
    """Aware, UTC."""
    open: float
    high: float
    low: float
    close: float
    volume: int
    last: float
    """The last trade; of a day its close is another price."""


def real_minutes(name: str) -> list[RealBar]:
    """A file of `candles_1m`."""
    with shared(f"data/candles_1m/{name}").open(encoding="utf-8") as text:
        rows = [{key.lower(): value for key, value in row.items()} for row in csv.DictReader(text)]
    found = []
    for row in rows:
        stamp = datetime.fromisoformat(row["datetime"])
        prices = [round(float(row[name]), 2) for name in ("open", "high", "low", "close")]
        start = stamp.replace(tzinfo=IST) if stamp.tzinfo is None else stamp
        found.append(RealBar(start.astimezone(UTC), *prices, int(float(row["volume"])), prices[3]))
    return found


def real_days(symbol: str, *, since: str = "") -> list[RealBar]:
    """A file of `daily_nse`, stamped at midnight in India, from the date `since` on."""
    with shared(f"data/daily_nse/{symbol}.csv").open(encoding="utf-8") as text:
        rows = [row for row in csv.DictReader(text) if row["Date"] >= since]
    return [
        RealBar(
            datetime.fromisoformat(row["Date"]).replace(tzinfo=IST).astimezone(UTC),
            *(float(row[f"{name}_PRICE"]) for name in ("OPEN", "HIGH", "LOW", "CLOSE")),
            int(row["TTL_TRD_QNTY"]),
            float(row["LAST_PRICE"]),
        )
        for row in rows
    ]
