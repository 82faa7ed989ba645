"""Fills: of today, of one order, and of earlier days page by page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.domain.errors import MalformedPayload
from services.domain.orders import ZERO, PastTrade, Trade
from services.wire.fields import (
    Row,
    as_list,
    decimal,
    decimal_or_blank,
    id_or_none,
    id_text,
    iso_day,
    ist_stamp_or_none,
    malformed,
    rows_of,
    text,
    text_or_none,
    whole_or_none,
)
from services.wire.orders import key_of, side_of, symbol_of, whole


@dataclass(frozen=True, slots=True)
class PastTradesPage:
    """One page of earlier fills. `pages=None`: the broker did not say how many there are."""

    trades: tuple[PastTrade, ...]
    rows: int
    """As they came, those left out counted."""
    pages: int | None

    def is_last(self, number: int, size: int) -> bool:
        """Was this page, number `number` of pages of `size`, the last one?"""
        if self.rows == 0:
            return True
        return number >= self.pages if self.pages is not None else self.rows < size


def parse_trades(data: object) -> list[Trade]:
    """Fills in the broker's order."""
    return [_trade(row, where) for row, where in rows_of(data)]


def _trade(row: Row, where: str) -> Trade:
    return Trade(
        trade_id=id_text(row, "trade_id", where),
        order_id=id_text(row, "order_id", where),
        key=key_of(row, where),
        side=side_of(row, where),
        quantity=whole(row, "quantity", where),
        price=decimal(row, "average_price", where),
        product=text_or_none(row, "product", where) or "",
        exchange=text_or_none(row, "exchange", where) or "",
        symbol=symbol_of(row, where),
        order_type=text_or_none(row, "order_type", where) or "",
        exchange_order_id=id_or_none(row, "exchange_order_id", where) or "",
        traded_at=ist_stamp_or_none(row, "exchange_timestamp", where)
        or ist_stamp_or_none(row, "order_timestamp", where),
        reference_id=id_or_none(row, "order_ref_id", where) or "",
    )


def parse_past_trades(data: object, metadata: Mapping[str, object]) -> PastTradesPage:
    """One page. Funds come in fractions: their rows are left out, this desk trades none."""
    trades = tuple(_past_trade(row, where) for row, where in rows_of(data) if row.get("segment") != "MF")
    page = metadata.get("page")
    pages = None
    if isinstance(page, dict):
        pages = whole_or_none(page, "total_pages", "meta_data.page")
    return PastTradesPage(trades, len(as_list(data, "data")), pages)


def _past_trade(row: Row, where: str) -> PastTrade:
    day = text(row, "trade_date", where)
    iso_day(day, f"{where}.trade_date")
    price, quantity = decimal(row, "price", where), whole(row, "quantity", where)
    amount = decimal_or_blank(row, "amount", where)
    return PastTrade(
        trade_id=id_or_none(row, "trade_id", where) or "",
        key=text_or_none(row, "instrument_token", where) or "",
        segment=text_or_none(row, "segment", where) or "",
        exchange=text_or_none(row, "exchange", where) or "",
        side=side_of(row, where),
        quantity=quantity,
        price=price,
        amount=price * quantity if amount is None else amount,
        traded_on=day,
        symbol=text_or_none(row, "symbol", where) or "",
        name=text_or_none(row, "scrip_name", where) or "",
        isin=text_or_none(row, "isin", where) or "",
        option_type=text_or_none(row, "option_type", where) or "",
        strike=_strike(row, where),
        expiry=text_or_none(row, "expiry", where) or "",
    )


def _strike(row: Row, where: str) -> str:
    """A text such as "26000.0"; "0.0" means that there is none."""
    value = row.get("strike_price")
    if value is None or isinstance(value, bool) or not isinstance(value, (str, int, float)):
        if value is None:
            return ""
        malformed(f"{where}.strike_price", "a text", value)
    try:
        strike = decimal_or_blank(row, "strike_price", where) or ZERO
    except MalformedPayload:
        return str(value)
    return f"{strike.normalize():f}" if strike else ""
