"""Positions and holdings, of REST and of the stream; and the answer to a conversion."""

from __future__ import annotations

from decimal import Decimal

from services.domain.orders import ZERO
from services.domain.positions import Holding, Position
from services.wire.fields import Row, as_map, decimal_or_blank, rows_of, text, text_or_none, whole_or_none
from services.wire.orders import key_of, symbol_of, whole


def parse_positions(data: object) -> list[Position]:
    """Positions, those closed today included (quantity 0)."""
    return [parse_position(row, where) for row, where in rows_of(data)]


def parse_position(row: Row, where: str = "data") -> Position:
    """One position. Averages may be null or an empty text; the stream tells no prices of the market at all."""

    def money(name: str) -> Decimal:
        return decimal_or_blank(row, name, where) or ZERO

    def price(name: str) -> Decimal | None:
        return decimal_or_blank(row, name, where)

    def count(name: str) -> int:
        return whole_or_none(row, name, where) or 0

    return Position(
        key=key_of(row, where),
        product=text(row, "product", where),
        quantity=whole(row, "quantity", where),
        symbol=symbol_of(row, where),
        exchange=text_or_none(row, "exchange", where) or "",
        multiplier=price("multiplier") or Decimal(1),
        overnight_quantity=count("overnight_quantity"),
        overnight_buy_quantity=count("overnight_buy_quantity"),
        overnight_buy_amount=money("overnight_buy_amount"),
        overnight_sell_quantity=count("overnight_sell_quantity"),
        overnight_sell_amount=money("overnight_sell_amount"),
        day_buy_quantity=count("day_buy_quantity"),
        day_buy_value=money("day_buy_value"),
        day_buy_price=price("day_buy_price") or None,
        day_sell_quantity=count("day_sell_quantity"),
        day_sell_value=money("day_sell_value"),
        day_sell_price=price("day_sell_price") or None,
        buy_value=money("buy_value"),
        buy_price=price("buy_price") or None,
        sell_value=money("sell_value"),
        sell_price=price("sell_price") or None,
        average_price=price("average_price") or None,
        last_price=price("last_price") or None,
        close_price=price("close_price") or None,
        value=price("value"),
        realised=price("realised"),
        unrealised=price("unrealised"),
        pnl=price("pnl"),
    )


def parse_holdings(data: object) -> list[Holding]:
    """Holdings."""
    return [parse_holding(row, where) for row, where in rows_of(data)]


def parse_holding(row: Row, where: str = "data") -> Holding:
    """One holding. The broker's change of the day is left out: it is told as 0."""
    return Holding(
        key=key_of(row, where),
        isin=text_or_none(row, "isin", where) or "",
        quantity=whole(row, "quantity", where),
        symbol=symbol_of(row, where),
        company=text_or_none(row, "company_name", where) or "",
        exchange=text_or_none(row, "exchange", where) or "",
        product=text_or_none(row, "product", where) or "",
        average_price=decimal_or_blank(row, "average_price", where),
        t1_quantity=whole_or_none(row, "t1_quantity", where) or 0,
        cnc_used_quantity=whole_or_none(row, "cnc_used_quantity", where) or 0,
        collateral_quantity=whole_or_none(row, "collateral_quantity", where) or 0,
        collateral_update_quantity=whole_or_none(row, "collateral_update_quantity", where) or 0,
        collateral_type=text_or_none(row, "collateral_type", where) or "",
        haircut=decimal_or_blank(row, "haircut", where),
        last_price=decimal_or_blank(row, "last_price", where) or None,
        close_price=decimal_or_blank(row, "close_price", where) or None,
        pnl=decimal_or_blank(row, "pnl", where),
    )


def parse_conversion(data: object) -> str:
    """The broker's word for how a conversion ended, `complete`."""
    return text(as_map(data, "data"), "status", "data").lower()
