"""Which pages there are and where their files lie."""

from __future__ import annotations

from pathlib import Path

_PAGES = Path(__file__).resolve().parents[1] / "pages"

OVERVIEW = _PAGES / "overview.py"
QUOTES = _PAGES / "quotes.py"
CANDLES = _PAGES / "candles.py"
ORDERS = _PAGES / "orders.py"
PORTFOLIO = _PAGES / "portfolio.py"
PNL = _PAGES / "pnl.py"
PNL_PRINT = _PAGES / "pnl_print.py"
CALENDAR = _PAGES / "calendar.py"
HEALTH = _PAGES / "health.py"
ACCOUNT = _PAGES / "account.py"
