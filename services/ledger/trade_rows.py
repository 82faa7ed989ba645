"""Fills as rows: which row a fill is, and whether two tellings of it agree.

An exchange counts its trades anew each day and in each segment, and if one's own buy meets one's own sale both sides
carry one number: so a fill is known by day, segment, number and side together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import date, datetime
from hashlib import sha256
from typing import Any

import orjson
import sqlalchemy as sa

from services.domain.clock import ist_date
from services.domain.errors import MalformedPayload
from services.domain.order_records import StoredTrade
from services.domain.orders import PastTrade, Side, Trade
from services.ledger.money import settled
from services.ledger.order_tables import trades
from services.ledger.plain_values import plain

_FIELDS = [field.name for field in fields(StoredTrade)]
_SIDE, _MAY_BE_EMPTY = _FIELDS.index("side"), (_FIELDS.index("order_id"), _FIELDS.index("account"))
TRADE_COLUMNS = tuple(trades.c[name] for name in _FIELDS)
IDENTITY = ("day", "segment", "trade_id", "side")
_BESIDES = ("segment", "amount", "name", "isin", "option_type", "strike", "expiry", "symbol")
"""`symbol` too: of a contract the history tells the underlying, the day's book the contract."""
_UNNAMED = frozenset({"symbol"})
"""Those that came later: what a fill without a number is called does not hang on them."""
_MUST_AGREE = ("quantity", "price")
_MUST_AGREE_IF_TOLD = ("key", "order_id")
_MAY_COME_LATER = (
    "order_id", "product", "exchange", "symbol", "order_type", "exchange_order_id", "reference_id", "traded_at",
    "about", "account",
)  # fmt: skip
_SEGMENTS = {("MCX", "COM"): "MCX_FO", ("NSE", "COM"): "NSE_COM", ("CDS", "CD"): "NCD_FO", ("BCD", "CD"): "BCD_FO"}
"""Of (exchange, segment) as the history of past trades writes them, where the key is missing."""

Cells = dict[str, Any]  # Any: cells of several kinds
Identity = tuple[date, str, str, str]


def rows_of(told: Iterable[Trade | PastTrade], source: str, now: datetime, account: str = "") -> list[Cells]:
    """`told` of `account` as rows. `MalformedPayload` for a fill that cannot be told apart or dated."""
    seen = Counter[str]()
    rows = [_past_row(trade) if isinstance(trade, PastTrade) else _row(trade, now) for trade in told]
    for row in rows:
        row |= {"source": source, "recorded_at": now, "account": account or None}
        if not row["trade_id"]:
            row["trade_id"] = _named_by_content(row, seen)
    return rows


def identity_of(row: Mapping[str, Any]) -> Identity:
    """What a fill is known by."""
    return row["day"], row["segment"], row["trade_id"], row["side"]


def identity_text(row: Mapping[str, Any]) -> str:
    """The same, to be read."""
    return f"{row['day']} {row['segment']} {row['trade_id']} {row['side']}"


def disagree(known: Mapping[str, Any], told: Mapping[str, Any]) -> bool:
    """Do two tellings of one fill contradict each other?"""
    return any(known[name] != told[name] for name in _MUST_AGREE) or any(
        known[name] and told[name] and known[name] != told[name] for name in _MUST_AGREE_IF_TOLD
    )


def additions(known: Mapping[str, Any], told: Mapping[str, Any]) -> Cells:
    """What `told` says where `known` is silent."""
    return {name: told[name] for name in _MAY_COME_LATER if told[name] and not known[name]}


def particulars(row: Mapping[str, Any]) -> Cells:
    """What a contradiction may be about, for the audit."""
    return {name: row[name] for name in (*IDENTITY, *_MUST_AGREE_IF_TOLD, *_MUST_AGREE, "source")}


def in_words(row: Mapping[str, Any]) -> str:
    """The fill as a person says it."""
    what = f"{row['side'].lower()} {row['quantity']} {row['key']} at ₹{row['price']:.4f}"
    return f"{what}, order {row['order_id']}" if row["order_id"] else what


def trade_of(row: sa.Row[Any]) -> StoredTrade:  # Any: cells of several kinds
    """The fill in a row of `TRADE_COLUMNS`."""
    cells = list(row)
    cells[_SIDE] = Side(cells[_SIDE])
    for place in _MAY_BE_EMPTY:
        cells[place] = cells[place] or ""
    return StoredTrade(*cells)


def _row(trade: Trade, now: datetime) -> Cells:
    return _common(trade) | {
        "day": ist_date(trade.traded_at or now),
        "segment": trade.key.partition("|")[0],
        "order_id": trade.order_id or None,
        "product": str(trade.product),
        "order_type": str(trade.order_type),
        "exchange_order_id": trade.exchange_order_id,
        "reference_id": trade.reference_id,
        "traded_at": trade.traded_at,
        "about": None,
    }


def _past_row(trade: PastTrade) -> Cells:
    try:
        day = date.fromisoformat(trade.traded_on)
    except ValueError:
        raise MalformedPayload(f"a past trade is dated {trade.traded_on[:40]!r}", field="trade_date") from None
    prefix, bar, _ = trade.key.partition("|")
    pair = (trade.exchange, trade.segment)
    return _common(trade) | {
        "day": day,
        "segment": prefix if bar else _SEGMENTS.get(pair, "_".join(pair)),
        "order_id": None,
        "product": "",
        "order_type": "",
        "exchange_order_id": "",
        "reference_id": "",
        "traded_at": None,
        "about": plain({name: getattr(trade, name) for name in _BESIDES}),
    }


def _common(trade: Trade | PastTrade) -> Cells:
    return {
        "trade_id": trade.trade_id,
        "key": trade.key,
        "side": trade.side.value,
        "quantity": trade.quantity,
        "price": settled(trade.price),
        "exchange": trade.exchange,
        "symbol": trade.symbol,
    }


def _named_by_content(row: Cells, seen: Counter[str]) -> str:
    """Units of a fund are bought without a number: what is told of them is their name, and equal ones are counted."""
    if row["about"] is None:
        raise MalformedPayload("a trade came without its number", field="trade_id")
    told = [str(row[name]) for name in ("day", "exchange", "key", "side", *_MUST_AGREE)]
    about = {name: value for name, value in row["about"].items() if name not in _UNNAMED}
    name = sha256(orjson.dumps([*told, about])).hexdigest()[:32]
    seen[name] += 1
    return f"unnumbered-{name}-{seen[name]}"
