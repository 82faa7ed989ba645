"""One full quote as the API documents it, with made-up values."""

from __future__ import annotations

from typing import Any

FULL_QUOTE: dict[str, Any] = {
    "ohlc": {"open": 1468.0, "high": 1478.9, "low": 1462.1, "close": 1472.5, "volume": 4312876, "ts": 1795113000000},
    "depth": {
        "buy": [{"quantity": 154 + 97 * n, "price": round(1472.4 - n / 10, 2), "orders": 5 + n} for n in range(5)],
        "sell": [{"quantity": 96 + 89 * n, "price": round(1472.5 + n / 10, 2), "orders": 3 + n} for n in range(5)],
    },
    "timestamp": "2026-11-20T11:15:04.512+05:30",
    "symbol": "RELIANCE",
    "last_price": 1472.5,
    "volume": 4312876,
    "average_price": 1470.84,
    "oi": 0.0,
    "net_change": 7.3,
    "total_buy_quantity": 512340.0,
    "total_sell_quantity": 640118.0,
    "lower_circuit_limit": 1318.7,
    "upper_circuit_limit": 1611.7,
    "last_trade_time": "1795153503845",
    "oi_day_high": 0.0,
    "oi_day_low": 0.0,
    "prev_close_price": 1465.2,
    "year_high": 1611.8,
    "year_low": 1280.4,
    "previous_oi": 0.0,
    "indicative_equilibrium_price": 0.0,
    "reference_price": 0.0,
    "indicative_equilibrium_quantity": 0,
    "indicative_imbalance_quantity_total": 0,
    "indicative_imbalance_quantity_market": 0,
    "cas_eligible": True,
}
"""The full quote of v3 as the API documents it, made up values; 1.2 kB."""
