"""Orders and trades as the API documents spell them, for REST and for the portfolio stream.

Source: Upstox documentation up to September 2026 and its samples. Amounts travel as JSON numbers in rupees; times as
`YYYY-MM-DD HH:MM:SS` of India, without a zone.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache

from services.domain.clock import IST, from_epoch_ms
from services.paper.model import Listing
from services.paper.trading.order_values import Fill, Order

Told = dict[str, object]
"""A JSON object."""

_DECIMALS = Decimal("0.000001")
_SEGMENT_NAMES = {
    "NSE_EQ": "EQ", "BSE_EQ": "EQ", "NSE_FO": "FO", "BSE_FO": "FO",
    "MCX_FO": "COM", "NSE_COM": "COM", "NCD_FO": "CD", "BCD_FO": "CD",
}  # fmt: skip
"""Historical trades name a segment by what is traded in it."""


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
        **symbols_of(series_symbol(order.key, order.symbol, listings)),
        "order_type": str(order.order_type),
        "validity": str(order.validity),
        "trigger_price": amount(order.trigger),
        "disclosed_quantity": order.disclosed,
        "transaction_type": _side(order.buys),
        "average_price": exact(order.average),
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
        **symbols_of(series_symbol(fill.key, fill.symbol, listings)),
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


def exact(average: Decimal) -> float:
    """An average price as its JSON number."""
    return float(average.quantize(_DECIMALS))


def symbols_of(symbol: str) -> Told:
    """Both members that tell a symbol."""
    return {"trading_symbol": symbol, "tradingsymbol": symbol}


def _side(buys: bool) -> str:
    return "BUY" if buys else "SELL"


def _stamp_or_none(epoch_ms: int | None) -> str | None:
    return None if epoch_ms is None else stamp(epoch_ms)
