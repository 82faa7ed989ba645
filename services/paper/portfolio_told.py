"""Positions, holdings and funds as the API documents spell them, for REST and for the portfolio stream.

Source and units as in `order_told`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from services.paper.model import Listing, Market, Snapshot
from services.paper.order_told import Told, amount, exact, symbols_of
from services.paper.trading.position_values import HoldingNow, Position
from services.paper.trading.values import MoneyState, units

_HAIRCUT = 0.2


class Prices:
    """Last and closing prices of one moment, each instrument asked for once."""

    def __init__(self, market: Market, keys: set[str], now: datetime) -> None:
        """Keys that are listed no more have no price."""
        self.listings: Mapping[str, Listing] = market.listings(now)
        listed = sorted(key for key in keys if key in self.listings)
        self._snaps = {snap.listing.key: snap for snap in market.snapshots(listed, now)} if listed else {}

    def snap(self, key: str) -> Snapshot | None:
        return self._snaps.get(key)


def tell_position(position: Position, prices: Prices) -> Told:
    """One position: all twenty-nine members. One whose instrument is listed no more is told at its own average."""
    snap = prices.snap(position.key)
    last = units(snap.ltp) if snap is not None else round(position.average * units(1))
    unrealised = position.unrealised(last) if position.quantity else 0
    return {
        "exchange": position.exchange,
        "multiplier": float(position.multiplier),
        "value": amount(position.cost),
        "pnl": amount(position.realised + unrealised),
        "product": position.product,
        "instrument_token": position.key,
        "average_price": exact(position.average),
        **_turned_over(position),
        "last_price": amount(last),
        "unrealised": amount(unrealised),
        "realised": amount(position.realised),
        **symbols_of(position.symbol),
        "close_price": snap.prev_close if snap is not None else 0.0,
    }


def tell_position_update(position: Position) -> Told:
    """A position on the stream: no prices of the market, a segment as exchange, and an average that is always 0."""
    return {
        "update_type": "position",
        "instrument_token": position.key,
        "instrument_key": position.key,
        "exchange": position.segment,
        "average_price": 0.0,
        "multiplier": float(position.multiplier),
        "product": position.product,
        **_turned_over(position),
    }


def tell_holding(now: HoldingNow, prices: Prices) -> Told:
    """One holding: all twenty members."""
    held = now.holding
    snap = prices.snap(held.key)
    last = units(snap.ltp) if snap is not None else round(held.average * units(1))
    close = units(snap.prev_close) if snap is not None else last
    return {
        **_held(now),
        **symbols_of(held.symbol),
        "last_price": amount(last),
        "close_price": amount(close),
        "pnl": amount(held.quantity * last - held.cost),
        "day_change": amount(last - close),
        "day_change_percentage": round((last - close) / close * 100, 4) if close else 0.0,
    }


def tell_holding_update(now: HoldingNow) -> Told:
    """A holding on the stream: without prices."""
    return {"update_type": "holding", "instrument_key": now.holding.key, **_held(now)}


def tell_funds_v2(money: MoneyState) -> Told:
    """Since 2025-07-19 both segments' money is told under `equity`."""
    return {
        "equity": _block(money.used, money.available, span=money.span, exposure=money.exposure),
        "commodity": _block(0, 0),
    }


def tell_funds_v3(money: MoneyState) -> Told:
    available, nothing = amount(money.available), {"total": 0.0, "equity": 0.0, "fo_settlement": 0.0}
    realised, unrealised = (amount(max(0, -one)) for one in (money.realised, money.unrealised))
    return {
        "available_to_trade": {
            "total": available,
            "cash_available_to_trade": {
                "total": available,
                "cash": {
                    "opening_balance": amount(money.opening),
                    "added_today": 0.0,
                    "withdrawn_today": 0.0,
                    "amount_from_stock_sale": amount(money.sold_holdings),
                    "unpaid_charges": amount(money.charges),
                },
                "margin_used": {
                    "total": amount(money.used),
                    "mtf": 0.0,
                    "loss": {"total": realised + unrealised, "realised": realised, "unrealised": unrealised},
                    "span_exposure": amount(money.span + money.exposure),
                    "cash_margin_var_elm": amount(money.delivery + money.intraday_and_funded),
                    "premium_present": amount(money.premium),
                    "delivery_margin": nothing,
                },
            },
            "pledge_available_to_trade": {
                "total": 0.0,
                "margin_from_pledge": {"total": 0.0, "equity": 0.0, "mutual_funds": 0.0},
                "margin_used": {
                    "total": 0.0,
                    "mtf": 0.0,
                    "span_exposure": 0.0,
                    "cash_margin_var_elm": 0.0,
                    "premium_present": 0.0,
                    "delivery_margin": nothing,
                },
            },
        },
        "unavailable_to_trade": {
            "cash_unavailable_to_trade": {"unsettled_profit": {"todays_profit": 0.0, "previous_days": 0.0}},
            "pledge_unavailable_to_trade": {"equity": 0.0, "mutual_funds": 0.0},
        },
    }


def _turned_over(position: Position) -> Told:
    """Values and amounts are price x quantity: the multiplier is told beside them, and is not in them."""
    bought, sold = amount(position.day_buy_value), amount(position.day_sell_value)
    return {
        "buy_value": bought,
        "overnight_quantity": position.overnight_quantity,
        "day_buy_value": bought,
        "day_buy_price": exact(position.day_buy_price),
        "overnight_buy_amount": amount(position.overnight_buy_amount),
        "overnight_buy_quantity": position.overnight_buy_quantity,
        "day_buy_quantity": position.day_buy_quantity,
        "day_sell_value": sold,
        "day_sell_price": exact(position.day_sell_price),
        "overnight_sell_amount": amount(position.overnight_sell_amount),
        "overnight_sell_quantity": position.overnight_sell_quantity,
        "day_sell_quantity": position.day_sell_quantity,
        "quantity": position.quantity,
        "sell_value": sold,
        "buy_price": exact(position.buy_price),
        "sell_price": exact(position.sell_price),
    }


def _held(now: HoldingNow) -> Told:
    held = now.holding
    return {
        "isin": held.isin,
        "cnc_used_quantity": now.used,
        "collateral_type": "WC",
        "company_name": held.name,
        "haircut": _HAIRCUT,
        "product": "D",
        "quantity": held.quantity,
        "instrument_token": held.key,
        "average_price": exact(held.average),
        "collateral_quantity": 0,
        "collateral_update_quantity": 0,
        "t1_quantity": held.t1_quantity,
        "exchange": held.exchange,
    }


def _block(used: int, available: int, *, span: int = 0, exposure: int = 0) -> Told:
    return {
        "used_margin": amount(used),
        "payin_amount": 0.0,
        "span_margin": amount(span),
        "adhoc_margin": 0.0,
        "notional_cash": 0.0,
        "available_margin": amount(available),
        "exposure_margin": amount(exposure),
    }
