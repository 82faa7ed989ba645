"""Orders, trades, positions and holdings as the API documents spell them, for REST and for the portfolio stream.

Source: Upstox documentation up to September 2026 and its samples. Amounts travel as JSON numbers in rupees; times as
`YYYY-MM-DD HH:MM:SS` of India, without a zone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from services.domain.clock import IST, from_epoch_ms
from services.paper.model import Listing, Market, Snapshot
from services.paper.trading.order_values import Fill, Order
from services.paper.trading.position_values import HoldingNow, Position
from services.paper.trading.values import MoneyState, units

Told = dict[str, object]
"""A JSON object."""

_DECIMALS = Decimal("0.000001")
_HAIRCUT = 0.2
_SEGMENT_NAMES = {
    "NSE_EQ": "EQ", "BSE_EQ": "EQ", "NSE_FO": "FO", "BSE_FO": "FO",
    "MCX_FO": "COM", "NSE_COM": "COM", "NCD_FO": "CD", "BCD_FO": "CD",
}  # fmt: skip
"""Historical trades name a segment by what is traded in it."""


class Prices:
    """Last and closing prices of one moment, each instrument asked for once."""

    def __init__(self, market: Market, keys: set[str], now: datetime) -> None:
        """Keys that are listed no more have no price."""
        self.listings: Mapping[str, Listing] = market.listings(now)
        listed = sorted(key for key in keys if key in self.listings)
        self._snaps = {snap.listing.key: snap for snap in market.snapshots(listed, now)} if listed else {}

    def snap(self, key: str) -> Snapshot | None:
        return self._snaps.get(key)


def tell_order(order: Order, user_id: str, listings: Mapping[str, Listing]) -> Told:
    """One order of the book or the details call: all thirty members."""
    return {
        "exchange": order.exchange,
        "product": order.product,
        "price": amount(order.price),
        "quantity": order.quantity,
        "status": str(order.status),
        "guid": None,
        "tag": order.tag or None,
        "instrument_token": order.key,
        "placed_by": user_id,
        **_symbols(series_symbol(order.key, order.symbol, listings)),
        "order_type": str(order.order_type),
        "validity": str(order.validity),
        "trigger_price": amount(order.trigger),
        "disclosed_quantity": order.disclosed,
        "transaction_type": _side(order.buys),
        "average_price": _price(order.average),
        "filled_quantity": order.filled,
        "pending_quantity": order.pending,
        "status_message": order.message or None,
        "status_message_raw": order.raw_message or None,
        "exchange_order_id": order.exchange_id or None,
        "parent_order_id": None,
        "order_id": order.order_id,
        "variety": order.variety,
        "order_timestamp": stamp(order.placed_ms),
        "exchange_timestamp": _stamp_or_none(order.exchange_ms),
        "is_amo": order.amo,
        "order_request_id": str(order.request_number),
        "order_ref_id": order.reference_id,
    }


_NOT_IN_HISTORY = ("guid", "pending_quantity", "status_message_raw", "order_ref_id")


def tell_step(order: Order, user_id: str, listings: Mapping[str, Listing]) -> Told:
    """One step of an order's history: fewer members, and an empty text before the exchange has numbered it."""
    told = tell_order(order, user_id, listings)
    for name in _NOT_IN_HISTORY:
        del told[name]
    return told | {"exchange_order_id": order.exchange_id}


def tell_order_update(order: Order, user_id: str, listings: Mapping[str, Listing]) -> Told:
    """The same order on the stream, which names several members twice."""
    told = tell_order(order, user_id, listings)
    return {
        "update_type": "order",
        "user_id": user_id,
        "userId": user_id,
        "instrument_key": order.key,
        **told,
        "exchange_order_id": order.exchange_id,
        "status_message": order.message,
    }


def tell_trade(fill: Fill, listings: Mapping[str, Listing]) -> Told:
    """One trade of the running day."""
    return {
        "exchange": fill.exchange,
        "product": fill.product,
        **_symbols(series_symbol(fill.key, fill.symbol, listings)),
        "instrument_token": fill.key,
        "order_type": str(fill.order_type),
        "transaction_type": _side(fill.buys),
        "quantity": fill.quantity,
        "exchange_order_id": fill.exchange_id,
        "order_id": fill.order_id,
        "exchange_timestamp": stamp(fill.at_ms),
        "average_price": amount(fill.price),
        "trade_id": fill.trade_id,
        "order_ref_id": fill.reference_id,
        "order_timestamp": stamp(fill.order_ms),
    }


def tell_past_trade(fill: Fill) -> Told:
    """One trade of an earlier day. Strike and expiry are texts here; a contract has its underlying's symbol."""
    return {
        "exchange": "NSE" if fill.segment.startswith("N") else "BSE" if fill.segment.startswith("B") else "MCX",
        "segment": _SEGMENT_NAMES[fill.segment],
        "option_type": fill.option_type,
        "quantity": fill.quantity,
        "amount": amount(fill.amount * fill.multiplier),
        "trade_id": fill.trade_id,
        "trade_date": fill.day,
        "transaction_type": _side(fill.buys),
        "scrip_name": fill.name or fill.symbol,
        "strike_price": str(amount(fill.strike)),
        "expiry": fill.expiry,
        "price": amount(fill.price),
        "isin": fill.isin,
        "symbol": fill.symbol if _SEGMENT_NAMES[fill.segment] == "EQ" else fill.name or fill.symbol,
        "instrument_token": fill.key,
    }


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
        "average_price": _price(position.average),
        **_turned_over(position),
        "last_price": amount(last),
        "unrealised": amount(unrealised),
        "realised": amount(position.realised),
        **_symbols(position.symbol),
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
        **_symbols(held.symbol),
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


def stamp(epoch_ms: int) -> str:
    """`2026-11-20 11:15:04`."""
    return _stamp(epoch_ms // 1000)


@lru_cache(maxsize=32_768)
def _stamp(second: int) -> str:
    return f"{from_epoch_ms(second * 1000).astimezone(IST):%Y-%m-%d %H:%M:%S}"


def amount(value: int) -> float:
    """1/10000 rupee as the JSON number of rupees: a division of integers is rounded once, so it prints as it was."""
    return value / 10_000


def series_symbol(key: str, symbol: str, listings: Mapping[str, Listing]) -> str:
    """Orders and trades write a share of the NSE with its series: `RELIANCE-EQ`."""
    if not key.startswith("NSE_EQ|"):
        return symbol
    listing = listings.get(key)
    series = "EQ" if listing is None else str(listing.row.get("instrument_type", "EQ"))
    return f"{symbol}-{series}"


def _turned_over(position: Position) -> Told:
    """Values and amounts are price x quantity: the multiplier is told beside them, and is not in them."""
    bought, sold = amount(position.day_buy_value), amount(position.day_sell_value)
    return {
        "buy_value": bought,
        "overnight_quantity": position.overnight_quantity,
        "day_buy_value": bought,
        "day_buy_price": _price(position.day_buy_price),
        "overnight_buy_amount": amount(position.overnight_buy_amount),
        "overnight_buy_quantity": position.overnight_buy_quantity,
        "day_buy_quantity": position.day_buy_quantity,
        "day_sell_value": sold,
        "day_sell_price": _price(position.day_sell_price),
        "overnight_sell_amount": amount(position.overnight_sell_amount),
        "overnight_sell_quantity": position.overnight_sell_quantity,
        "day_sell_quantity": position.day_sell_quantity,
        "quantity": position.quantity,
        "sell_value": sold,
        "buy_price": _price(position.buy_price),
        "sell_price": _price(position.sell_price),
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
        "average_price": _price(held.average),
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


def _symbols(symbol: str) -> Told:
    return {"trading_symbol": symbol, "tradingsymbol": symbol}


def _side(buys: bool) -> str:
    return "BUY" if buys else "SELL"


def _price(average: Decimal) -> float:
    return float(average.quantize(_DECIMALS))


def _stamp_or_none(epoch_ms: int | None) -> str | None:
    return None if epoch_ms is None else stamp(epoch_ms)
