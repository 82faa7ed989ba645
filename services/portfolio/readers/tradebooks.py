"""Tradebooks: our own, the trade history of Upstox, and Zerodha's, as fills."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from sys import intern

from services.domain.clock import IST, from_epoch_ms
from services.domain.errors import InvalidRequest
from services.domain.instruments import is_isin
from services.domain.orders import PastTrade
from services.portfolio.charges.kinds import Group
from services.portfolio.lots.fills import Asset, Fill, contract_identity, natural, share_identity
from services.portfolio.money import PRICE_UNITS, price_units
from services.portfolio.readers.rows import (
    Reading,
    Refusal,
    Refused,
    Row,
    Told,
    day_of_text,
    decimal_of,
    heading_of,
    instant_of_text,
    optional,
    price_of,
    read_each,
    read_rows,
    side_of_text,
    text_of,
    whole_of,
)

OURS = "Upstox Desk"
UPSTOX = "Upstox trade history"
ZERODHA = "Zerodha tradebook"

OUR_COLUMNS = (
    "account", "instrument", "symbol", "asset", "exchange", "side", "quantity", "price", "trade_date", "trade_time",
    "trade_id", "order_id", "product", "multiplier", "group", "expiry", "settled",
)  # fmt: skip
_ZERODHA_COLUMNS = frozenset(
    {"symbol", "trade_date", "exchange", "segment", "trade_type", "quantity", "price", "trade_id"}
)
_UPSTOX_COLUMNS = frozenset({"exchange", "segment", "quantity", "trade_id", "trade_date", "transaction_type", "price"})
_LETTERS = re.compile(r"[A-Z&-]+")
_UNTAXED = ("GOLD", "SILVER", "LIQUID", "GILT", "BOND", "GSEC", "SDL", "DEBT")
_EXCHANGES = {
    "NSE": "NSE", "NFO": "NSE", "CDS": "NSE", "NCD": "NSE", "NSCOM": "NSE",
    "BSE": "BSE", "BFO": "BSE", "BCD": "BSE", "MCX": "MCX", "MCXSX": "MCX",
}  # fmt: skip
_INDEX_OPTIONS = frozenset({"SENSEX", "BANKEX"})


@lru_cache(maxsize=256)
def plain_exchange(text: str) -> str:
    """`NSE`, `BSE` or `MCX` of any spelling of an exchange or segment. `InvalidRequest` for another."""
    word = text.strip().upper().split("_")[0]
    if word not in _EXCHANGES:
        raise InvalidRequest(f"exchange {text[:20]!r} is not known")
    return _EXCHANGES[word]


@lru_cache(maxsize=4096)
def share_asset(isin: str, symbol: str) -> Asset:
    """A share, a fund of shares or another fund. Funds have ISINs of their own; what is in them is told by the name."""
    if not isin.startswith("INF"):
        return Asset.SHARE
    return Asset.UNTAXED_FUND if any(word in symbol.upper() for word in _UNTAXED) else Asset.FUND


def option_group(exchange: str, underlying: str) -> Group:
    """BSE takes less for options on anything but SENSEX and BANKEX."""
    return Group.BSE_OTHER_OPTION if exchange == "BSE" and underlying.upper() not in _INDEX_OPTIONS else Group.NONE


def source_of(text: str) -> str:
    """Whose tradebook `text` is: `OURS`, `ZERODHA` or `UPSTOX`; empty for none that is known."""
    for columns in heading_of(text):
        if {"account", "instrument", "asset", "side"} <= columns:
            return OURS
        if columns >= _ZERODHA_COLUMNS:
            return ZERODHA
        if columns >= _UPSTOX_COLUMNS:
            return UPSTOX
    return ""


def read_tradebook(text: str, *, account: str, told: Told | None = None) -> Reading[Fill]:
    """Whichever of the known tradebooks `text` is. `told` hears of the line that is reached, now and then.
    `InvalidRequest` for none of them."""
    source = source_of(text)
    if source == OURS:
        return read_ours(text, told=told)
    if source == ZERODHA:
        return read_zerodha(text, account=account, told=told)
    if source == UPSTOX:
        return read_upstox(text, account=account, told=told)
    raise InvalidRequest(f"no heading of a tradebook that is known: {OURS}, {UPSTOX}, {ZERODHA}")


# -- Zerodha -----------------------------------------------------------------------------------------------------------


def read_zerodha(text: str, *, account: str, told: Told | None = None) -> Reading[Fill]:
    """Zerodha Console's tradebook of one segment. Its contracts are named by symbols that only a master of that time
    could resolve, so a contract is matched with its own symbol; the expiry comes from the column of that name."""

    def parse(row: Row) -> Fill:
        exchange = plain_exchange(text_of(row, "exchange"))
        segment = text_of(row, "segment").upper()
        symbol = intern(text_of(row, "symbol").upper())
        expiry = optional(row, "expiry_date")
        if segment == "EQ":
            isin = intern(optional(row, "isin").upper())
            if isin and not is_isin(isin):
                raise Refusal(f"isin {isin[:20]!r} has not the form of one")
            identity, asset = share_identity(isin, exchange, symbol), share_asset(isin, symbol)
        else:
            identity, asset = f"{exchange}:{symbol}", _contract_asset(segment, symbol.endswith(("CE", "PE")))
        return Fill(
            account=account,
            instrument=identity,
            symbol=symbol,
            asset=asset,
            exchange=exchange,
            side=side_of_text(text_of(row, "trade_type"), "trade_type"),
            quantity=whole_of(row, "quantity"),
            price=price_units(price_of(row, "price")),
            day=day_of_text(text_of(row, "trade_date"), "trade_date"),
            trade_id=text_of(row, "trade_id"),
            order_id=optional(row, "order_id"),
            at_ms=instant_of_text(optional(row, "order_execution_time"), "order_execution_time"),
            group=option_group(exchange, _underlying(symbol)) if asset is Asset.OPTION else Group.NONE,
            expiry=day_of_text(expiry, "expiry_date") if expiry else None,
        )

    return read_each(ZERODHA, read_rows(text, _ZERODHA_COLUMNS, ZERODHA, told=told), parse)


def _underlying(symbol: str) -> str:
    """Of a contract's symbol in Zerodha's spelling: `SENSEX26MAY76000CE`."""
    letters = _LETTERS.match(symbol)
    name = letters.group() if letters else symbol
    return name + "50" if symbol.startswith("SENSEX50") else name


def _contract_asset(segment: str, option: bool) -> Asset:
    words = {
        "FO": (Asset.FUTURE, Asset.OPTION),
        "F&O": (Asset.FUTURE, Asset.OPTION),
        "NFO": (Asset.FUTURE, Asset.OPTION),
        "BFO": (Asset.FUTURE, Asset.OPTION),
        "CDS": (Asset.CURRENCY_FUTURE, Asset.CURRENCY_OPTION),
        "CD": (Asset.CURRENCY_FUTURE, Asset.CURRENCY_OPTION),
        "BCD": (Asset.CURRENCY_FUTURE, Asset.CURRENCY_OPTION),
        "COM": (Asset.COMMODITY_FUTURE, Asset.COMMODITY_OPTION),
        "MCX": (Asset.COMMODITY_FUTURE, Asset.COMMODITY_OPTION),
    }.get(segment)
    if words is None:
        raise Refusal(f"segment {segment[:20]!r} is not known")
    return words[option]


# -- Upstox ------------------------------------------------------------------------------------------------------------


def read_upstox(text: str, *, account: str, told: Told | None = None) -> Reading[Fill]:
    """The trade history of Upstox as a table, with the names of its API."""
    rows = read_rows(text, _UPSTOX_COLUMNS, UPSTOX, told=told)
    return read_each(UPSTOX, rows, lambda row: _upstox_fill(row, account, None))


def fills_of_history(
    trades: Iterable[PastTrade], *, account: str, multiplier: Callable[[PastTrade], int] = lambda _: 1
) -> Reading[Fill]:
    """The trade history of Upstox as its API tells it. `multiplier`: what a lot of a trade stands for."""
    taken: list[Fill] = []
    refused: list[Refused] = []
    for number, trade in enumerate(trades, 1):
        row = {
            "exchange": trade.exchange, "segment": trade.segment, "option_type": trade.option_type,
            "quantity": str(trade.quantity), "trade_id": trade.trade_id, "trade_date": trade.traded_on,
            "transaction_type": trade.side.value, "scrip_name": trade.name, "strike_price": trade.strike,
            "expiry": trade.expiry, "price": str(trade.price), "isin": trade.isin, "symbol": trade.symbol,
        }  # fmt: skip
        try:
            taken.append(_upstox_fill(row, account, multiplier(trade)))
        except (Refusal, InvalidRequest) as error:
            refused.append(Refused(number, str(error), ", ".join(row.values())[:120]))
    return Reading(UPSTOX, tuple(taken), tuple(refused))


def _upstox_fill(row: Row, account: str, multiplier: int | None) -> Fill:
    exchange = plain_exchange(text_of(row, "exchange"))
    segment = text_of(row, "segment").upper()
    symbol = (optional(row, "symbol") or text_of(row, "scrip_name")).upper()
    side = side_of_text(text_of(row, "transaction_type"), "transaction_type")
    quantity, price = whole_of(row, "quantity"), price_units(price_of(row, "price"))
    day = day_of_text(text_of(row, "trade_date"), "trade_date")
    expiry_text = optional(row, "expiry")
    group, expiry = Group.NONE, None
    if segment == "EQ":
        isin = optional(row, "isin").upper()
        identity, asset = share_identity(isin, exchange, symbol), share_asset(isin, symbol)
    else:
        option = optional(row, "option_type").upper()
        asset = _contract_asset(segment, option in {"CE", "PE"})
        expiry = day_of_text(expiry_text, "expiry") if expiry_text else None
        if expiry is None:
            raise Refusal("the expiry of a contract is missing")
        identity = contract_identity(exchange, symbol, expiry, optional(row, "strike_price"), option or "FUT")
        group = option_group(exchange, symbol) if asset is Asset.OPTION else Group.NONE
    amount = optional(row, "amount")
    if multiplier is None:
        multiplier = _multiplier(quantity, price, decimal_of(row, "amount")) if amount else 1
    return Fill(
        account, identity, symbol, asset, exchange, side, quantity, price, day, text_of(row, "trade_id"),
        optional(row, "order_id"), None, optional(row, "product"), multiplier, group, expiry,
    )  # fmt: skip


def _multiplier(quantity: int, price: int, amount: Decimal) -> int:
    """What `amount` makes of price times quantity, where that is a whole number; else 1."""
    plain = quantity * price
    if plain == 0:
        return 1
    times = round(amount * PRICE_UNITS / plain)
    return times if times > 1 and abs(amount * PRICE_UNITS - times * plain) <= times * PRICE_UNITS else 1


# -- ours --------------------------------------------------------------------------------------------------------------


def read_ours(text: str, *, told: Told | None = None) -> Reading[Fill]:
    """What `write_ours` wrote."""
    assets, groups = {one.value: one for one in Asset}, {one.value: one for one in Group}

    def parse(row: Row) -> Fill:
        asset = assets.get(text_of(row, "asset"))
        group = groups.get(optional(row, "group"))
        if asset is None or group is None:
            raise Refusal(f"asset {row.get('asset', '')[:30]!r} or group {row.get('group', '')[:30]!r} is not known")
        expiry = optional(row, "expiry")
        return Fill(
            account=optional(row, "account"),
            instrument=text_of(row, "instrument"),
            symbol=text_of(row, "symbol"),
            asset=asset,
            exchange=plain_exchange(text_of(row, "exchange")),
            side=side_of_text(text_of(row, "side"), "side"),
            quantity=whole_of(row, "quantity"),
            price=price_units(price_of(row, "price")),
            day=day_of_text(text_of(row, "trade_date"), "trade_date"),
            trade_id=text_of(row, "trade_id"),
            order_id=optional(row, "order_id"),
            at_ms=instant_of_text(optional(row, "trade_time"), "trade_time"),
            product=optional(row, "product"),
            multiplier=whole_of(row, "multiplier") if optional(row, "multiplier") else 1,
            group=group,
            expiry=day_of_text(expiry, "expiry") if expiry else None,
            settled=optional(row, "settled") == "yes",
        )

    needed = frozenset(
        {"account", "instrument", "symbol", "asset", "exchange", "side", "quantity", "price", "trade_id"}
    )
    return read_each(OURS, read_rows(text, needed, f"tradebook of {OURS}", told=told), parse)


def write_ours(fills: Iterable[Fill]) -> str:
    """`fills` as a table that `read_ours` reads back without loss, in the order of time."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(OUR_COLUMNS)
    for fill in sorted(fills, key=lambda fill: (fill.day, fill.at_ms or 0, natural(fill.trade_id))):
        at = "" if fill.at_ms is None else _stamp(fill.at_ms).isoformat(timespec="milliseconds")
        price = Decimal(fill.price).scaleb(-4)
        table.writerow([
            fill.account, fill.instrument, fill.symbol, fill.asset.value, fill.exchange, fill.side.value, fill.quantity,
            f"{price.normalize():f}", fill.day.isoformat(), at, fill.trade_id, fill.order_id, fill.product,
            fill.multiplier, fill.group.value, "" if fill.expiry is None else fill.expiry.isoformat(),
            "yes" if fill.settled else "",
        ])  # fmt: skip
    return out.getvalue()


def _stamp(at_ms: int) -> datetime:
    return from_epoch_ms(at_ms).astimezone(UTC).astimezone(IST)
