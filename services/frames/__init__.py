"""DataFrames for a notebook: candles, quotes, orders, trades, positions, holdings and closed trades.

from services.frames import candles_frame, orders_frame

candles_frame("NSE_EQ|INE009A01021", "day", count=250)["close"].pct_change().std()
orders_frame().groupby("status")["quantity"].sum()

* **Errors are raised**, each as its own class: a frame is of now, or there is none. A frame without rows is an answer.
* **Money that is paid** (orders, fills, positions, P&L) is exact: columns of `decimal128(18, 4)` (Arrow's, in pandas).
  Sums and products stay exact, a cell is a `Decimal`, `.astype(float)` leaves exactness on purpose. Averages, and what
  is made of them, are rounded to four decimals. **Prices of the market** (candles, quotes) are floats: they are drawn,
  not paid.
* **Instants** carry their zone, Indian time; `.tz_convert("UTC")` makes them universal. What is not known is missing
  (`NaN`, `NaT`, `<NA>`), never zero.
* **`frame.attrs`** tells `source` (whose prices or whose word), `as_of` (when the oldest of it was told: ISO, Indian
  time; `None`: not told) and what else matters of that frame. Parquet files keep it.
"""

from services.frames.account import (
    closed_trades_frame,
    holdings_frame,
    orders_frame,
    positions_frame,
    trades_frame,
)
from services.frames.columns import COUNT, INSTANT, MONEY
from services.frames.market import candles_frame, quotes_frame

__all__ = [
    "COUNT",
    "INSTANT",
    "MONEY",
    "candles_frame",
    "closed_trades_frame",
    "holdings_frame",
    "orders_frame",
    "positions_frame",
    "quotes_frame",
    "trades_frame",
]
