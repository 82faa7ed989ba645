"""Frames of the account: orders, fills, positions, holdings, closed trades."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from services.domain.clock import IST
from services.frames.columns import COUNT, DAY, INSTANT, MONEY, TEXT, about, rupees, table
from services.order_manager_v3 import OrderManagerV3, ToldList
from services.pnl.values import Filter
from services.portfolio.closed_columns import UNKNOWN_TIME
from services.portfolio_book.marks import MarkedHolding, MarkedPosition
from services.runtime import get_runtime
from services.settings import Mode

_CLOSED_TEXTS = ("symbol", "segment", "product", "bucket", "side")
_ORDER: Mapping[str, Any] = {  # Any: dtypes of several kinds
    "order_id": TEXT, "placed_at": INSTANT, "symbol": TEXT, "instrument_key": TEXT, "side": TEXT, "quantity": COUNT,
    "filled_quantity": COUNT, "pending_quantity": COUNT, "order_type": TEXT, "product": TEXT, "validity": TEXT,
    "price": MONEY, "trigger_price": MONEY, "average_price": MONEY, "status": TEXT, "message": TEXT, "tag": TEXT,
    "exchange": TEXT, "exchange_at": INSTANT,
}  # fmt: skip
_TRADE: Mapping[str, Any] = {  # Any: as above
    "trade_id": TEXT, "order_id": TEXT, "traded_at": INSTANT, "symbol": TEXT, "instrument_key": TEXT, "side": TEXT,
    "quantity": COUNT, "price": MONEY, "product": TEXT, "order_type": TEXT, "exchange": TEXT,
}  # fmt: skip
_POSITION: Mapping[str, Any] = {  # Any: as above
    "symbol": TEXT, "instrument_key": TEXT, "product": TEXT, "exchange": TEXT, "quantity": COUNT, "average": MONEY,
    "ltp": MONEY, "price_at": INSTANT, "pnl": MONEY, "pnl_today": MONEY, "realised": MONEY, "unrealised": MONEY,
    "broker_pnl": MONEY,
}  # fmt: skip
_HOLDING: Mapping[str, Any] = {  # Any: as above
    "symbol": TEXT, "instrument_key": TEXT, "isin": TEXT, "quantity": COUNT, "t1_quantity": COUNT,
    "sellable": COUNT, "average": MONEY, "ltp": MONEY, "price_at": INSTANT, "invested": MONEY, "value": MONEY,
    "pnl": MONEY, "pnl_today": MONEY, "broker_pnl": MONEY,
}  # fmt: skip


def orders_frame() -> pd.DataFrame:
    """The order book of today, asked for now, the newest first: what was asked, what was filled, `status` in the
    broker's words. Prices exact."""
    return _of_rows(OrderManagerV3().get_order_book(), _ORDER)


def trades_frame(start: date | str | None = None, end: date | str | None = None) -> pd.DataFrame:
    """The fills of today, or of the days `start` to `end`, asked for now, the newest first. Prices exact."""
    return _of_rows(OrderManagerV3().get_trade_history(start, end), _TRADE)


def positions_frame() -> pd.DataFrame:
    """Positions, asked for now and marked at the desk's prices, open ones first; those closed today are in it.

    `pnl` = `realised` + `unrealised` since entry, `pnl_today` since yesterday's close, charges apart; `broker_pnl` is
    the broker's own figure, at a price of its own.
    """
    book = get_runtime().portfolio
    book.refresh()
    view = book.positions()
    for error in (view.error, view.without):
        if error is not None:
            raise error
    return about(table([_position(row) for row in view.rows], _POSITION), _broker(), view.as_of)


def holdings_frame() -> pd.DataFrame:
    """Holdings, asked for now and marked at the desk's prices, by symbol; `pnl` since purchase, charges apart."""
    book = get_runtime().portfolio
    book.refresh()
    view = book.holdings()
    if view.error is not None:
        raise view.error
    return about(table([_holding(row) for row in view.rows], _HOLDING), _broker(), view.as_of)


def closed_trades_frame(start: date | None = None, end: date | None = None) -> pd.DataFrame:
    """Closed trades of the running account by our own book (FIFO), the newest first; those closed on the days `start`
    to `end` only. The broker is asked for the fills that the ledger lacks.

    `net` = `gross` - `charges`, exact to the paisa; they add up to the P&L page's figures. `doubtful`: a part of the
    instrument's history is missing, or its charges are not known in full. `attrs["missing"]`: what is not in it, in
    words.
    """
    pnl = get_runtime().pnl
    pnl.refresh()
    view = pnl.read_whole(Filter(first=start, last=end))
    trades = view.trades
    closed = pd.Series(trades.closed_ms.astype("datetime64[ms]"), copy=True)
    closed[trades.closed_ms == UNKNOWN_TIME] = pd.NaT
    frame = pd.DataFrame(
        {
            "trade": pd.array(trades.id, dtype=TEXT),
            "opened_on": trades.opened_day.astype(DAY),
            "closed_on": trades.closed_day.astype(DAY),
            "closed_at": closed.dt.tz_localize("UTC").dt.tz_convert(IST),
            **{name: pd.array(getattr(trades, name), dtype=TEXT) for name in _CLOSED_TEXTS},
            "quantity": trades.quantity.astype(np.int64),
            **{name: rupees(getattr(trades, name), 4) for name in ("buy_average", "sell_average")},
            **{name: rupees(getattr(trades, name), 4) for name in ("buy_value", "sell_value")},
            **{name: rupees(getattr(trades, name), 2) for name in ("gross", "charges", "net")},
            "held_days": trades.held_days.astype(np.int64),
            "doubtful": trades.doubtful.astype(bool),
        }
    )
    about(frame, "the desk's own book", view.as_of)
    frame.attrs |= {"account": view.account, "missing": list(view.missing)}
    return frame


def _of_rows(rows: ToldList, dtypes: Mapping[str, Any]) -> pd.DataFrame:  # Any: dtypes of several kinds
    if rows.failure is not None:
        raise rows.failure
    return about(table(rows, dtypes), _broker(), rows.as_of)


def _position(row: MarkedPosition) -> dict[str, Any]:  # Any: as above
    one = row.position
    return {
        "symbol": one.symbol, "instrument_key": one.key, "product": one.product, "exchange": one.exchange,
        "quantity": one.quantity, "average": row.average, "ltp": row.price.ltp, "price_at": row.price.at,
        "pnl": row.pnl, "pnl_today": row.pnl_today, "realised": row.realised, "unrealised": row.unrealised,
        "broker_pnl": one.pnl,
    }  # fmt: skip


def _holding(row: MarkedHolding) -> dict[str, Any]:  # Any: as above
    one = row.holding
    return {
        "symbol": one.symbol, "instrument_key": one.key, "isin": one.isin, "quantity": one.quantity,
        "t1_quantity": one.t1_quantity, "sellable": row.sellable, "average": one.average_price, "ltp": row.price.ltp,
        "price_at": row.price.at, "invested": row.invested, "value": row.value, "pnl": row.pnl,
        "pnl_today": row.pnl_today, "broker_pnl": one.pnl,
    }  # fmt: skip


def _broker() -> str:
    """Whose word the account is."""
    runtime = get_runtime()
    return f"the paper broker, prices {runtime.source.label}" if runtime.settings.mode is Mode.PAPER else "Upstox"
